// Addresses that nobody may reach through us, how they can be spelled in a URL, and the names of a name server that leads there.

// Of each range: private, shared, link-local, metadata services, loopback, reserved, multicast.
export const V4 = [
  '0.0.0.0', '0.1.2.3', '10.0.0.1', '10.255.255.254', '100.64.0.1', '100.100.100.200', '100.127.255.254', '127.0.0.1', '127.0.0.53', '127.1.2.3', '127.255.255.254',
  '168.63.129.16', '169.254.0.1', '169.254.169.254', '169.254.170.2', '172.16.0.1', '172.31.255.254', '192.0.0.192', '192.0.2.1', '192.88.99.1', '192.168.0.1',
  '192.168.255.254', '198.18.0.1', '198.19.255.254', '198.51.100.1', '203.0.113.1', '224.0.0.1', '239.255.255.250', '240.0.0.1', '255.255.255.255',
];
export const V6 = [
  '::', '::1', '64:ff9b::a00:1', '64:ff9b:1::1', '100::1', '2001::1', '2001:db8::1', '2002:a00:1::1', '2002:7f00:1::1', '3fff::1', '5f00::1', 'fc00::1', 'fd00::1',
  'fd00:ec2::254', 'fe80::1', 'fe80::a9fe:a9fe', 'fec0::1', 'ff02::1',
];

const hex = (number, width) => number.toString(16).padStart(width, '0');
const groups = bytes => `${hex(bytes[0] * 256 + bytes[1], 1)}:${hex(bytes[2] * 256 + bytes[3], 1)}`;

// The hosts that mean this IPv4 address to somebody.
export function spellings(address) {
  const bytes = address.split('.').map(Number), [a, b, c, d] = bytes;
  const number = bytes.reduce((sum, byte) => sum * 256 + byte, 0);
  return [
    address, String(number), `0x${hex(number, 8)}`, `0${number.toString(8)}`, bytes.map(byte => `0x${hex(byte, 2)}`).join('.'), bytes.map(byte => `0${byte.toString(8)}`).join('.'),
    `${a}.${(b * 256 + c) * 256 + d}`, `${a}.${b}.${c * 256 + d}`, `${address}.`, address.replaceAll('.', '%2e'), address.replaceAll('.', '。'),
    [...address].map(letter => (letter === '.' ? '.' : String.fromCodePoint(letter.codePointAt(0) + 0xfee0))).join(''),
    `[::ffff:${address}]`, `[::ffff:${groups(bytes)}]`, `[::${address}]`, `[64:ff9b::${groups(bytes)}]`, `[2002:${groups(bytes)}::1]`,
  ];
}

// Names of the zone below, which the name server answers; see names.mjs.
const label = address => (address.includes(':') ? `x${Buffer.from(bytes6(address)).toString('hex')}` : `a${address.replaceAll('.', '-')}`);
export const ZONE = 'evil.example';
export const nameOf = (address, kind) => `${kind}-${label(address)}.${ZONE}`;

function bytes6(address) {
  const [head, tail] = address.split('::').map(part => part.split(':').filter(Boolean));
  const all = tail ? [...head, ...Array(8 - head.length - tail.length).fill('0'), ...tail] : head;
  return all.flatMap(group => [parseInt(group, 16) >> 8, parseInt(group, 16) & 255]);
}
