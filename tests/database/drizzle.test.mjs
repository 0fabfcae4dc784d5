// The real drizzle-kit judges databases that the program migrated: 0.31.7, which made the migrations, and the 1.0 to come.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { differences } from './check.mjs';
import { makeOtherPath } from './given.mjs';
import { Kit, Postgres, Sqlite, journal, migrate, tryMigrate } from './help.mjs';

const SEVEN_USERS = `INSERT INTO mcp_users (name, email, phone, password_hash)
  SELECT 'User ' || n, 'user' || n || '@example.org', '551199999000' || n,
    '$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy' FROM generate_series(1, 7) AS n`;

const ORIGINS = {
  'an empty database': async () => {},
  'a database of the earlier system': async database => {
    await new Kit('drizzle0', database, { entries: 2 }).run('migrate');
    await database.exec(SEVEN_USERS);
  },
  'its tables without a history': async database => {
    await makeOtherPath(database);
    await database.exec(SEVEN_USERS);
  },
  'its tables under an empty history': async database => {
    await makeOtherPath(database);
    // What drizzle-kit leaves behind when it fails on them.
    await database.exec('CREATE SCHEMA drizzle; CREATE TABLE drizzle.__drizzle_migrations (id SERIAL PRIMARY KEY, hash text NOT NULL, created_at bigint)');
    await database.exec(SEVEN_USERS);
  },
};

// A snapshot's tables without what pull cannot know, with sorted keys.
function tablesOf(file) {
  const sorted = x => (x && typeof x === 'object' && !Array.isArray(x) ? Object.fromEntries(Object.keys(x).sort().map(k => [k, sorted(x[k])])) : Array.isArray(x) ? x.map(sorted) : x);
  const tables = JSON.parse(fs.readFileSync(file, 'utf8')).tables;
  for (const table of Object.values(tables)) {
    for (const index of Object.values(table.indexes)) for (const column of index.columns) delete column.opclass;
    for (const key of Object.values(table.foreignKeys)) delete key.schemaTo;
  }
  return sorted(tables);
}

const lastSnapshot = out => path.join(out, 'meta', fs.readdirSync(path.join(out, 'meta')).filter(f => f.endsWith('_snapshot.json')).sort().at(-1));

