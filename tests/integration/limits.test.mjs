// The limits of tokens, persons and sites, held by all workers of a host together; and a site that hangs or fails harms nobody else.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { workersOf } from '../workers/help.mjs';
import { hang, reset, startFakeSite } from './lib/fake-site.mjs';
import { fixtures } from './lib/fixtures.mjs';
import { callTool, legacy, modern } from './lib/mcp.mjs';
import { Porteiro } from './lib/porteiro.mjs';
import { sleep, waitFor } from './lib/process.mjs';

const WORKERS = 4;
const agentless = { Connection: 'close' }; // each request on a connection of its own, so that all workers get some

// A posts list as WordPress gives it, without a WordPress: what is measured here is our side.
const posts = (request, response) => response.writeHead(200, { 'Content-Type': 'application/json', 'X-WP-Total': '0' }).end('[]');
const find = (porteiro, token, headers = agentless) => legacy(porteiro.url, token, 'tools/call', { name: 'wp_find', arguments: { limit: 1 } }, headers);

async function serve(env) {
  const porteiro = await Porteiro.create({ database: fixtures.postgres.port, env: { PORTEIRO_WORKERS: String(WORKERS), ...env } });
  await porteiro.serve();
  await waitFor('all workers', () => Object.keys(workersOf(porteiro)).length === WORKERS);
  await porteiro.addUser();
  return porteiro;
}

const count = (answers, what) => answers.filter(what).length;
const median = numbers => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];

describe('limits of tokens', () => {
  let porteiro, fake, token, id, others;
  before(async () => {
    porteiro = await serve({
      PORTEIRO_TOKEN_CALLS_PER_MINUTE: '20', PORTEIRO_TOKEN_WRITES_PER_MINUTE: '4',
      PORTEIRO_TOKEN_CALLS_AT_ONCE: '6', PORTEIRO_USER_CALLS_PER_MINUTE: '60',
    });
    fake = await startFakeSite(fixtures.sites.new);
    ({ id, token } = await porteiro.addConnection(fake, { rights: 'read,draft' }));
    others = await Promise.all(Array.from({ length: 5 }, async () => (await porteiro.addToken(id)).token));
    await callTool(porteiro.url, token, 'wp_find', { limit: 1 });
    fake.answer = posts;
  });
  after(() => Promise.all([fake?.stop(), porteiro?.stop()]));

  test('so many calls a minute, half of them at once, whichever worker serves', async () => {
    const answers = [];
    for (let i = 0; i < 24; i++) answers.push(await find(porteiro, others[0]));
    const good = count(answers, ({ status }) => status === 200);
    assert.ok(good >= 10 && good <= 12, `${good} calls were served`); // one comes back every three seconds
    for (const { status, headers, json } of answers.slice(-5)) {
      assert.equal(status, 429);
      const after = Number(headers.get('retry-after'));
      assert.ok(after >= 1 && after <= 3, `Retry-After: ${after}`);
      assert.equal(json.error.code, 429);
      assert.equal(json.error.data.retryAfterSeconds, after);
      assert.match(json.error.message, new RegExp(`20 calls a minute.*Try again in ${after} second`));
    }
    await sleep(3100);
    assert.equal((await find(porteiro, others[0])).status, 200);
    const listed = await legacy(porteiro.url, others[0], 'tools/list');
    assert.equal(listed.status, 200); // from memory: not counted
    const refused = await modern(porteiro.url, others[0], 'tools/call', { name: 'wp_find', arguments: { limit: 1 } });
    assert.equal(refused.status, 429);
    assert.equal(refused.json.error.code, 429);
  });

  test('changes have a limit of their own, and reading goes on', async () => {
    const create = () => legacy(porteiro.url, others[1], 'tools/call', { name: 'wp_create', arguments: { title: 'x', content: 'y', dry_run: true } }, agentless);
    const statuses = [];
    for (let i = 0; i < 4; i++) statuses.push((await create()).status);
    assert.deepEqual(statuses, [200, 200, 429, 429]);
    assert.equal((await find(porteiro, others[1])).status, 200);
  });

  test('so many calls at once', async () => {
    const held = [];
    fake.answer = (request, response) => held.push(response);
    const calls = Array.from({ length: 9 }, () => find(porteiro, others[2]));
    await waitFor('what is taken to arrive', () => held.length >= 6);
    await sleep(200);
    assert.equal(held.length, 6);
    for (const response of held) posts(null, response);
    const answers = await Promise.all(calls);
    assert.equal(count(answers, ({ status }) => status === 200), 6);
    const refused = answers.find(({ status }) => status === 429);
    assert.match(refused.json.error.message, /6 calls under way/);
    fake.answer = posts;
    assert.equal((await find(porteiro, others[2])).status, 200); // and they were given back
  });

  test('all tokens of a person together', async () => {
    const answers = [];
    for (let i = 0; i < 12; i++) for (const other of [token, others[3], others[4]]) answers.push(await find(porteiro, other));
    const refused = answers.find(({ json }) => /All tokens of this person/.test(json?.error?.message));
    assert.ok(refused, 'nobody was refused for the person\'s limit');
    assert.equal(refused.status, 429);
  });
});

