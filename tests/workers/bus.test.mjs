// What one process knows, the others hear: two workers and two nodes on one PostgreSQL. A revoked token is refused everywhere
// within 1 s, and its open streams end within 2 s; a database that nobody uses is left alone.
import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, describe, test } from 'node:test';
import { Person } from '../integration/lib/api.mjs';
import { fixtures } from '../integration/lib/fixtures.mjs';
import { query } from '../integration/lib/postgres.mjs';
import { sleep, waitFor } from '../integration/lib/process.mjs';
import { PASSWORD } from '../oauth/flow.mjs';
import { ask, countWorkers, listen, startWith } from './help.mjs';

const REFUSED_MS = 1000;
const ENDED_MS = 2000;
const REVOCATIONS = Number(process.env.PORTEIRO_TEST_REVOCATIONS ?? 20);

const tokenStatus = (porteiro, token) => ask({ port: porteiro.port, token }, new http.Agent());

// When all of so many requests in a row are refused: milliseconds after `since`.
async function refusedAfter(porteiro, token, since, enough = 20) {
  let last = since, inARow = 0;
  while (inARow < enough) {
    const status = await tokenStatus(porteiro, token);
    if (status === 401) inARow++;
    else [inARow, last] = [0, performance.now()];
    assert.ok(performance.now() - since < 10_000, 'still served after 10 s');
  }
  return last - since;
}

const listeners = async url => (await query(url, "SELECT pid FROM pg_stat_activity WHERE query = 'LISTEN porteiro' AND datname = current_database()")).length;

