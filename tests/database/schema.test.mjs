// The files of db/: what was given is untouched, the two engines have the same tables, drizzle-kit agrees with the files.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { differences } from './check.mjs';
import { Kit, MIGRATIONS, Postgres, Sqlite, journal, migrate } from './help.mjs';

const sha256 = file => createHash('sha256').update(fs.readFileSync(file)).digest('hex');
const snapshot = engine => {
  const file = `${String(journal(engine).at(-1).idx).padStart(4, '0')}_snapshot.json`;
  return JSON.parse(fs.readFileSync(path.join(MIGRATIONS, engine, 'meta', file), 'utf8')).tables;
};

test("the earlier system's migrations are there byte for byte, with their times", () => {
  const given = journal('postgres').slice(0, 2).map(({ tag, when }) => [tag, when, sha256(path.join(MIGRATIONS, 'postgres', `${tag}.sql`))]);
  assert.deepEqual(given, [
    ['0000_true_ultimatum', 1763897007693, '180bb7d15ef48f8e23655a114b478f7f6e2010762014ece6672ad1c7d3f8ad1b'],
    ['0001_black_legion', 1763897097248, 'fd6514f660177848a4dc01f9aa70ed085aa7c8698e2a6ccd60b94640e71b91b0'],
  ]);
});

test('times rise, each in a second of its own', () => {
  for (const engine of ['postgres', 'sqlite']) {
    const seconds = journal(engine).map(e => Math.floor(e.when / 1000));
    assert.deepEqual(seconds, [...new Set(seconds)].sort((a, b) => a - b));
  }
});

// What a PostgreSQL type is on SQLite: two storage types, no others.
const STORAGE = { serial: 'integer', integer: 'integer', bigint: 'integer', boolean: 'integer' };

test('both engines have the same tables, columns, indexes and foreign keys', () => {
  const postgres = Object.fromEntries(Object.values(snapshot('postgres')).map(t => [t.name, t]));
  const sqlite = snapshot('sqlite');
  assert.deepEqual(Object.keys(sqlite).sort(), Object.keys(postgres).sort());
  for (const [name, table] of Object.entries(postgres)) {
    const other = sqlite[name];
    assert.deepEqual(
      Object.values(other.columns).map(c => [c.name, c.type, c.notNull, c.default !== undefined]),
      Object.values(table.columns).map(c => [c.name, STORAGE[c.type] ?? 'text', c.notNull, c.default !== undefined]),
      name,
    );
    const counts = Object.values(table.columns).filter(c => c.type === 'serial').map(c => c.name);
    assert.deepEqual(Object.values(other.columns).filter(c => c.autoincrement).map(c => c.name), counts, `${name}: ids are never given twice`);
    assert.deepEqual(
      Object.values(other.indexes).map(i => [i.name, i.isUnique, i.columns]).sort(),
      Object.values(table.indexes).map(i => [i.name, i.isUnique, i.columns.map(c => c.expression)]).sort(),
      name,
    );
    const key = f => [f.columnsFrom, f.tableTo, f.columnsTo, f.onDelete];
    assert.deepEqual(Object.values(other.foreignKeys).map(key).sort(), Object.values(table.foreignKeys).map(key).sort(), name);
  }
});

test('names fit into the 63 bytes of PostgreSQL', () => {
  for (const table of Object.values(snapshot('postgres'))) {
    for (const name of [table.name, ...Object.keys(table.columns), ...Object.keys(table.indexes), ...Object.keys(table.foreignKeys)]) {
      assert.ok(Buffer.byteLength(name) <= 63, name);
    }
  }
});

for (const Engine of [Postgres, Sqlite]) {
  test(`${Engine.name}: drizzle-kit check is content, and generate has nothing to add`, async () => {
    const kit = new Kit('drizzle0', await Engine.create());
    assert.match(await kit.run('check'), /Everything's fine/);
    assert.match(await kit.run('generate'), /No schema changes/);
  });
}

test('the comparison with the given tables sees every kind of difference', async () => {
  const changes = {
    'mcp_users.email': 'ALTER TABLE mcp_users ALTER COLUMN email TYPE varchar(200)',
    mcp_users_email_unique: 'DROP INDEX mcp_users_email_unique',
    mcp_tokens: 'ALTER TABLE mcp_tokens RENAME CONSTRAINT mcp_tokens_connection_id_mcp_service_connections_id_fk TO other',
    'mcp_users.name': 'ALTER TABLE mcp_users ALTER COLUMN name DROP NOT NULL',
    extra: 'ALTER TABLE mcp_audit_logs ADD COLUMN extra text',
  };
  const whole = await Postgres.create();
  await migrate(whole.url);
  assert.deepEqual(differences(whole.url), []);
  for (const [name, change] of Object.entries(changes)) {
    const copy = await whole.copy();
    await copy.exec(change);
    const found = differences(copy.url).join('\n').replaceAll('/columns/', '.');
    assert.ok(found.includes(name), `${name}: ${found}`);
  }
});
