// The figures of a run, and the table at its end.
const rows = [];

export const fixed = (number, digits = 2) => number.toFixed(digits);

// limit null: the figure is only told.
export function row(name, measured, limit, good, detail) {
  const verdict = limit === null ? '' : good ? 'ok' : 'SHORT';
  rows.push({ name, measured, limit: limit ?? '', verdict });
  console.log(`${name}: ${measured}${limit === null ? '' : ` (limit ${limit})`} ${good ? '' : 'SHORT '}${detail ?? ''}`);
}

export function table() {
  const widths = ['name', 'measured', 'limit'].map(key => Math.max(key.length, ...rows.map(r => r[key].length)));
  const line = (name, measured, limit, verdict) => `${name.padEnd(widths[0])}  ${measured.padStart(widths[1])}  ${limit.padStart(widths[2])}  ${verdict}`.trimEnd();
  return [line('', 'figure', 'limit', 'verdict'), ...rows.map(r => line(r.name, r.measured, r.limit, r.verdict))].join('\n');
}
