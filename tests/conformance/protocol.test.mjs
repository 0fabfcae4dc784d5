// What the protocol can do beyond list and call, with the official clients and by hand, against the conformance provider:
// progress, cancellation, listening, questions in both eras, sessions, states that are not what they were. And the official
// suites themselves, and that a release holds nothing of all this.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ROOT, run, temporaryDirectory, waitFor } from '../integration/lib/process.mjs';
import {
  Client1, Client2, ElicitRequestSchema, LEGACY, MODERN, Transport1, Transport2, envelope, legacy, modern, post, request,
} from '../integration/lib/mcp.mjs';

process.env.PORTEIRO_BIN = process.env.PORTEIRO_CONFORMANCE_BIN ?? path.join(ROOT, 'build/conformance/porteiro');
const { serveFixtures } = await import('./fixtures.mjs');

const ME = { name: 'porteiro-tests', version: '1' };
const ASKABLE = { 'io.modelcontextprotocol/clientCapabilities': { elicitation: {}, sampling: {}, roots: {} } };

let porteiro, token;
before(async () => ({ porteiro, token } = await serveFixtures()));
after(() => porteiro?.stop());

const headers = () => ({ requestInit: { headers: { Authorization: `Bearer ${token}` } } });
const call = (name, params = {}) => modern(porteiro.url, token, 'tools/call', { name, ...params });
const answerForm = async ({ params }) => ({ action: 'accept', content: Object.fromEntries(Object.keys(params.requestedSchema.properties).map(key => [key, 'Alice'])) });

async function client2(mode, capabilities = {}) {
  const client = new Client2(ME, { capabilities, versionNegotiation: { mode } });
  if (capabilities.elicitation) client.setRequestHandler('elicitation/create', answerForm);
  await client.connect(new Transport2(new URL(porteiro.url), headers()));
  return client;
}

async function client1(capabilities = {}) {
  const client = new Client1(ME, { capabilities });
  if (capabilities.elicitation) client.setRequestHandler(ElicitRequestSchema, answerForm);
  const transport = new Transport1(new URL(porteiro.url), headers());
  await client.connect(transport);
  return { client, transport };
}

// A modern request as it comes over the wire: {status, type, events: [], ended, close()}.
function stream(method, params = {}, meta = {}) {
  const body = JSON.stringify(request(method, { ...params, _meta: { ...envelope(), ...meta } }));
  const state = { events: [], comments: 0, ended: false, id: JSON.parse(body).id };
  const req = http.request(porteiro.url, {
    method: 'POST',
    agent: false,
    headers: {
      'Content-Type': 'application/json', Accept: 'application/json, text/event-stream', Authorization: `Bearer ${token}`,
      'MCP-Protocol-Version': MODERN, 'Mcp-Method': method, ...(params.name && { 'Mcp-Name': params.name }), ...state.headers,
    },
  });
  req.on('response', res => {
    Object.assign(state, { status: res.statusCode, type: res.headers['content-type'] });
    let rest = '';
    res.setEncoding('utf8').on('data', chunk => {
      rest += chunk;
      for (let at; (at = rest.indexOf('\n\n')) >= 0; rest = rest.slice(at + 2)) {
        const data = /^data: (.*)$/m.exec(rest.slice(0, at));
        if (data) state.events.push(JSON.parse(data[1]));
        else state.comments++;
      }
    });
    res.on('end', () => { state.ended = true; }).on('error', () => {});
  });
  req.on('error', () => {});
  req.end(body);
  state.close = () => req.destroy();
  return state;
}

describe('progress and log', () => {
  for (const [name, connect] of [
    ['client 2.x, modern', () => client2({ pin: MODERN })],
    ['client 2.x, legacy', () => client2('legacy')],
    ['sdk 1.x', async () => (await client1()).client],
  ]) {
    test(`progress, ${name}`, async () => {
      const client = await connect();
      const seen = [];
      const onprogress = ({ progress, total }) => seen.push([progress, total]);
      const params = { name: 'test_tool_with_progress', arguments: {} };
      if (client instanceof Client1) await client.callTool(params, undefined, { onprogress });
      else await client.callTool(params, { onprogress });
      assert.deepEqual(seen, [[0, 100], [50, 100], [100, 100]]);
      await client.close();
    });
  }

  test('nothing is sent ahead unless it was asked for', async () => {
    for (const name of ['test_tool_with_progress', 'test_logging_tool']) {
      const { headers: got, json } = await call(name);
      assert.match(got.get('content-type'), /^application\/json/);
      assert.equal(json.result.resultType, 'complete');
    }
  });

  test('log lines have a level, and one too low is not sent', async () => {
    const of = async level => {
      const one = stream('tools/call', { name: 'test_logging_tool', arguments: {} }, { 'io.modelcontextprotocol/logLevel': level });
      await waitFor('the answer', () => one.status && (one.ended || one.type.startsWith('application/json')));
      return one.events.filter(event => event.method === 'notifications/message').length;
    };
    assert.equal(await of('debug'), 3);
    assert.equal(await of('info'), 3);
    assert.equal(await of('error'), 0);
    const { json } = await modern(porteiro.url, token, 'tools/call', { name: 'test_logging_tool', _meta: { 'io.modelcontextprotocol/logLevel': 'loud' } });
    assert.equal(json.error.code, -32602);
  });
});

