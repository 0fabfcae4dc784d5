// None is sent twice, and none is called sent that was not: sends through two nodes on one PostgreSQL, to both services, while answers
// are lost and the nodes' workers are killed. Judged by what the services have. More of it by
//   PORTEIRO_TEST_SENDS (240), PORTEIRO_TEST_KILLS (8): 10,000 and 100 in ./dev soak.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startCloud } from '../fakes/cloud.mjs';
import { startEvolution } from '../fakes/evolution.mjs';
import { countWorkers, startWith, workersOf } from '../workers/help.mjs';
import { fixtures } from './lib/fixtures.mjs';
import { query } from './lib/postgres.mjs';
import { mustRun, sleep, waitFor } from './lib/process.mjs';
import { addCloud, addEvolution, deliver, tool } from './lib/whatsapp.mjs';

const SENDS = Number(process.env.PORTEIRO_TEST_SENDS ?? 240), KILLS = Number(process.env.PORTEIRO_TEST_KILLS ?? 8);
const CLIENTS = 6, FAULTS = 0.05;
const FAST = { 'per-second': 1000, 'recipient-pause': 0, 'recipients-per-day': 0, 'per-token-a-day': 0 };
// So many that what each got is among the newest 50 of a conversation, where a lost message is looked for.
const PEOPLE = Array.from({ length: Math.max(12, Math.ceil(SENDS / 40)) }, (_, i) => `551198765${String(1000 + i)}`);

