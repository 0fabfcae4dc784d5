// Two nodes of two workers on one PostgreSQL: whichever process a client's answer, cancellation or second round reaches, it
// arrives at the call it belongs to. Sessions of 2025-11-25, and the questions of 2026-07-28 that need none.
import assert from 'node:assert/strict';
import http from 'node:http';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fixtures } from '../integration/lib/fixtures.mjs';
import { LEGACY, MODERN, envelope } from '../integration/lib/mcp.mjs';
import { ROOT, sleep, waitFor } from '../integration/lib/process.mjs';

process.env.PORTEIRO_BIN = process.env.PORTEIRO_CONFORMANCE_BIN ?? path.join(ROOT, 'build/conformance/porteiro');
const { countWorkers, logOf, startWith } = await import('./help.mjs');

const BATCHES = '2025-03-26';
const ROUNDS = 24; // each meets one of four workers, twice: what is left of chance is 2^-24

let nodes, token;
before(async () => {
  const one = await startWith(['workers = 2'], { database: fixtures.postgres.port, connection: false });
  nodes = [one];
  await one.addUser();
  ({ token } = await one.json(['connection', 'add', '--user', 'ana@example.test', '--provider', 'conformance', '--name', 'suite']));
  nodes.push(await startWith(['workers = 2'], {
    database: fixtures.postgres.port, connection: false,
    env: { DATABASE_URL: one.database.url, PORTEIRO_SECRET_KEY_FILE: `${one.dir}/master.key` },
  }));
  for (const node of nodes) await waitFor('two workers', () => countWorkers(node) === 2);
});
after(async () => {
  for (const { reason } of await Promise.allSettled((nodes ?? []).map(node => node.stop()))) if (reason) throw reason;
});

// One POST on a connection of its own: {begun, ended: Promises, status, headers, events, close()}.
function send(node, message, headers = {}) {
  const one = { events: [], waiting: [] };
  one.ended = new Promise((resolve, reject) => {
    const request = http.request({
      host: '127.0.0.1', port: nodes[node].port, method: 'POST', path: '/mcp', agent: new http.Agent(),
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json', Accept: 'application/json, text/event-stream', ...headers },
    }, response => {
      Object.assign(one, { status: response.statusCode, headers: response.headers });
      let text = '';
      response.setEncoding('utf8').on('data', chunk => {
        text += chunk;
        for (let end; (end = text.indexOf('\n\n')) >= 0; text = text.slice(end + 2)) {
          const data = /^data: (.*)$/m.exec(text.slice(0, end));
          if (data) one.events.push(JSON.parse(data[1]));
        }
      });
      response.on('close', () => {
        if (text.trim()) one.events.push(JSON.parse(text));
        resolve(one);
      });
    });
    request.on('error', reject);
    request.end(JSON.stringify(message));
    one.close = () => request.destroy();
  });
  one.ended.catch(() => {});
  return one;
}

const legacyHeaders = session => ({ 'MCP-Protocol-Version': LEGACY, ...(session && { 'Mcp-Session-Id': session }) });

async function openSession(node, version = LEGACY) {
  const { headers } = await send(node, {
    jsonrpc: '2.0', id: 0, method: 'initialize',
    params: { protocolVersion: version, capabilities: { elicitation: {}, sampling: {} }, clientInfo: { name: 'x', version: '1' } },
  }).ended;
  return headers['mcp-session-id'];
}

// A call that asks, at one node: when the question is there.
async function asking(node, session, id) {
  const call = send(node, { jsonrpc: '2.0', id, method: 'tools/call', params: { name: 'test_elicitation', arguments: { message: 'Who?' } } }, legacyHeaders(session));
  await waitFor('the question', () => call.events.length, 10_000, 5);
  assert.equal(call.events[0].method, 'elicitation/create');
  return call;
}
const answer = (node, session, question, content) =>
  send(node, { jsonrpc: '2.0', id: question.id, result: { action: 'accept', content } }, legacyHeaders(session)).ended;
const textOf = call => call.events.at(-1).result.content[0].text;
const within = (what, promise, ms = 5000) => Promise.race([promise, sleep(ms).then(() => { throw new Error(`${what}: nothing within ${ms} ms`); })]);