describe('listening', () => {
  test('client 2.x hears of a change', async () => {
    const client = await client2({ pin: MODERN });
    let heard = 0;
    client.setNotificationHandler('notifications/tools/list_changed', () => { heard++; });
    const subscription = await client.listen({ toolsListChanged: true });
    assert.deepEqual(subscription.honoredFilter, { toolsListChanged: true });
    await client.callTool({ name: 'test_trigger_tool_change', arguments: {} });
    await waitFor('the notification', () => heard === 1, 2000);
    await subscription.close();
    await client.close();
  });

  test('acknowledged first, only what was asked for, once, and only of what was subscribed', async () => {
    const often = Array(100).fill('test://watched-resource');
    const one = stream('subscriptions/listen', { notifications: { promptsListChanged: true, resourceSubscriptions: often } });
    const other = stream('subscriptions/listen', { notifications: { resourceSubscriptions: ['test://static-text'] } });
    await waitFor('both', () => one.events.length && other.events.length);
    assert.equal(one.events[0].method, 'notifications/subscriptions/acknowledged');
    assert.deepEqual(one.events[0].params.notifications, { promptsListChanged: true, resourceSubscriptions: ['test://watched-resource'] });
    for (const name of ['test_trigger_tool_change', 'test_trigger_prompt_change', 'test_trigger_resource_update']) await call(name);
    await waitFor('both changes', () => one.events.length === 3);
    await sleep(50);
    assert.deepEqual(one.events.slice(1).map(event => event.method).sort(), ['notifications/prompts/list_changed', 'notifications/resources/updated']);
    assert.equal(one.events.find(event => event.params.uri).params.uri, 'test://watched-resource');
    for (const event of one.events) assert.equal(event.params._meta['io.modelcontextprotocol/subscriptionId'], one.id);
    assert.equal(other.events.length, 1);
    one.close();
    other.close();
  });

  test('a revoked token ends its stream, gracefully, within two seconds', async () => {
    const [connection] = (await porteiro.json(['connection', 'list'])).items;
    const made = await porteiro.addToken(connection.id, '--name', 'short-lived');
    const kept = token;
    token = made.token;
    const one = stream('subscriptions/listen', { notifications: { toolsListChanged: true } });
    token = kept;
    const other = stream('subscriptions/listen', { notifications: { toolsListChanged: true } });
    await waitFor('both', () => one.events.length && other.events.length);
    await porteiro.json(['token', 'revoke', String(made.id)]);
    const begun = Date.now();
    await waitFor('the end', () => one.ended, 5000);
    assert.ok(Date.now() - begun < 2000, `${Date.now() - begun} ms`);
    assert.equal(one.events.at(-1).result.resultType, 'complete');
    assert.equal(other.ended, false, 'another token listens on');
    other.close();
  });

  test('a hundred that are cut at once leave nothing behind', async () => {
    const many = Array.from({ length: 100 }, () => stream('subscriptions/listen', { notifications: { toolsListChanged: true } }));
    await waitFor('all', () => many.every(one => one.events.length === 1));
    await call('test_trigger_tool_change');
    await waitFor('all to hear it', () => many.every(one => one.events.length === 2));
    for (const one of many) one.close();
    assert.equal((await call('test_simple_text')).status, 200);
  });
});

