#!/bin/bash
# A PostgreSQL server of its own for tests, on 127.0.0.1 and in a folder of its own.
#   cluster.sh start DIR [OWNER_PID]   prints postgres://postgres@127.0.0.1:PORT; stops by itself when OWNER_PID has ended
#   cluster.sh stop DIR                stops it and removes DIR
# Ports 27500-27599 (below the kernel's ephemeral ones). Fails when PostgreSQL is not installed.
set -eu

as_server() { # PostgreSQL refuses to run as root
    if [ "$(id -u)" = 0 ]; then (cd / && exec setpriv --reuid=postgres --regid=postgres --init-groups "$@"); else "$@"; fi
}

stop() {
    [ ! -f "$1/data/postmaster.pid" ] || as_server "$bin/pg_ctl" -D "$1/data" -m immediate -w stop >/dev/null || true
    rm -rf "$1"
}

bin=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -1)
[ -x "$bin/initdb" ] || { echo "cluster.sh: PostgreSQL is not installed (apt-get install postgresql)" >&2; exit 1; }

case ${1:-} in
start)
    dir=$2 owner=${3:-}
    mkdir -p "$dir"
    chmod 755 "$dir"
    [ "$(id -u)" != 0 ] || chown postgres "$dir"
    as_server "$bin/initdb" -D "$dir/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync >"$dir/initdb.log" 2>&1 ||
        { cat "$dir/initdb.log" >&2; exit 1; }
    for port in $(shuf -i 27500-27599); do
        ! (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null || continue
        # Durable enough to survive a killed client, which is what is tested; not a killed machine.
        if as_server "$bin/pg_ctl" -D "$dir/data" -l "$dir/data/server.log" -w -s \
            -o "-h 127.0.0.1 -p $port -k '$dir' -c fsync=off -c shared_buffers=16MB -c max_connections=60 -c timezone=America/Sao_Paulo" \
            start >/dev/null 2>&1; then
            if [ -n "$owner" ]; then
                # In a session of its own: what ends the owner's process group must not end this too.
                setsid "$0" watch "$dir" "$owner" </dev/null >/dev/null 2>&1 &
            fi
            echo "postgres://postgres@127.0.0.1:$port"
            exit 0
        fi
    done
    echo "cluster.sh: the server did not start; its log:" >&2
    tail -20 "$dir/data/server.log" >&2
    exit 1
    ;;
watch)
    while kill -0 "$3" 2>/dev/null; do sleep 1; done
    [ ! -d "$2" ] || stop "$2"
    ;;
stop) stop "$2" ;;
*) echo "usage: cluster.sh start DIR [OWNER_PID] | stop DIR" >&2; exit 2 ;;
esac