describe('two nodes of two workers on one PostgreSQL', () => {
  let one, two;
  const nodes = () => [one, two];
  before(async () => {
    one = await startWith(['workers = 2', 'access_log = off'], { database: fixtures.postgres.port });
    two = await startWith(['workers = 2', 'access_log = off'], {
      database: fixtures.postgres.port, connection: false,
      env: { DATABASE_URL: one.database.url, PORTEIRO_SECRET_KEY_FILE: `${one.dir}/master.key` },
    });
    for (const node of nodes()) await waitFor('two workers', () => countWorkers(node) === 2);
  });
  after(async () => {
    const ends = await Promise.allSettled(nodes().map(node => node?.stop()));
    for (const { reason } of ends) if (reason) throw reason;
  });

  test('nobody listens at the database before a client does', async () => assert.equal(await listeners(one.database.url), 0));

  for (const [where, from] of [['the same node', 0], ['another node', 1]]) {
    test(`a token revoked by a command on ${where} is refused within 1 s, and its streams end within 2 s`, async () => {
      const { id, token } = await one.addToken(one.connection, '--name', `revoked ${from}`);
      const kept = await one.addToken(one.connection, '--name', `kept ${from}`);
      const streams = nodes().flatMap(node => Array.from({ length: 6 }, () => listen(node, token)));
      const others = nodes().map(node => listen(node, kept.token));
      for (const stream of [...streams, ...others]) assert.equal(await stream.begun, 200);
      await waitFor('the workers to listen', async () => (await listeners(one.database.url)) >= 2);
      for (const node of nodes()) for (let i = 0; i < 20; i++) assert.equal(await tokenStatus(node, token), 200);

      await nodes()[from].json(['token', 'revoke', String(id)]);
      const revoked = performance.now();
      const refused = await Promise.all(nodes().map(node => refusedAfter(node, token, revoked)));
      const ended = await Promise.all(streams.map(stream => Promise.race([stream.ended, sleep(10_000).then(() => Infinity)])));
      const slowest = Math.max(...ended) - revoked;
      console.log(`refused after ${refused.map(ms => ms.toFixed(0))} ms; the last of ${streams.length} streams ended after ${slowest.toFixed(0)} ms`);
      for (const ms of refused) assert.ok(ms <= REFUSED_MS, `refused after ${ms} ms`);
      assert.ok(slowest <= ENDED_MS, `the last stream ended after ${slowest} ms`);
      for (const { messages } of streams) assert.equal(messages.at(-1).result?.resultType, 'complete');
      for (const node of nodes()) assert.equal(await tokenStatus(node, kept.token), 200);
      for (const { messages } of others) assert.equal(messages.length, 1, 'the streams of another token go on');
    });
  }

  // From the moment that the command's answer is here until ten in a row are refused, on each node; ten tokens at a time.
  test(`${REVOCATIONS} tokens revoked, each refused by both nodes within 1 s`, { timeout: 1_500_000 }, async () => {
    const times = [];
    const person = new Person(one);
    await person.login('ana@example.test', PASSWORD);
    const program = new Person(one, { bearer: (await person.ok('POST', '/api/me/api-tokens', { name: 'revocations' })).token }); // a browser is asked for the password after ten minutes
    for (let done = 0; done < REVOCATIONS; done += 10) {
      await Promise.all(Array.from({ length: 10 }, async (_, i) => {
        const { id, token } = await program.ok('POST', `/api/connections/${one.connection}/tokens`, { name: `one of many ${done + i}`, rights: 'read' });
        for (const node of nodes()) for (let k = 0; k < 4; k++) assert.equal(await tokenStatus(node, token), 200);
        await program.ok('DELETE', `/api/tokens/${id}`);
        const revoked = performance.now();
        times.push(...(await Promise.all(nodes().map(node => refusedAfter(node, token, revoked, 10)))));
      }));
    }
    times.sort((a, b) => a - b);
    const p99 = times[Math.floor(times.length * 0.99)];
    console.log(`${times.length / 2} revocations: p50 ${times[times.length >> 1].toFixed(0)} ms, p99 ${p99.toFixed(0)} ms, the last after ${times.at(-1).toFixed(0)} ms`);
    assert.ok(p99 <= REFUSED_MS, `p99 ${p99} ms`);
  });

  test('the streams of a paused connection end, too', async () => {
    const { token } = await one.addToken(one.connection, '--name', 'of a connection');
    const streams = nodes().map(node => listen(node, token));
    for (const stream of streams) assert.equal(await stream.begun, 200);
    await two.json(['connection', 'pause', String(one.connection)]);
    const since = performance.now();
    const ended = await Promise.all(streams.map(stream => Promise.race([stream.ended, sleep(10_000).then(() => Infinity)])));
    assert.ok(Math.max(...ended) - since <= ENDED_MS);
    for (const node of nodes()) assert.equal(await tokenStatus(node, token), 403, 'not 401: the token is good');
    await two.json(['connection', 'resume', String(one.connection)]);
  });

  test('the listening connection comes back after the database ended it', async () => {
    const { id, token } = await one.addToken(one.connection, '--name', 'after');
    const streams = nodes().flatMap(node => Array.from({ length: 4 }, () => listen(node, token)));
    for (const stream of streams) assert.equal(await stream.begun, 200);
    await waitFor('the workers to listen', async () => (await listeners(one.database.url)) >= 2);
    const before = await listeners(one.database.url);
    await query(one.database.url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = 'LISTEN porteiro' AND datname = current_database()");
    await waitFor('it to come back', async () => (await listeners(one.database.url)) >= before);
    await two.json(['token', 'revoke', String(id)]);
    const since = performance.now();
    const ended = await Promise.all(streams.map(stream => Promise.race([stream.ended, sleep(10_000).then(() => Infinity)])));
    assert.ok(Math.max(...ended) - since <= ENDED_MS);
  });

  test('idle is silent: no statement while nothing happens', async () => {
    await sleep(6000); // last_used_at and audit are written within 5 s
    const count = async () => (await query(one.database.url, "SELECT sum(xact_commit)::int AS n FROM pg_stat_database WHERE datname = current_database()"))[0].n;
    const activity = async () => query(one.database.url, "SELECT max(extract(epoch FROM now() - query_start)) AS since, min(extract(epoch FROM now() - query_start)) AS least FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'");
    await count();
    await sleep(3000);
    const [{ least }] = await activity();
    assert.ok(least === null || least >= 2.5, `a statement ran ${least} s ago`);
  });
});