describe('questions', () => {
  for (const [name, connect] of [
    ['client 2.x, modern', () => client2({ pin: MODERN }, { elicitation: {} })],
    ['client 2.x, legacy', () => client2('legacy', { elicitation: {} })],
    ['sdk 1.x', async () => (await client1({ elicitation: {} })).client],
  ]) {
    test(`answered by ${name}`, async () => {
      const client = await connect();
      const { content } = await client.callTool({ name: 'test_input_required_result_elicitation', arguments: {} });
      assert.equal(content[0].text, 'Hello, Alice!');
      await client.close();
    });
  }

  test('a legacy client that cannot be asked is told so at once', async () => {
    const begun = Date.now();
    const { json } = await legacy(porteiro.url, token, 'tools/call', { name: 'test_elicitation', arguments: { message: 'x' } });
    assert.equal(json.result.isError, true);
    assert.ok(Date.now() - begun < 1000);
  });

  test('a modern client that cannot be asked gets -32021', async () => {
    const { status, json } = await call('test_missing_capability');
    assert.equal(status, 400);
    assert.equal(json.error.code, -32021);
    assert.deepEqual(json.error.data, { requiredCapabilities: { sampling: {} } });
  });

  test('a state altered, of another tool, of other arguments or of another token is refused', async () => {
    const first = (await call('test_input_required_result_request_state', { _meta: ASKABLE })).json.result;
    assert.equal(first.resultType, 'input_required');
    const answers = { inputResponses: { confirm: { action: 'accept', content: { ok: true } } }, _meta: ASKABLE };
    const good = { ...answers, requestState: first.requestState };
    const refused = async (name, params, as = token) => {
      const { status, json } = await modern(porteiro.url, as, 'tools/call', { name, ...params });
      assert.deepEqual([status, json.error?.code], [200, -32602], JSON.stringify(json));
    };
    await refused('test_input_required_result_request_state', { ...good, requestState: `${first.requestState}x` });
    await refused('test_input_required_result_request_state', { ...good, requestState: 7 });
    await refused('test_input_required_result_request_state', { ...good, arguments: { other: 1 } });
    await refused('test_input_required_result_tampered_state', good);
    const [connection] = (await porteiro.json(['connection', 'list'])).items;
    await refused('test_input_required_result_request_state', good, (await porteiro.addToken(connection.id)).token);
    const { json } = await call('test_input_required_result_request_state', good);
    assert.match(json.result.content[0].text, /^state-ok/);
  });
});

describe('sessions', () => {
  const initialize = capabilities => post(porteiro.url, token, request('initialize', { protocolVersion: LEGACY, capabilities, clientInfo: ME }));

  test('only for clients that can be asked', async () => {
    assert.equal((await initialize({})).headers.get('mcp-session-id'), null);
    assert.equal((await initialize({ roots: {} })).headers.get('mcp-session-id'), null);
    assert.match((await initialize({ elicitation: {} })).headers.get('mcp-session-id'), /^[\w-]{67}$/);
  });

  test('one that ended, was altered or belongs to another token is 404', async () => {
    const id = (await initialize({ elicitation: {} })).headers.get('mcp-session-id');
    const ping = (session, as = token) => legacy(porteiro.url, as, 'ping', undefined, { 'Mcp-Session-Id': session }).then(answer => answer.status);
    assert.equal(await ping(id), 200);
    assert.equal(await ping(`${id.slice(0, 10)}${id[10] === 'A' ? 'B' : 'A'}${id.slice(11)}`), 404);
    const [connection] = (await porteiro.json(['connection', 'list'])).items;
    assert.equal(await ping(id, (await porteiro.addToken(connection.id)).token), 404);
    const ended = await fetch(porteiro.url, { method: 'DELETE', headers: { Authorization: `Bearer ${token}`, 'Mcp-Session-Id': id } });
    assert.equal(ended.status, 204);
    assert.equal(await ping(id), 404);
  });

  test('sdk 1.x: cancelling ends the work, and the session goes on', async () => {
    const { client, transport } = await client1({ elicitation: {} });
    client.setRequestHandler(ElicitRequestSchema, () => new Promise(() => {})); // nobody answers
    const controller = new AbortController();
    const answer = client.callTool({ name: 'test_elicitation', arguments: { message: 'x' } }, undefined, { signal: controller.signal });
    await sleep(200);
    controller.abort('enough');
    await assert.rejects(answer);
    assert.equal((await client.callTool({ name: 'test_simple_text', arguments: {} })).isError ?? false, false);
    await transport.terminateSession();
    await client.close();
  });

  test('an answer to a question that was never asked is taken and forgotten', async () => {
    const id = (await initialize({ elicitation: {} })).headers.get('mcp-session-id');
    const { status } = await post(porteiro.url, token, { jsonrpc: '2.0', id: 4711, result: { action: 'accept' } }, { 'Mcp-Session-Id': id, 'MCP-Protocol-Version': LEGACY });
    assert.equal(status, 202);
  });
});

