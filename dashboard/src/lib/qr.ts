// A QR code (ISO/IEC 18004) of a short text: bytes, level M, versions 1 to 10. Returns rows of dark (true) and light modules.

const LEVEL_M = 0b00;
// per version from 1: [error correction bytes of a block, blocks of the short kind, data bytes in those, blocks with one more]
const BLOCKS: [number, number, number, number][] = [
  [10, 1, 16, 0], [16, 1, 28, 0], [26, 1, 44, 0], [18, 2, 32, 0], [24, 2, 43, 0],
  [16, 4, 27, 0], [18, 4, 31, 0], [22, 2, 38, 2], [22, 3, 36, 2], [26, 4, 43, 1],
];
const ALIGNMENT: number[][] = [[], [6, 18], [6, 22], [6, 26], [6, 30], [6, 34], [6, 22, 38], [6, 24, 42], [6, 26, 46], [6, 28, 50]];

// ---- GF(256), polynomial 0x11d

const EXP = new Uint8Array(512), LOG = new Uint8Array(256);
for (let i = 0, x = 1; i < 255; i++) {
  EXP[i] = EXP[i + 255] = x;
  LOG[x] = i;
  x = (x << 1) ^ (x & 0x80 ? 0x11d : 0);
}
const times = (a: number, b: number) => (a && b ? EXP[LOG[a] + LOG[b]] : 0);

function errorCorrection(data: number[], count: number): number[] {
  let generator = [1];
  for (let i = 0; i < count; i++) {
    const next = new Array<number>(generator.length + 1).fill(0);
    generator.forEach((factor, j) => {
      next[j] ^= factor;
      next[j + 1] ^= times(factor, EXP[i]);
    });
    generator = next;
  }
  const rest = [...data, ...new Array<number>(count).fill(0)];
  for (let i = 0; i < data.length; i++) {
    const lead = rest[i];
    if (lead) generator.forEach((factor, j) => (rest[i + j] ^= times(factor, lead)));
  }
  return rest.slice(data.length);
}

// ---- the text as code words

const capacity = ([, blocks, bytes, longer]: (typeof BLOCKS)[number]) => blocks * bytes + longer * (bytes + 1);

function codeWords(text: Uint8Array, version: number): number[] {
  const shape = BLOCKS[version - 1], total = capacity(shape);
  const bits: number[] = [];
  const put = (value: number, count: number) => {
    for (let i = count - 1; i >= 0; i--) bits.push((value >> i) & 1);
  };
  put(0b0100, 4);
  put(text.length, version < 10 ? 8 : 16);
  text.forEach(byte => put(byte, 8));
  put(0, Math.min(4, total * 8 - bits.length));
  while (bits.length % 8) bits.push(0);
  const data: number[] = [];
  for (let i = 0; i < bits.length; i += 8) data.push(Number.parseInt(bits.slice(i, i + 8).join(''), 2));
  for (let pad = 0xec; data.length < total; pad ^= 0xec ^ 0x11) data.push(pad);

  const [correction, short, bytes, longer] = shape;
  const blocks: number[][] = [];
  for (let i = 0, at = 0; i < short + longer; i++) {
    const size = bytes + (i < short ? 0 : 1);
    blocks.push(data.slice(at, (at += size)));
  }
  const checks = blocks.map(block => errorCorrection(block, correction));
  const words: number[] = [];
  for (let i = 0; i <= bytes; i++) for (const block of blocks) if (i < block.length) words.push(block[i]);
  for (let i = 0; i < correction; i++) for (const check of checks) words.push(check[i]);
  return words;
}

// ---- the square

const MASKS: ((x: number, y: number) => boolean)[] = [
  (x, y) => (x + y) % 2 === 0, (_, y) => y % 2 === 0, x => x % 3 === 0, (x, y) => (x + y) % 3 === 0,
  (x, y) => (Math.floor(y / 2) + Math.floor(x / 3)) % 2 === 0, (x, y) => ((x * y) % 2) + ((x * y) % 3) === 0,
  (x, y) => (((x * y) % 2) + ((x * y) % 3)) % 2 === 0, (x, y) => (((x + y) % 2) + ((x * y) % 3)) % 2 === 0,
];

// `value` with its BCH remainder behind it
function withRemainder(value: number, polynomial: number, count: number) {
  let rest = value << count;
  const top = 31 - Math.clz32(polynomial);
  for (let i = 31 - Math.clz32(rest); i >= top; i = 31 - Math.clz32(rest)) rest ^= polynomial << (i - top);
  return (value << count) | rest;
}

