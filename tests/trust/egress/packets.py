#!/usr/bin/env python3
"""Says of every packet that leaves in this network namespace where it goes, as soon as it opens a TCP connection or is UDP.

One line each on stdout: "tcp ADDRESS PORT", "udp ADDRESS PORT". "?" on stdin is answered with "lost N": what the kernel dropped before
it was looked at. Reads all interfaces by a raw socket, so it sees what nobody listens for.
"""
import select
import socket
import struct
import sys

ALL, OUTGOING, SOL_PACKET, STATISTICS, RCVBUFFORCE = 3, 4, 263, 6, 33


def told(kind, packet):
    """(what, address, port) of an IP packet, or None: neither a SYN without ACK nor UDP."""
    if kind == 0x0800:
        protocol, rest, address = packet[9], packet[(packet[0] & 15) * 4:], socket.inet_ntop(socket.AF_INET, packet[16:20])
    else:
        protocol, rest, address = packet[6], packet[40:], socket.inet_ntop(socket.AF_INET6, packet[24:40])
    if protocol == 6 and rest[13] & 0x12 == 0x02:
        return "tcp", address, struct.unpack("!H", rest[2:4])[0]
    if protocol == 17:
        return "udp", address, struct.unpack("!H", rest[2:4])[0]
    return None


def main():
    raw = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ALL))
    raw.setsockopt(socket.SOL_SOCKET, RCVBUFFORCE, 64 << 20)
    print("ready", flush=True)
    lost = 0
    while True:
        ready, _, _ = select.select([raw, sys.stdin], [], [])
        if raw in ready:
            packet, (_, kind, direction, _, _) = raw.recvfrom(256)
            found = kind in (0x0800, 0x86DD) and direction == OUTGOING and told(kind, packet)
            if found:
                print(*found, flush=True)
        elif sys.stdin in ready:
            if not sys.stdin.readline():
                return
            lost += struct.unpack("II", raw.getsockopt(SOL_PACKET, STATISTICS, 8))[1]
            print("lost", lost, flush=True)


main()
