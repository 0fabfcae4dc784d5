// Many programs at once, and programs that are killed: one history, and all of a migration or nothing of it.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { start, sleep, waitFor } from '../integration/lib/process.mjs';
import { makeGiven } from './given.mjs';
import { Postgres, Sqlite, journal, migrate, program, tryMigrate } from './help.mjs';

const PROGRAMS = 8;
const KILLS = Number(process.env.PORTEIRO_TEST_KILLS ?? 12); // points at which a migration is killed, on each engine

async function assertComplete(database) {
  assert.deepEqual((await database.history()).map(r => Number(r.created_at)), journal(database.engine).map(e => e.when));
}

for (const Engine of [Postgres, Sqlite]) {
  describe(Engine.name, { concurrency: 1 }, () => {
    test(`${PROGRAMS} programs migrating at once leave one history`, async () => {
      for (let round = 0; round < 3; round++) {
        const database = await Engine.create();
        const results = await Promise.all(Array.from({ length: PROGRAMS }, () => tryMigrate(database.url)));
        for (const { code, stderr } of results) assert.equal(code, 0, stderr);
        const applied = results.map(r => Number(r.stdout.match(/applied (\d+)/)[1])).sort((a, b) => a - b);
        assert.deepEqual(applied, [...Array(PROGRAMS - 1).fill(0), journal(database.engine).length]);
        await assertComplete(database);
      }
    });

    test('kill -9 at any moment leaves all or nothing', async () => {
      const whole = await Engine.create();
      const began = performance.now();
      await migrate(whole.url);
      const duration = performance.now() - began;
      const tables = await whole.tables();
      const seen = { all: 0, nothing: 0 };
      for (let i = 0; i < KILLS; i++) {
        const database = await Engine.create();
        const child = start(...program(database.url));
        await sleep((1.5 * duration * (i + 1)) / KILLS); // some too late: where its end is, is not known
        await child.stop('SIGKILL');
        if (Engine === Postgres) await noBackends(database);
        const found = await database.tables();
        const history = found.length ? (await database.history()).length : 0;
        assert.ok(found.length === 0 || (history === journal(database.engine).length && found.length === tables.length), `${found} with ${history} entries`);
        seen[found.length ? 'all' : 'nothing']++;
        await migrate(database.url);
        await assertComplete(database);
      }
      console.log(`${Engine.name}: ${KILLS} kills within ${Math.round(duration)} ms: ${JSON.stringify(seen)}`);
      assert.ok(seen.nothing > 0, JSON.stringify(seen));
    });
  });
}

const backends = database => database.rows(`SELECT wait_event_type, query FROM pg_stat_activity WHERE datname = '${database.name}' AND pid <> pg_backend_pid()`);
const noBackends = database => waitFor('the killed program\'s connection to end', async () => (await backends(database)).length === 0);

test('Postgres: kill -9 in the middle of a migration leaves nothing of it', async () => {
  const database = await Postgres.create();
  await makeGiven(database);
  const before = await database.dump();
  // Another session holds a lock that the migration needs near its end: it waits there, five tables made.
  const holder = start('psql', ['-qX', database.url, '-c', 'BEGIN', '-c', 'LOCK TABLE mcp_tokens IN ROW EXCLUSIVE MODE', '-c', 'SELECT pg_sleep(60)']);
  await waitFor('the lock', async () => (await backends(database)).some(b => b.query.includes('pg_sleep')));
  const child = start(...program(database.url));
  await waitFor('the migration to wait', async () => (await backends(database)).some(b => b.wait_event_type === 'Lock' && /ALTER TABLE/.test(b.query)));
  await child.stop('SIGKILL');
  await holder.stop('SIGKILL');
  await database.exec(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${database.name}' AND query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()`);
  await noBackends(database);
  assert.equal(await database.dump(), before);
  await migrate(database.url);
  await assertComplete(database);
});