describe('sends through two nodes', { timeout: 120_000 + SENDS * 100 + KILLS * 3000 }, () => {
  let nodes = [], services = [];
  before(async () => {
    const [cloud, evolution] = await Promise.all([startCloud(), startEvolution()]);
    const unlimited = ['token_writes_per_minute = 0', 'token_calls_per_minute = 0', 'token_calls_at_once = 0', 'user_calls_per_minute = 0'];
    const settings = ['workers = 2', 'access_log = off', ...unlimited];
    const one = await startWith(settings, { database: fixtures.postgres.port, connection: false });
    nodes = [one];
    nodes.push(await startWith(settings, { database: fixtures.postgres.port, connection: false, env: { DATABASE_URL: one.database.url, PORTEIRO_SECRET_KEY_FILE: `${one.dir}/master.key` } }));
    await one.addUser();
    services = [
      { ...(await addCloud(one, cloud, { rules: FAST })), api: cloud, sign: body => ({ 'X-Hub-Signature-256': cloud.signature(JSON.stringify(body)) }), isSend: seen => /\/messages$/.test(seen.path) && seen.body?.text, textOf: sent => sent.body.text.body },
      { ...(await addEvolution(one, evolution, { rules: FAST })), api: evolution, isSend: seen => /\/sendText\//.test(seen.path), textOf: sent => sent.body.text },
    ];
    await one.json(['connection', 'state', String(services[1].id), '--register-webhook']);
    services[1].sign = () => ({ Authorization: evolution.bearer(evolution.state.webhook.headers.jwt_key) });
    for (const service of services) for (const person of PEOPLE) await hear(service, service.api.receive(person, 'Oi'));
  });
  after(async () => {
    await Promise.all(services.map(({ api }) => api.stop()));
    await Promise.all(nodes.map(node => node.stop()));
    assert.deepEqual(services.flatMap(({ api }) => api.violations), []);
  });

  const hear = async (service, body) => assert.equal((await deliver(nodes[0], service.id, body, { headers: service.sign(body) })).status, 200);
  const rows = text => query(nodes[0].database.url, text);
  const countOf = (service, text) => service.api.sent.filter(sent => service.textOf(sent) === text).length;

  // Once: what was said, as {sent: id}, {unknown: true} or {again: text}.
  async function ask(node, { service, to, text, key }) {
    let said;
    try {
      said = (await tool(node, service.token, 'wa_send', { to: [to], text, key })).text;
    } catch (error) {
      return { again: error.message }; // the worker died, or its node has none just now
    }
    const id = /: sent(?: before \(same key\))?, id=(\S+)/.exec(said)?.[1];
    if (id) return { sent: id };
    if (/: UNKNOWN whether it went out/.test(said)) return { unknown: true };
    assert.doesNotMatch(said, /: sent/);
    return { again: said };
  }
  // As a client would: with its key again while that is known to have sent nothing, at either node.
  async function insist(send, tries = 8) {
    for (let i = 0; i < tries; i++) {
      send.said = await ask(nodes[(send.number + i) % 2], send);
      if (!send.said.again || /under way right now/.test(send.said.again)) return;
      await sleep(100 * (i + 1));
    }
  }
  async function inParallel(items, work) {
    const left = [...items];
    await Promise.all(Array.from({ length: CLIENTS }, async () => {
      while (left.length) await work(left.shift());
    }));
  }

  test(`${SENDS} of them, ${FAULTS * 100}% with a fault, ${KILLS} kills`, async () => {
    const sends = Array.from({ length: SENDS }, (_, number) => ({ number, key: `key-${number}`, service: services[number % 2], to: PEOPLE[number % PEOPLE.length], text: `message ${number}.` }));
    const faults = ['reset', 'reset-after', 'no-id', { status: 500, body: '<h1>500</h1>' }, { status: 500, body: '<h1>500</h1>', after: true }, { status: 502, body: '' }];
    let asked = 0, faulty = 0, kills = 0;
    const kill = node => {
      for (const pid of Object.values(workersOf(node))) process.kill(pid, 'SIGKILL');
    };
    for (const { api, isSend } of services) {
      api.fault = seen => {
        if (!isSend(seen)) return null;
        asked++;
        if (kills < KILLS && asked >= ((kills + 0.5) * SENDS) / KILLS) {
          const phase = kills % 3, node = nodes[kills++ % 2]; // before it is done, when it is done, when it is answered
          if (phase === 2) setImmediate(kill, node);
          else kill(node);
          return [null, 'reset-after', null][phase];
        }
        if (Math.random() >= FAULTS) return null;
        return faults[faulty++ % faults.length];
      };
    }
    await inParallel(sends, send => insist(send));
    for (const { api } of services) api.fault = null;
    assert.equal(kills, KILLS);
    assert.ok(faulty > 0);
    for (const node of nodes) await waitFor('both workers', () => countWorkers(node) === 2);

    // Claims of those that were killed end by themselves, after a minute; here that minute is over at once.
    await mustRun('psql', ['-qX', '-v', 'ON_ERROR_STOP=1', nodes[0].database.url, '-c', "UPDATE mcp_whatsapp_sends SET until = until - interval '3 minutes' WHERE state IN ('waiting', 'sending')"]);
    await inParallel(sends.filter(({ said }) => said.again), send => insist(send));
    const open = sends.filter(({ said }) => said.again);
    assert.deepEqual(open.map(({ key, said }) => [key, said.again]), [], 'each is sent, or said to be unknown');
    const judge = () => {
      for (const { service, text, said } of sends) {
        const there = service.api.sent.filter(sent => service.textOf(sent) === text);
        assert.ok(there.length <= 1, `${text} went out ${there.length} times`);
        if (said.sent) assert.equal(there[0]?.id, said.sent, `${text} is called sent`);
      }
    };
    judge();
    const unknown = sends.filter(({ said }) => said.unknown);

    // Now the Cloud API's webhook hands our ids back: those of the unknown ones that went out are known, the others stay unknown.
    const lost = unknown.filter(({ service, text }) => service === services[0] && countOf(service, text) === 1);
    for (const { service, text, to } of lost) {
      const { id, opaque } = service.api.sent.find(sent => service.textOf(sent) === text);
      await hear(service, service.api.status(id, 'sent', to, { opaque }));
    }
    await inParallel(unknown, send => insist(send));
    judge();
    for (const { service, text, said } of unknown) assert.equal(Boolean(said.sent), countOf(service, text) === 1, text);
    const states = Object.fromEntries((await rows("SELECT state, COUNT(*)::int AS n FROM mcp_whatsapp_sends WHERE send_key LIKE '%/key-%' GROUP BY state")).map(({ state, n }) => [state, Number(n)]));
    const sent = sends.filter(({ said }) => said.sent).length;
    console.log(`${SENDS} sends, ${faulty} faults, ${kills} kills: ${sent} sent once, ${SENDS - sent} unknown, which did not go out; ${unknown.length} were unknown at first`);
    assert.equal(states.sent, sent, JSON.stringify(states));
    assert.ok(sent > SENDS * 0.8);
  });

  test('the same text twice is two messages: one that was lost is not taken for the other', async () => {
    const service = services[1];
    const first = { number: 0, service, to: PEOPLE[0], text: 'the same', key: 'twin-1' }, second = { ...first, number: 1, key: 'twin-2' };
    service.api.fault = seen => service.isSend(seen) && 'reset';
    await insist(first);
    assert.ok(first.said.unknown);
    service.api.fault = null;
    await insist(second);
    assert.ok(second.said.sent);
    assert.equal(countOf(service, 'the same'), 1);
    await insist(first);
    assert.ok(first.said.unknown, 'it never went out');
    // Both lost, one of them done: one is recognised, once, though both are asked for at the same time, again and again.
    const twins = [3, 4].map(number => ({ ...first, number, text: 'lost', key: `twin-${number}` }));
    for (const [i, fault] of ['reset', 'reset-after'].entries()) {
      service.api.fault = seen => service.isSend(seen) && fault;
      await ask(nodes[i], twins[i]);
    }
    service.api.fault = null;
    await Promise.all([0, 1, 0, 1].flatMap(node => twins.map(async twin => assert.ok(!(await ask(nodes[node], twin)).again))));
    await Promise.all(twins.map(twin => insist(twin)));
    assert.equal(twins.filter(({ said }) => said.sent).length, 1);
  });

  // Four workers, and all ask at once: what the service saw is what counts. The number's own rule is 80 a second, one recipient 6 s.
  test('80 a second of a number, one in 6 s for a recipient, over two workers of two nodes', { timeout: 120_000 }, async () => {
    const one = nodes[0], cloud = services[0].api, people = Array.from({ length: 160 }, (_, i) => `551197654${String(1000 + i)}`);
    const fast = { ...services[0], ...(await addCloud(one, cloud, { rules: { 'recipients-per-day': 0, 'per-token-a-day': 0 } })) };
    for (let i = 0; i < people.length; i += 20) await Promise.all(people.slice(i, i + 20).map(person => hear(fast, cloud.receive(person, 'Oi'))));
    // Beside them one whose first message the service gets to see late: the second waits for its answer, at the other node, too.
    const late = '5511976540001', slow = [1, 2].map(number => ({ number, service: fast, to: late, text: `slow ${number}`, key: `slow-${number}` }));
    await hear(fast, cloud.receive(late, 'Oi'));
    cloud.delay = seen => (seen.body?.text?.body === 'slow 1' ? 3000 : 0);
    const before_ = cloud.sent.length;
    const twice = people.slice(0, 4); // the first four get two each
    const wanted = [...people, ...twice].map((to, number) => ({ number, service: fast, to, text: `pace ${number}`, key: `pace-${number}` }));
    await Promise.all([...wanted.map(async (send, i) => (await sleep(i < people.length ? 0 : 100), insist(send))), ...slow.map(async (send, i) => (await sleep(i * 500), insist(send)))]);
    cloud.delay = null;
    const gone = cloud.sent.slice(before_).filter(({ to }) => to !== late), at = gone.map(sent => sent.at).sort((a, b) => a - b);
    assert.deepEqual([...wanted, ...slow].filter(({ said }) => !said.sent).map(({ said }) => said), []);
    assert.equal(gone.length, wanted.length);
    // In any second by our clock, right before the first byte: 80, and what came to its place up to 50 ms late (LATE_MS of sending.c).
    const began = (await rows("SELECT started_at FROM mcp_whatsapp_sends WHERE send_key LIKE '%/pace-%' ORDER BY started_at")).map(row => new Date(row.started_at).getTime());
    const busiest = times => Math.max(...times.map((from, i) => times.slice(i).filter(time => time - from < 1000).length));
    const most = busiest(began);
    const gaps = [...twice, late].map(person => cloud.sent.slice(before_).filter(({ to }) => to === person).map(sent => sent.at)).map(([first, second]) => second - first);
    const length = began[people.length - 1] - began[0];
    console.log(`pace: ${gone.length} sends, at most ${most} in a second (as the service saw them ${busiest(at)}); the first ${people.length} took ${length} ms; gaps of a recipient ${gaps.join(', ')} ms`);
    assert.ok(most <= 90, `${most} in a second`);
    assert.ok(length >= 1900, `${people.length} in ${length} ms`);
    // Counted from the first one's answer, so the service sees the whole pause; clocks that count whole milliseconds may differ by two.
    assert.ok(gaps.every(gap => gap >= 5998), gaps.join(', '));
  });

  test('caps hold over both nodes, with all at once', async () => {
    const one = nodes[0], cloud = services[0].api;
    for (const [rules, count, recipients] of [[{ 'per-token-a-day': 10 }, 10, 12], [{ 'recipients-per-day': 4 }, 4, 4]]) {
      const connection = await addCloud(one, cloud, { rules: { ...FAST, ...rules } });
      const service = { ...services[0], ...connection };
      for (const person of PEOPLE.slice(0, 12)) await hear(service, cloud.receive(person, 'Oi'));
      const before_ = cloud.sent.length;
      const said = await Promise.all(Array.from({ length: 36 }, async (_, i) => {
        for (;;) { // a machine that is too busy for the pace says so, and what was claimed is given back
          const answer = await ask(nodes[i % 2], { service, to: PEOPLE[i % 12], text: `cap ${i}`, key: `cap-${i}` });
          if (!/too busy to keep/.test(answer.again)) return answer;
        }
      }));
      const gone = cloud.sent.slice(before_);
      assert.equal(said.filter(({ sent }) => sent).length, gone.length);
      assert.ok(new Set(gone.map(({ to }) => to)).size <= recipients);
      if (rules['per-token-a-day']) assert.equal(gone.length, count, JSON.stringify(said.map(({ again }) => again).filter(Boolean).slice(0, 3)));
      else assert.equal(new Set(gone.map(({ to }) => to)).size, count);
    }
  });
});
