// Compares a live PostgreSQL database with the five given tables: with the document that describes them
// (expected-seed.json), and strictly with what the earlier system's own migrations make (expected-original.json:
// lengths, foreign key names, sequences, index methods).
//   node tests/database/check.mjs DATABASE_URL
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

const here = import.meta.dirname;
const load = name => JSON.parse(fs.readFileSync(path.join(here, name), 'utf8'));
const same = (a, b) => JSON.stringify(a ?? null) === JSON.stringify(b ?? null);

export function introspect(url) {
  const args = ['-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', url, '-f', path.join(here, 'introspect.sql')];
  return JSON.parse(execFileSync('psql', args, { encoding: 'utf8' }));
}

class Differences {
  list = [];
  expect(where, expected, actual) {
    if (!same(expected, actual)) this.list.push(`${where}: expected ${JSON.stringify(expected)}, found ${JSON.stringify(actual)}`);
  }
}

function compareColumn(where, expected, actual, indexes, found) {
  if (!actual) return found.expect(where, 'column', 'absent');
  found.expect(`${where} type`, expected.type, actual.type);
  found.expect(`${where} notNull`, expected.notNull, actual.notNull);
  if (expected.defaultUnspecified) found.expect(`${where} counts`, true, /^nextval\(/.test(actual.default ?? '') || Boolean(actual.identity));
  else found.expect(`${where} default`, expected.default, actual.default);
  if (expected.unique) found.expect(`${where} unique`, true, indexes.some(i => i.unique && !i.where && same(i.columns, [expected.name])));
}

function compareTable(table, expected, actual, found) {
  if (!actual) return found.expect(table, 'table', 'absent');
  found.expect(`${table} columns`, expected.columns.map(c => c.name), actual.columns.map(c => c.name));
  for (const column of expected.columns) {
    compareColumn(`${table}.${column.name}`, column, actual.columns.find(c => c.name === column.name), actual.indexes, found);
  }
  for (const index of expected.indexes) {
    const other = actual.indexes.find(i => i.name === index.name);
    found.expect(`${table} index ${index.name}`, [index.unique, index.columns, null], other && [other.unique, other.columns, other.where]);
  }
  const key = f => [f.columns, f.refTable, f.refColumns, f.onDelete];
  const sorted = list => list.map(f => JSON.stringify(key(f))).sort();
  found.expect(`${table} foreign keys`, sorted(expected.foreignKeys), sorted(actual.foreignKeys));
  found.expect(`${table} all valid`, true, actual.foreignKeys.every(f => f.validated));
}

// Whatever either side has and the other has not; lists of named things go by name.
function compareStrictly(where, expected, actual, found) {
  const named = list => Array.isArray(list) && list.length > 0 && list[0]?.name;
  if (named(expected) && named(actual)) {
    found.expect(`${where} names`, expected.map(x => x.name), actual.map(x => x.name));
    for (const x of expected) {
      const y = actual.find(z => z.name === x.name);
      if (y) compareStrictly(`${where}/${x.name}`, x, y, found);
    }
  } else if (expected && actual && typeof expected === 'object' && typeof actual === 'object' && !Array.isArray(expected)) {
    for (const k of new Set([...Object.keys(expected), ...Object.keys(actual)])) compareStrictly(`${where}/${k}`, expected[k], actual[k], found);
  } else {
    found.expect(where, expected, actual);
  }
}

// neon_auth belongs to the hoster: its absence is no difference.
export function differences(url) {
  const actual = introspect(url);
  const seed = load('expected-seed.json');
  const found = new Differences();
  for (const schema of seed.schemas.filter(s => s !== 'neon_auth')) found.expect(`schema ${schema}`, true, actual.schemas.includes(schema));
  for (const [table, expected] of Object.entries(seed.tables)) compareTable(table, expected, actual.tables[table], found);
  found.expect(seed.migrationsTable, true, seed.migrationsTable in actual.tables);
  compareStrictly('', load('expected-original.json').tables, actual.tables, found);
  return found.list;
}

if (process.argv[1] === import.meta.filename) {
  const list = differences(process.argv[2]);
  for (const line of list) console.log(line);
  console.log(`${list.length} difference(s)`);
  process.exit(list.length ? 1 : 0);
}
