// Reads a QR code that was drawn as an SVG path of unit squares: format, mask, order of the modules, blocks and text, with the
// error correction of each block checked by its syndromes. Written from ISO/IEC 18004, apart from what draws it.
const ALIGNED = { 1: [], 2: [6, 18], 3: [6, 22], 4: [6, 26], 5: [6, 30], 6: [6, 34], 7: [6, 22, 38], 8: [6, 24, 42], 9: [6, 26, 46], 10: [6, 28, 50] };
// level M: [bytes of correction, data bytes of each block]
const BLOCKS = {
  1: [10, [16]], 2: [16, [28]], 3: [26, [44]], 4: [18, [32, 32]], 5: [24, [43, 43]], 6: [16, [27, 27, 27, 27]], 7: [18, [31, 31, 31, 31]],
  8: [22, [38, 38, 39, 39]], 9: [22, [36, 36, 36, 37, 37]], 10: [26, [43, 43, 43, 43, 44]],
};
const MASKS = [(i, j) => (i + j) % 2, i => i % 2, (i, j) => j % 3, (i, j) => (i + j) % 3, (i, j) => (Math.floor(i / 2) + Math.floor(j / 3)) % 2,
  (i, j) => ((i * j) % 2) + ((i * j) % 3), (i, j) => (((i * j) % 2) + ((i * j) % 3)) % 2, (i, j) => (((i + j) % 2) + ((i * j) % 3)) % 2];

function multiply(a, b) {
  let product = 0;
  for (; b; b >>= 1, a = a & 0x80 ? (a << 1) ^ 0x11d : a << 1) if (b & 1) product ^= a;
  return product;
}
function power(n) {
  let value = 1;
  for (let i = 0; i < n; i++) value = multiply(value, 2);
  return value;
}

export function decode(path, size) {
  const version = (size - 17) / 4;
  const dark = Array.from({ length: size }, () => new Array(size).fill(0));
  for (const [, x, y] of path.matchAll(/M(\d+) (\d+)h1v1h-1z/g)) dark[y][x] = 1;

  const formatBits = [];
  for (let j = 0; j <= 8; j++) if (j !== 6) formatBits.push(dark[8][j]);
  for (let i = 7; i >= 0; i--) if (i !== 6) formatBits.push(dark[i][8]);
  const format = Number.parseInt(formatBits.join(''), 2) ^ 0x5412;
  if (format >> 13 !== 0) throw new Error('not of level M');
  const mask = MASKS[(format >> 10) & 7];

  const isFixed = (i, j) => {
    const corner = (i < 9 && j < 9) || (i < 9 && j >= size - 8) || (i >= size - 8 && j < 9);
    const at = ALIGNED[version], last = at.at(-1);
    const aligned = at.some(a => at.some(b => Math.abs(i - a) <= 2 && Math.abs(j - b) <= 2 && !((a === 6 && b === 6) || (a === 6 && b === last) || (a === last && b === 6))));
    const versionInfo = version >= 7 && ((i < 6 && j >= size - 11) || (j < 6 && i >= size - 11));
    return corner || i === 6 || j === 6 || aligned || versionInfo;
  };
  const bits = [];
  let up = true;
  for (let right = size - 1; right > 0; right -= 2, up = !up) {
    if (right === 6) right = 5;
    for (let step = 0; step < size; step++) {
      const i = up ? size - 1 - step : step;
      for (const j of [right, right - 1]) if (!isFixed(i, j)) bits.push(dark[i][j] ^ (mask(i, j) === 0 ? 1 : 0));
    }
  }
  const words = [];
  for (let i = 0; i + 8 <= bits.length; i += 8) words.push(Number.parseInt(bits.slice(i, i + 8).join(''), 2));

  const [correction, sizes] = BLOCKS[version];
  const blocks = sizes.map(() => []);
  let next = 0;
  for (let k = 0; k < Math.max(...sizes); k++) sizes.forEach((count, b) => k < count && blocks[b].push(words[next++]));
  for (let k = 0; k < correction; k++) blocks.forEach(block => block.push(words[next++]));
  for (const block of blocks) {
    for (let k = 0; k < correction; k++) {
      const root = power(k);
      if (block.reduce((value, word) => multiply(value, root) ^ word, 0) !== 0) throw new Error('the error correction does not fit');
    }
  }
  const data = blocks.flatMap((block, b) => block.slice(0, sizes[b]));
  const stream = data.map(word => word.toString(2).padStart(8, '0')).join('');
  if (stream.slice(0, 4) !== '0100') throw new Error('not in byte mode');
  const counted = version < 10 ? 8 : 16, length = Number.parseInt(stream.slice(4, 4 + counted), 2);
  const text = stream.slice(4 + counted, 4 + counted + length * 8).match(/.{8}/g).map(byte => Number.parseInt(byte, 2));
  return new TextDecoder('utf-8', { fatal: true }).decode(new Uint8Array(text));
}