test('the very first listener of a node hears what changes at another, right after its acknowledgement', async () => {
  // The line over which that comes is made for it; the acknowledgement waits until it is there.
  const stream = send(1, {
    jsonrpc: '2.0', id: 1, method: 'subscriptions/listen', params: { notifications: { toolsListChanged: true }, _meta: envelope() },
  }, { 'MCP-Protocol-Version': MODERN, 'Mcp-Method': 'subscriptions/listen' });
  await waitFor('the acknowledgement', () => stream.events.length === 1, 5000, 1);
  const changed = send(0, {
    jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'test_trigger_tool_change', _meta: envelope() },
  }, { 'MCP-Protocol-Version': MODERN, 'Mcp-Method': 'tools/call', 'Mcp-Name': 'test_trigger_tool_change' });
  assert.equal((await changed.ended).status, 200);
  await waitFor('the notification', () => stream.events.length === 2, 1000, 5);
  assert.equal(stream.events[1].method, 'notifications/tools/list_changed');
  stream.close();
});

test('the very first question, answered at once at a node that never asked one', async () => {
  // Sessions are known everywhere at once; the line over which the answer comes may not be there yet.
  const session = await openSession(1);
  const call = await asking(0, session, 1);
  assert.equal((await answer(1, session, call.events[0], { username: 'first', email: 'a@b.test' })).status, 202);
  await within('the answer', call.ended);
  assert.match(textOf(call), /first/);
});

describe('sessions of 2025-11-25', () => {
  for (const [where, other] of [['the same node', 0], ['another node', 1]]) {
    test(`answers that reach ${where} arrive at the call that asked; ids are the same in two sessions`, async () => {
      const sessions = [await openSession(0), await openSession(other)];
      const calls = await Promise.all(sessions.flatMap((session, s) => Array.from({ length: ROUNDS }, (_, id) => asking(id % 2, session, id).then(call => ({ call, session, id, who: `s${s}-${id}` })))));
      const questions = new Set(calls.map(({ call }) => call.events[0].id));
      assert.equal(questions.size, calls.length, 'each question has an id of its own');
      // The last asked is answered first, and the answers of the other session are no answers here.
      for (const { call } of calls.slice(0, 4)) assert.equal((await answer(other, sessions[1], call.events[0], { username: 'stranger', email: 'x' })).status, 202);
      for (const { call, session, id, who } of calls.toReversed()) {
        const { status } = await answer((id % 2) ^ other, session, call.events[0], { username: who, email: 'a@b.test' });
        assert.equal(status, 202);
      }
      for (const { call, id, who } of calls) {
        await within(who, call.ended);
        assert.equal(call.events.at(-1).id, id);
        assert.ok(textOf(call).includes(`"${who}"`), textOf(call));
      }
    });

    test(`notifications/cancelled at ${where} ends that call, and not the one with the same id in another session`, async () => {
      const mine = await openSession(0), others = await openSession(0);
      for (let i = 0; i < ROUNDS; i += 4) {
        const calls = await Promise.all(Array.from({ length: 4 }, (_, n) => asking(0, mine, `c${i + n}`)));
        const bystander = await asking(0, others, `c${i}`);
        for (let n = 0; n < 4; n++) {
          const { status } = await send(other, { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: `c${i + n}`, reason: 'enough' } }, legacyHeaders(mine)).ended;
          assert.equal(status, 202);
        }
        for (const call of calls) await within('the end of a cancelled call', call.ended);
        assert.equal((await answer(other, others, bystander.events[0], { username: 'still here', email: 'a@b.test' })).status, 202);
        await within('the other session', bystander.ended);
        assert.match(textOf(bystander), /still here/);
      }
    });
  }

  test('an answer that is too large to be carried on is an error at once', async () => {
    const session = await openSession(0), call = await asking(0, session, 1);
    assert.equal((await answer(0, session, call.events[0], { username: 'x'.repeat(1024 * 1024), email: 'a@b.test' })).status, 202);
    await within('the end', call.ended);
    assert.match(textOf(call), /The client did not answer the question: it is too large/);
  });

  test('notifications/cancelled of one request of a batch ends that one, and not those behind it', async () => {
    const session = await openSession(0, BATCHES), headers = { 'MCP-Protocol-Version': BATCHES, 'Mcp-Session-Id': session };
    const tool = (id, name, args = {}) => ({ jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: args } });
    const slow = id => tool(id, 'slow_compute', { seconds: 4, label: `of the batch: ${id}` });
    for (const other of [0, 1]) {
      const batch = send(0, [tool(1, 'test_simple_text'), slow(2), tool(3, 'test_simple_text'), { jsonrpc: '2.0', id: 4, method: 'ping' }], headers);
      await sleep(500); // the second is under way
      const began = performance.now();
      assert.equal((await send(other, { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 2 } }, headers).ended).status, 202);
      await within('the batch', batch.ended);
      assert.ok(performance.now() - began < 2000, 'the second was not waited for');
      assert.deepEqual(batch.events[0].map(({ id, result }) => [id, Boolean(result) && !result.isError]), [[1, true], [3, true], [4, true]]);
    }
    const alone = send(0, [slow(5)], headers);
    await sleep(500);
    await send(0, { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 5 } }, headers).ended;
    await within('the batch of one', alone.ended, 2000);
    assert.deepEqual([alone.status, alone.events], [202, []]);
  });

  test('a session ended at one node is unknown at the other', async () => {
    const session = await openSession(0);
    const ping = node => send(node, { jsonrpc: '2.0', id: 1, method: 'ping' }, legacyHeaders(session)).ended.then(({ status }) => status);
    assert.deepEqual([await ping(0), await ping(1)], [200, 200]);
    const ended = await fetch(nodes[0].url, { method: 'DELETE', headers: { Authorization: `Bearer ${token}`, 'Mcp-Session-Id': session } });
    assert.equal(ended.status, 204);
    await waitFor('404 at both', async () => {
      for (let i = 0; i < 8; i++) if (await ping(i % 2) !== 404) return false;
      return true;
    }, 2000);
  });

  for (const [where, other] of [['the same node', 0], ['another node', 1]]) {
    test(`long answers (100 KB, 700 KB) that reach ${where} arrive`, async () => {
      const session = await openSession(0);
      await Promise.all(Array.from({ length: 6 }, async (_, i) => {
        const username = `${i}${'é€'.repeat(i ? 20_000 : 140_000)}`;
        const call = await asking(0, session, `long ${i}`);
        assert.equal((await answer(other, session, call.events[0], { username, email: 'a@b.test' })).status, 202);
        await within(`long answer ${i}`, call.ended);
        assert.ok(textOf(call).includes(username), textOf(call).slice(0, 100));
      }));
    });
  }
});

