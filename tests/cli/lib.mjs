// The table of answers in docs/cli.md, and whether an answer fits it.
import fs from 'node:fs';
import path from 'node:path';
import { ROOT } from '../integration/lib/process.mjs';

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const KINDS = {
  integer: value => Number.isInteger(value),
  text: value => typeof value === 'string',
  boolean: value => typeof value === 'boolean',
  time: value => TIME.test(value),
  object: value => typeof value === 'object' && value !== null && !Array.isArray(value),
};

// {command: [shape, ...]}
export function documentedShapes() {
  const text = fs.readFileSync(path.join(ROOT, 'docs/cli.md'), 'utf8');
  const rows = [...text.matchAll(/^\| `([a-z -]+)` \| (.*) \|$/gm)];
  return Object.fromEntries(rows.map(([, command, cell]) => [command, [...cell.matchAll(/`(\{.*?\})`/g)].map(([, shape]) => JSON.parse(shape))]));
}

// What is wrong with the value, as a list of sentences.
export function misfits(shape, value, where = 'answer') {
  if (typeof shape === 'string') return KINDS[shape](value) ? [] : [`${where} is no ${shape}: ${JSON.stringify(value)}`];
  if (Array.isArray(shape)) {
    if (!Array.isArray(value)) return [`${where} is no list: ${JSON.stringify(value)}`];
    return value.flatMap((item, i) => misfits(shape[0], item, `${where}[${i}]`));
  }
  if (!KINDS.object(value)) return [`${where} is no object: ${JSON.stringify(value)}`];
  const members = new Map(Object.entries(shape).map(([key, inner]) => [key.replace(/\?$/, ''), { inner, nullable: key.endsWith('?') }]));
  return [
    ...Object.keys(value).filter(key => !members.has(key)).map(key => `${where}.${key} is not in the table`),
    ...[...members].flatMap(([key, { inner, nullable }]) => {
      if (!(key in value)) return [`${where}.${key} is missing`];
      return value[key] === null && nullable ? [] : misfits(inner, value[key], `${where}.${key}`);
    }),
  ];
}

// The status that an MCP ping gets.
export async function ping(url, token) {
  const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json', Accept: 'application/json, text/event-stream' };
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' }) });
  await response.text();
  return response.status;
}