describe('cancelling', () => {
  test('closing the connection of 2026-07-28 stops the work', async () => {
    const one = stream('tools/call', { name: 'test_tool_with_progress', arguments: {} }, { progressToken: 'p' });
    await waitFor('the first progress', () => one.events.length >= 1);
    one.close();
    await waitFor('the record', () => porteiro.json(['audit', 'list', '--limit', '20']).then(({ items }) =>
      items.some(item => item.action === 'tool.test_tool_with_progress' && item.data.outcome === 'cancelled')), 5000);
  });
});

test('resources: not found is -32602 now and was -32002 before, with the URI', async () => {
  const now = await modern(porteiro.url, token, 'resources/read', { uri: 'test://nope' });
  assert.deepEqual([now.status, now.json.error.code, now.json.error.data], [200, -32602, { uri: 'test://nope' }]);
  const then = await legacy(porteiro.url, token, 'resources/read', { uri: 'test://nope' });
  assert.deepEqual([then.status, then.json.error.code, then.json.error.data], [200, -32002, { uri: 'test://nope' }]);
});

test('prompts: arguments are checked, and completed', async () => {
  for (const [params, words] of [
    [{ name: 'nope' }, /no prompt/],
    [{ name: 'test_prompt_with_arguments', arguments: { arg1: 'x' } }, /arg2/],
    [{ name: 'test_prompt_with_arguments', arguments: { arg1: 'x', arg2: 'y', arg3: 'z' } }, /arg3/],
    [{ name: 'test_prompt_with_arguments', arguments: { arg1: 'x', arg2: 7 } }, /string/],
  ]) {
    const { json } = await modern(porteiro.url, token, 'prompts/get', params);
    assert.equal(json.error.code, -32602);
    assert.match(json.error.message, words);
  }
  const { json } = await modern(porteiro.url, token, 'completion/complete', { ref: { type: 'ref/prompt', name: 'test_prompt_with_arguments' }, argument: { name: 'arg1', value: 'par' } });
  assert.deepEqual(json.result.completion, { values: ['paris', 'park', 'party'], total: 3, hasMore: false });
});

test('the official suites pass', { timeout: 300_000 }, async () => {
  const { code, stdout, stderr } = await run(process.execPath, [path.join(import.meta.dirname, 'fixtures.mjs')], { timeout: 280_000, env: process.env });
  console.log(stdout.split('\n').filter(line => / scored scenarios /.test(line)).join('\n'));
  assert.equal(code, 0, `${stdout.split('\n').filter(line => /^FAILED/.test(line)).join('\n')}\n${stderr.slice(-2000)}`);
});

describe('a release', () => {
  const release = path.join(ROOT, 'build/release');
  const conformance = path.join(ROOT, 'build/conformance');

  // {member: hash of it without debug information}; the archive is a thin one, so its members are files.
  function objects(build) {
    const dir = path.join(build, 'libporteiro.a.p');
    const out = temporaryDirectory('objects');
    return Object.fromEntries(fs.readdirSync(dir).filter(name => name.endsWith('.o')).map(name => {
      const stripped = path.join(out, name);
      execFileSync('strip', ['-g', '-o', stripped, path.join(dir, name)]);
      return [name, createHash('sha256').update(fs.readFileSync(stripped)).digest('hex')];
    }));
  }

  test('is made of the same objects, but for one registry and the fixtures', () => {
    const theirs = objects(release), ours = objects(conformance);
    const fixtures = Object.keys(ours).filter(name => name.includes('providers_conformance_'));
    assert.ok(fixtures.length >= 4);
    assert.deepEqual(Object.keys(ours).filter(name => !fixtures.includes(name)).sort(), Object.keys(theirs).sort());
    assert.deepEqual(Object.keys(theirs).filter(name => theirs[name] !== ours[name]), ['src_providers_registry.c.o']);
  });

  test('knows no fixture', () => {
    const program = fs.readFileSync(path.join(release, 'porteiro'), 'latin1');
    const fixtures = fs.readFileSync(path.join(conformance, 'porteiro'), 'latin1');
    for (const name of ['test_simple_text', 'test_input_required', 'test://', 'conformance suite']) {
      assert.ok(fixtures.includes(name), name);
      assert.ok(!program.includes(name), name);
    }
    const elsewhere = fs.globSync('src/**/*.[ch]', { cwd: ROOT })
      .filter(file => !file.startsWith('src/providers/conformance/'))
      .filter(file => /test_simple_text|test_input_required|test:\/\//.test(fs.readFileSync(path.join(ROOT, file), 'utf8')));
    assert.deepEqual(elsewhere, []);
  });
});