function drawFixed(version: number, set: (x: number, y: number, dark: boolean) => void, size: number) {
  const finder = (left: number, top: number) => {
    for (let y = -1; y <= 7; y++) for (let x = -1; x <= 7; x++) {
      const ring = Math.max(Math.abs(x - 3), Math.abs(y - 3));
      if (left + x >= 0 && left + x < size && top + y >= 0 && top + y < size) set(left + x, top + y, ring !== 2 && ring !== 4);
    }
  };
  for (let i = 8; i < size - 8; i++) {
    set(i, 6, i % 2 === 0);
    set(6, i, i % 2 === 0);
  }
  finder(0, 0);
  finder(size - 7, 0);
  finder(0, size - 7);
  const places = ALIGNMENT[version - 1];
  const last = places.at(-1);
  for (const y of places) for (const x of places) {
    if ((x === 6 && y === 6) || (x === 6 && y === last) || (x === last && y === 6)) continue;
    for (let dy = -2; dy <= 2; dy++) for (let dx = -2; dx <= 2; dx++) set(x + dx, y + dy, Math.max(Math.abs(dx), Math.abs(dy)) !== 1);
  }
  if (version >= 7) {
    const bits = withRemainder(version, 0x1f25, 12);
    for (let i = 0; i < 18; i++) {
      const dark = ((bits >> i) & 1) === 1, a = size - 11 + (i % 3), b = Math.floor(i / 3);
      set(a, b, dark);
      set(b, a, dark);
    }
  }
}

function drawFormat(mask: number, set: (x: number, y: number, dark: boolean) => void, size: number) {
  const bits = withRemainder((LEVEL_M << 3) | mask, 0x537, 10) ^ 0x5412;
  const dark = (i: number) => ((bits >> i) & 1) === 1;
  for (let i = 0; i <= 5; i++) set(8, i, dark(i));
  set(8, 7, dark(6));
  set(8, 8, dark(7));
  set(7, 8, dark(8));
  for (let i = 9; i < 15; i++) set(14 - i, 8, dark(i));
  for (let i = 0; i < 8; i++) set(size - 1 - i, 8, dark(i));
  for (let i = 8; i < 15; i++) set(8, size - 15 + i, dark(i));
  set(8, size - 8, true);
}

// How hard it is to read: long runs, squares of one colour, what looks like a finder, too much of one colour.
function penalty(rows: boolean[][]) {
  const size = rows.length;
  let points = 0, dark = 0;
  const line = (at: (i: number) => boolean) => {
    let run = 0, text = '';
    for (let i = 0; i < size; i++) {
      run = i && at(i) === at(i - 1) ? run + 1 : 1;
      points += run === 5 ? 3 : run > 5 ? 1 : 0;
      text += at(i) ? '1' : '0';
    }
    points += 40 * (text.match(/(?=10111010000)|(?=00001011101)/g)?.length ?? 0);
  };
  for (let i = 0; i < size; i++) {
    line(j => rows[i][j]);
    line(j => rows[j][i]);
  }
  for (let y = 0; y < size; y++) for (let x = 0; x < size; x++) {
    dark += rows[y][x] ? 1 : 0;
    if (x && y && rows[y][x] === rows[y - 1][x] && rows[y][x] === rows[y][x - 1] && rows[y][x] === rows[y - 1][x - 1]) points += 3;
  }
  return points + 10 * Math.floor(Math.abs((dark * 100) / (size * size) - 50) / 5);
}

export function qr(text: string): boolean[][] {
  const bytes = new TextEncoder().encode(text);
  const version = BLOCKS.findIndex((shape, i) => bytes.length + (i < 9 ? 2 : 3) <= capacity(shape)) + 1;
  if (!version) throw new Error('too long for a QR code');
  const size = version * 4 + 17;
  const words = codeWords(bytes, version);
  const draw = (mask: number) => {
    const rows = Array.from({ length: size }, () => new Array<boolean>(size).fill(false));
    const fixed = Array.from({ length: size }, () => new Array<boolean>(size).fill(false));
    const set = (x: number, y: number, dark: boolean) => {
      rows[y][x] = dark;
      fixed[y][x] = true;
    };
    drawFixed(version, set, size);
    drawFormat(mask, set, size);
    let bit = 0;
    for (let right = size - 1; right > 0; right -= 2) {
      if (right === 6) right--;
      for (let step = 0; step < size; step++) for (const x of [right, right - 1]) {
        const isUp = ((right + 1) & 2) === 0, y = isUp ? size - 1 - step : step;
        if (fixed[y][x]) continue;
        const word = words[bit >> 3] ?? 0;
        rows[y][x] = (((word >> (7 - (bit & 7))) & 1) === 1) !== MASKS[mask](x, y);
        bit++;
      }
    }
    return rows;
  };
  return MASKS.map((_, mask) => draw(mask)).reduce((best, rows) => (penalty(rows) < penalty(best) ? rows : best));
}