describe('limits of sites', () => {
  let porteiro, fake, good, token, goodToken;
  before(async () => {
    porteiro = await serve({ PORTEIRO_MAX_UPSTREAM_PER_SITE: '4', PORTEIRO_MAX_UPSTREAM_QUEUED: '20', PORTEIRO_BREAKER_PAUSE_S: '2' });
    [fake, good] = await Promise.all([startFakeSite(fixtures.sites.new), startFakeSite(fixtures.sites.new)]);
    ({ token } = await porteiro.addConnection(fake, { name: 'bad' }));
    ({ token: goodToken } = await porteiro.addConnection(good, { name: 'good' }));
    for (const one of [token, goodToken]) for (let i = 0; i < 4 * WORKERS; i++) await find(porteiro, one); // what is kept, is
    good.answer = posts;
  });
  after(() => Promise.all([fake?.stop(), good?.stop(), porteiro?.stop()]));

  const timed = async () => {
    const began = performance.now();
    const { json, text } = await find(porteiro, goodToken);
    assert.ok(json?.result && !json.result.isError, text);
    return performance.now() - began;
  };
  const times = async n => {
    const all = [];
    for (let i = 0; i < n; i++) all.push(await timed());
    return all;
  };
  const said = ({ json }) => json.result.content[0].text;

  test('places are shared by all workers, and all who wait get their turn', async () => {
    let now = 0, most = 0;
    fake.answer = async (request, response) => {
      most = Math.max(most, ++now);
      await sleep(30);
      now--;
      posts(request, response);
    };
    const answers = await Promise.all(Array.from({ length: 20 }, () => find(porteiro, token)));
    assert.equal(most, 4);
    assert.ok(answers.every(({ json }) => json.result && !json.result.isError));
  });

  test('a site that hangs takes its own places, no others', async () => {
    const before = await times(40);
    const held = [];
    fake.answer = (request, response) => held.push(response);
    const waiting = Array.from({ length: 40 }, () => find(porteiro, token));
    await waitFor('the places to be taken', () => held.length === 4);
    const refused = await Promise.race(waiting);
    assert.match(said(refused), /wait already.*Nothing was sent/);
    const during = await times(40);
    assert.ok(median(during) < 2 * median(before) + 10, `median ${median(before).toFixed(1)} ms before, ${median(during).toFixed(1)} ms while the other hangs`);
    assert.ok(Math.max(...during) < 1000);
    assert.equal(held.length, 4);
    fake.answer = posts;
    for (const response of held) posts(null, response);
    const answers = await Promise.all(waiting);
    assert.ok(count(answers, ({ json }) => !json.result.isError) >= 24, 'those who waited are served');
  });

  test('a site that fails again and again is left alone by all workers, tried once, and taken back', async () => {
    fake.hangUp();
    fake.answer = reset;
    const failed = [];
    for (let i = 0; i < 8; i++) failed.push(await find(porteiro, token));
    const asked = fake.requests.length;
    const began = performance.now();
    const refused = await Promise.all(Array.from({ length: 12 }, () => find(porteiro, token)));
    assert.ok(performance.now() - began < 1000);
    assert.equal(fake.requests.length, asked, 'no request reached it');
    for (const answer of refused) assert.match(said(answer), /127\.0\.0\.1:\d+ failed again and again.*Nothing was sent\. Try again in [12] seconds?/);
    await timed(); // its owner's other site
    await sleep(2100);
    await Promise.all(Array.from({ length: 12 }, () => find(porteiro, token)));
    assert.ok(fake.requests.length - asked <= 2, `${fake.requests.length - asked} requests tried it`); // a GET is asked twice
    fake.answer = posts;
    await sleep(2100);
    const [trial] = await Promise.all([find(porteiro, token)]);
    assert.ok(!trial.json.result.isError, said(trial));
    const again = await Promise.all(Array.from({ length: 12 }, () => find(porteiro, token)));
    assert.ok(again.every(({ json }) => !json.result.isError));
  });

  test('places of a worker that dies come back', async () => {
    const held = [];
    fake.answer = (request, response) => held.push(response);
    const lost = Array.from({ length: 12 }, () => find(porteiro, token).catch(() => null));
    await waitFor('the places to be taken', () => held.length === 4);
    const old = workersOf(porteiro);
    for (const pid of Object.values(old)) process.kill(pid, 'SIGKILL');
    await Promise.all(lost);
    await waitFor('new workers', () => Object.values(workersOf(porteiro)).filter(pid => !Object.values(old).includes(pid)).length === WORKERS);
    fake.answer = hang;
    const now = fake.requests.length;
    const calls = Array.from({ length: 8 }, () => find(porteiro, token).catch(() => null));
    await waitFor('all places to be taken again', () => fake.requests.length - now === 4);
    await sleep(200);
    assert.equal(fake.requests.length - now, 4);
    fake.answer = posts;
    await fake.stop();
    fake = null;
    await Promise.all(calls);
  });
});