describe('PostgreSQL', { concurrency: 1 }, () => {
  for (const [origin, prepare] of Object.entries(ORIGINS)) {
    test(`${origin}, migrated by us, is Drizzle's`, async t => {
      const database = await Postgres.create();
      await prepare(database);
      const users = origin === 'an empty database' ? [] : await database.rows('SELECT * FROM mcp_users ORDER BY id');
      await migrate(database.url);
      const kit = new Kit('drizzle0', database);

      await t.test('the five tables are exactly the given ones', () => assert.deepEqual(differences(database.url), []));
      await t.test('the users are untouched', async () => {
        assert.equal(users.length, origin === 'an empty database' ? 0 : 7);
        assert.deepEqual(await database.rows('SELECT * FROM mcp_users ORDER BY id'), users);
      });
      await t.test('the history has every entry once', async () => {
        assert.deepEqual((await database.history()).map(r => r.created_at), journal('postgres').map(e => e.when));
      });
      await t.test('0.31.7 migrate does nothing', async () => {
        const before = await database.dump();
        assert.match(await kit.run('migrate'), /migrations applied successfully/);
        assert.equal(await database.dump(), before);
      });
      await t.test('0.31.7 push has nothing to push', async () => assert.match(await kit.run('push', '--strict', '--verbose'), /No changes detected/));
      await t.test('0.31.7 pull gives our last snapshot', async () => {
        await kit.run('pull');
        assert.deepEqual(tablesOf(lastSnapshot(path.join(kit.work, 'pulled'))), tablesOf(lastSnapshot(kit.out)));
      });
      await t.test('1.0, after up, names the rows and changes nothing else', async () => {
        const copy = await database.copy();
        const next = new Kit('drizzle1', copy);
        await next.run('up');
        const before = await copy.dump('-n', 'public');
        assert.match(await next.run('migrate'), /migrations applied successfully/);
        assert.equal(await copy.dump('-n', 'public'), before);
        assert.deepEqual((await copy.history()).map(r => r.name), fs.readdirSync(next.out).sort());
        assert.match(await next.run('generate'), /No schema changes/);
        // And we still find our way in what it made of the history.
        assert.match(await migrate(copy.url), /applied 0 recorded 0/);
      });
    });
  }

  test('a database that 1.0 made up to 0001 is continued, and 1.0 finds nothing to do', async () => {
    const database = await Postgres.create();
    const older = new Kit('drizzle1', database, { entries: 2 });
    for (const file of fs.readdirSync(older.out)) if (/^(?!000[01])\d{4}_.*\.sql$/.test(file)) fs.rmSync(path.join(older.out, file));
    for (const file of fs.readdirSync(path.join(older.out, 'meta'))) if (/^(?!000[01])\d{4}_/.test(file)) fs.rmSync(path.join(older.out, 'meta', file));
    await older.run('up');
    await older.run('migrate');
    assert.equal((await database.history()).length, 2);
    assert.match(await migrate(database.url), new RegExp(`applied ${journal('postgres').length - 2} recorded 0`));
    const newer = new Kit('drizzle1', database);
    await newer.run('up');
    const before = await database.dump();
    assert.match(await newer.run('migrate'), /migrations applied successfully/);
    assert.equal(await database.dump(), before);
    assert.deepEqual((await database.history()).map(r => r.name).sort(), fs.readdirSync(newer.out).sort());
  });

  test('a database that 0.31.7 made whole is ours', async () => {
    const database = await Postgres.create();
    await new Kit('drizzle0', database).run('migrate');
    const before = await database.dump();
    assert.match(await migrate(database.url), /applied 0 recorded 0/);
    assert.equal(await database.dump(), before);
    const ours = await Postgres.create();
    await migrate(ours.url);
    assert.equal(await ours.dump(), before);
  });

  test('an older program refuses a newer schema', async () => {
    const database = await Postgres.create();
    await migrate(database.url);
    await database.exec("INSERT INTO drizzle.__drizzle_migrations (hash, created_at) VALUES ('00', 4000000000000)");
    const before = await database.dump();
    const { code, stderr } = await tryMigrate(database.url);
    assert.equal(code, 1);
    assert.match(stderr, /newer version/);
    assert.equal(await database.dump(), before);
  });
});

describe('SQLite', { concurrency: 1 }, () => {
  test("a file migrated by us is Drizzle's", async t => {
    const database = await Sqlite.create();
    await migrate(database.url);
    const kit = new Kit('drizzle0', database);
    await t.test('0.31.7 migrate does nothing', async () => {
      const before = await database.dump();
      assert.match(await kit.run('migrate'), /migrations applied successfully/);
      assert.equal(await database.dump(), before);
    });
    await t.test('0.31.7 push has nothing to push', async () => assert.match(await kit.run('push', '--strict', '--verbose'), /No changes detected/));
    await t.test('1.0, after up, names the rows and changes nothing else', async () => {
      const copy = await database.copy();
      const next = new Kit('drizzle1', copy);
      await next.run('up');
      assert.match(await next.run('migrate'), /migrations applied successfully/);
      assert.deepEqual((await copy.history()).map(r => r.name), fs.readdirSync(next.out).sort());
      assert.deepEqual(await copy.tables(), await database.tables());
      assert.match(await migrate(copy.url), /applied 0 recorded 0/);
    });
  });

  test('a file that drizzle-kit made is ours', async () => {
    const ours = await Sqlite.create();
    await migrate(ours.url);
    for (const line of ['drizzle0', 'drizzle1']) {
      const database = await Sqlite.create();
      const kit = new Kit(line, database);
      if (line === 'drizzle1') await kit.run('up');
      assert.match(await kit.run('migrate'), /migrations applied successfully/);
      assert.match(await migrate(database.url), /applied 0 recorded 0/);
      assert.deepEqual(await database.tables(), await ours.tables());
    }
  });
});