describe('questions of 2026-07-28: any process takes the next round', () => {
  const call = (node, id, params) => send(node, {
    jsonrpc: '2.0', id, method: 'tools/call',
    params: { ...params, _meta: envelope({ 'io.modelcontextprotocol/clientCapabilities': { elicitation: {}, sampling: {}, roots: {} } }) },
  }, { 'MCP-Protocol-Version': MODERN, 'Mcp-Method': 'tools/call', 'Mcp-Name': params.name }).ended;

  test('an answer at another node completes the call', async () => {
    const name = 'test_input_required_result_elicitation';
    await Promise.all(Array.from({ length: ROUNDS }, async (_, i) => {
      const { events: [{ result: asked }] } = await call(i % 2, 'same', { name, arguments: {} });
      assert.equal(asked.resultType, 'input_required');
      const { events: [{ id, result }] } = await call((i + 1) % 2, 'same', {
        name, arguments: {}, requestState: asked.requestState, inputResponses: { user_name: { action: 'accept', content: { name: `Ana ${i}` } } },
      });
      assert.deepEqual([id, result.resultType, result.content[0].text], ['same', 'complete', `Hello, Ana ${i}!`]);
    }));
  });

  test('several rounds, each at another node', async () => {
    const name = 'test_input_required_result_multi_round';
    for (let i = 0; i < ROUNDS / 4; i++) {
      let node = i, { events: [{ result }] } = await call(node % 2, 1, { name, arguments: {} });
      for (let round = 0; result.resultType === 'input_required' && round < 5; round++) {
        const inputResponses = Object.fromEntries(Object.entries(result.inputRequests).map(([key, { params }]) =>
          [key, { action: 'accept', content: Object.fromEntries(Object.keys(params.requestedSchema?.properties ?? {}).map(property => [property, `r${round}`])) }]));
        const before = result.requestState;
        ({ events: [{ result }] } = await call(++node % 2, round, { name, arguments: {}, requestState: before, inputResponses }));
        assert.notEqual(result.requestState, before);
      }
      assert.equal(result.resultType, 'complete', JSON.stringify(result));
    }
  });
});

test('all four workers took part', () => {
  for (const node of nodes) {
    const served = new Set([...logOf(node).matchAll(/info: (worker \d): POST/g)].map(([, worker]) => worker));
    assert.deepEqual([...served].sort(), ['worker 1', 'worker 2']);
  }
});

// The last: it ends a node.
test('a question that waits for a person does not hold up the end of its server', async () => {
  const call = await asking(1, await openSession(1), 9);
  const since = performance.now();
  await nodes[1].stop();
  assert.ok(performance.now() - since < 10_000, 'it took as long as requests may take to end');
  await within('the end of the call', call.ended);
  assert.match(JSON.stringify(call.events.at(-1)), /being restarted/);
});
