// Databases as the earlier system left them.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { MIGRATIONS, journal } from './help.mjs';

const given = () => journal('postgres').slice(0, 2);

async function makeTables(database) {
  for (const { tag } of given()) {
    const sql = fs.readFileSync(path.join(MIGRATIONS, 'postgres', `${tag}.sql`), 'utf8');
    await database.exec(sql.replaceAll('--> statement-breakpoint', '\n'));
  }
}

// Its tables with its history.
export async function makeGiven(database) {
  await makeTables(database);
  await database.exec('CREATE SCHEMA drizzle; CREATE TABLE drizzle.__drizzle_migrations (id SERIAL PRIMARY KEY, hash text NOT NULL, created_at bigint)');
  for (const { tag, when } of given()) await database.exec(`INSERT INTO drizzle.__drizzle_migrations (hash, created_at) VALUES ('${tag}', ${when})`);
}

// Its other way to the same tables: no history, and PostgreSQL's own names for the foreign keys.
export async function makeOtherPath(database) {
  await makeTables(database);
  const keys = await database.rows(`SELECT conrelid::regclass::text AS tab, conname AS name,
    (SELECT attname FROM pg_attribute WHERE attrelid = conrelid AND attnum = conkey[1]) AS col FROM pg_constraint WHERE contype = 'f'`);
  assert.equal(keys.length, 5);
  for (const { tab, name, col } of keys) await database.exec(`ALTER TABLE ${tab} RENAME CONSTRAINT ${name} TO ${tab}_${col}_fkey`);
}
