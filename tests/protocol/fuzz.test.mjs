// 10,000 fuzzed envelopes out of a seeded generator, and states that are not what they were: each gets a right status and a code
// of JSON-RPC, the server stays the same process and does not grow.
// PORTEIRO_FUZZ_ENVELOPES, PORTEIRO_FUZZ_SEED: how many, and which (./dev soak: more, another seed each time).
import assert from 'node:assert/strict';
import http from 'node:http';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pssBytes, tree } from '../bench/measure.mjs';
import { LEGACY, MODERN, envelope, modern } from '../integration/lib/mcp.mjs';
import { ROOT } from '../integration/lib/process.mjs';

process.env.PORTEIRO_BIN = process.env.PORTEIRO_CONFORMANCE_BIN ?? path.join(ROOT, 'build/conformance/porteiro');
const { serveFixtures } = await import('../conformance/fixtures.mjs');

const ENVELOPES = Number(process.env.PORTEIRO_FUZZ_ENVELOPES ?? 10_000);
const SEED = Number(process.env.PORTEIRO_FUZZ_SEED ?? 20260728);
const GROWTH_BYTES = 2 << 20; // of PSS, over all of it; audit, caches and pools have their size by then
const CLIENTS = 16;

let porteiro, token;
const agent = new http.Agent({ keepAlive: true, maxSockets: CLIENTS });
before(async () => ({ porteiro, token } = await serveFixtures()));
after(() => {
  agent.destroy();
  return porteiro?.stop();
});

// mulberry32
function generator(seed) {
  const next = () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = n => Math.floor(next() * n);
  return { below, pick: list => list[below(list.length)], chance: p => next() < p };
}

const TOOLS = ['test_simple_text', 'test_image_content', 'test_error_handling', 'test_logging_tool', 'test_elicitation', 'test_sampling',
  'json_schema_2020_12_tool', 'test_missing_capability', 'test_x_mcp_header', 'test_input_required_result_elicitation',
  'test_input_required_result_request_state', 'test_input_required_result_multi_round', 'test_trigger_tool_change', 'no_such_tool'];
const METHODS = ['initialize', 'ping', 'logging/setLevel', 'resources/subscribe', 'resources/unsubscribe', 'server/discover', 'tools/list',
  'tools/call', 'resources/list', 'resources/templates/list', 'resources/read', 'prompts/list', 'prompts/get', 'completion/complete',
  'subscriptions/listen', 'notifications/cancelled', 'notifications/initialized', 'tasks/get', 'no/such'];
const ODD = [null, true, false, 0, -1, 1.5, 1e308, 9007199254740993, '', 'x', '\u0000', '\ud83d\ude00', 'a'.repeat(300), 'é'.repeat(5000), [], {}, [[]],
  [null], { a: { b: { c: [1, 2, { d: 'e' }] } } }, '2026-07-28', '../../etc/passwd', 'test://static-text', "' OR 1=1 --", '%n%s%x', '\r\nX: y'];
const CAPABILITIES = [{}, { elicitation: {} }, { elicitation: { url: {} }, sampling: {}, roots: {} }, { extensions: { 'io.modelcontextprotocol/tasks': {} } }];

function paramsOf(random, method) {
  const odd = () => random.pick(ODD);
  switch (method) {
    case 'initialize': return { protocolVersion: random.pick([LEGACY, '2025-06-18', '2025-03-26', '2024-11-05', odd()]), capabilities: random.pick(CAPABILITIES), clientInfo: { name: 'fuzz', version: '1' } };
    case 'tools/call': return { name: random.pick(TOOLS), ...(random.chance(0.8) && { arguments: random.pick([{}, { message: 'x' }, { prompt: 'x' }, { region: 'eu' }, { message: odd() }, odd()]) }), ...(random.chance(0.2) && { requestState: odd(), inputResponses: random.pick([{}, { user_name: { action: 'accept', content: { name: 'x' } } }, odd()]) }) };
    case 'resources/read': return { uri: random.pick(['test://static-text', 'test://static-binary', 'test://template/1/data', 'test://nope', odd()]) };
    case 'resources/subscribe': case 'resources/unsubscribe': return { uri: random.pick(['test://watched-resource', odd()]) };
    case 'prompts/get': return { name: random.pick(['test_simple_prompt', 'test_prompt_with_arguments', 'nope', odd()]), arguments: random.pick([{}, { arg1: 'x', arg2: 'y' }, { arg1: odd() }, odd()]) };
    case 'completion/complete': return { ref: random.pick([{ type: 'ref/prompt', name: 'test_prompt_with_arguments' }, { type: 'ref/resource', uri: 'test://template/{id}/data' }, odd()]), argument: random.pick([{ name: 'arg1', value: 'p' }, { name: 'arg1', value: odd() }, odd()]) };
    case 'subscriptions/listen': return { notifications: random.pick([{ toolsListChanged: true }, { resourceSubscriptions: ['test://watched-resource', odd()] }, {}, odd()]) };
    case 'logging/setLevel': return { level: random.pick(['info', 'loud', odd()]) };
    case 'notifications/cancelled': return { requestId: odd() };
    default: return random.pick([{}, { cursor: odd() }]);
  }
}

// One value somewhere in it is replaced, dropped, doubled or renamed.
function damage(random, value) {
  const places = [];
  const walk = (parent, key) => {
    places.push([parent, key]);
    if (parent[key] && typeof parent[key] === 'object') for (const inner of Object.keys(parent[key])) walk(parent[key], inner);
  };
  for (const key of Object.keys(value)) walk(value, key);
  const [parent, key] = random.pick(places);
  switch (random.below(4)) {
    case 0: parent[key] = structuredClone(random.pick(ODD)); break;
    case 1: delete parent[key]; break;
    case 2: parent[`${key}${random.pick(['', 'x', '\u0000', ' '])}`] = random.pick(ODD); break;
    case 3: parent[key] = { [key]: parent[key] }; break;
  }
}

function mangle(random, text) {
  const bytes = Buffer.from(text);
  const at = random.below(bytes.length + 1);
  switch (random.below(6)) {
    case 0: return bytes.subarray(0, at); // cut
    case 1: return Buffer.concat([bytes.subarray(0, at), Buffer.from([random.below(256)]), bytes.subarray(at)]);
    case 2: { if (at < bytes.length) bytes[at] ^= 1 << random.below(8); return bytes; }
    case 3: return Buffer.concat([bytes, bytes]);
    case 4: return Buffer.concat([bytes.subarray(0, at), Buffer.from(random.pick(['{', '[', '"', '\\u', '\\ud800', '1e', '-', ',', '\ufeff', '//', '\u0000'])), bytes.subarray(at)]);
    default: return Buffer.from(`${random.pick(['[', '{"a":', '\ufeff', ' \n'])}${text}`);
  }
}

// {headers, body: Buffer, message?: what it holds when it was not mangled}
function request(random, id) {
  const method = random.pick(METHODS);
  const isModern = random.chance(0.6);
  const params = paramsOf(random, method);
  let message = structuredClone({ jsonrpc: '2.0', ...(!/^notifications/.test(method) && { id: random.pick([id, `s${id}`]) }), method, params });
  if (isModern && message.params && typeof message.params === 'object' && !Array.isArray(message.params)) {
    message.params._meta = envelope({ 'io.modelcontextprotocol/clientCapabilities': random.pick(CAPABILITIES), ...(random.chance(0.2) && { progressToken: random.pick([1, 'p', ...ODD]) }), ...(random.chance(0.1) && { 'io.modelcontextprotocol/logLevel': random.pick(['debug', 'x', 7]) }) });
  }
  for (let n = random.pick([0, 0, 1, 1, 2, 5]); n > 0 && Object.keys(message).length; n--) damage(random, message);
  if (random.chance(0.04)) message = Array.from({ length: random.below(4) }, () => structuredClone(message));
  if (random.chance(0.02)) message = random.pick(ODD);
  const headers = { 'Content-Type': 'application/json', Accept: random.pick(['application/json, text/event-stream', 'application/json, text/event-stream', 'application/json', '*/*']) };
  if (isModern ? random.chance(0.95) : random.chance(0.5)) headers['MCP-Protocol-Version'] = random.chance(0.95) ? (isModern ? MODERN : LEGACY) : random.pick(['2025-03-26', 'x', '', MODERN]);
  if (isModern && random.chance(0.95)) headers['Mcp-Method'] = random.chance(0.95) ? method : 'x';
  const name = params?.name ?? params?.uri;
  if (isModern && typeof name === 'string' && /^[!-~]{1,200}$/.test(name) && random.chance(0.95)) headers['Mcp-Name'] = name;
  const text = JSON.stringify(message) ?? 'undefined';
  const mangled = random.chance(0.2);
  return { headers, body: mangled ? mangle(random, text) : Buffer.from(text), message: mangled ? undefined : message };
}

// {status, type, text}; of a stream that does not end, what came first.
function send({ headers, body }) {
  return new Promise((resolve, reject) => {
    const req = http.request(porteiro.url, { method: 'POST', agent, headers: { ...headers, Authorization: `Bearer ${token}`, 'Content-Length': body.length } }, response => {
      const answer = { status: response.statusCode, type: response.headers['content-type'] ?? '', text: '' };
      response.setEncoding('utf8').on('data', chunk => {
        answer.text += chunk;
        if (answer.text.includes('notifications/subscriptions/acknowledged')) {
          req.destroy();
          resolve(answer);
        }
      }).on('end', () => resolve(answer)).on('error', () => resolve(answer));
    });
    req.setTimeout(20_000, () => req.destroy(new Error('no answer within 20 s')));
    req.on('error', reject);
    req.end(body);
  });
}

const CODES = {
  200: new Set([-32601, -32602, -32002]), // of a handler; -32601 of the older revisions
  400: new Set([-32700, -32600, -32602, -32020, -32021, -32022]),
  404: new Set([-32601]),
};
const utf8 = new TextDecoder('utf-8', { fatal: true });

// Why the answer is not one that such a request may get; undefined: it is.
function wrong({ body, message }, { status, type, text }) {
  if (status === 202) return text === '' ? undefined : '202 with a body';
  if (!(status in CODES)) return `status ${status}`;
  let answers;
  try {
    answers = type.startsWith('text/event-stream')
      ? [...text.matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data))
      : [JSON.parse(text)].flat();
  } catch {
    return 'no JSON';
  }
  if (!answers.length) return 'nothing';
  for (const answer of answers) {
    if (answer.jsonrpc !== '2.0') return 'no jsonrpc';
    if (answer.method) continue; // ahead of the answer
    if (('result' in answer) === ('error' in answer)) return 'neither result nor error';
    if (answer.error && (!CODES[status].has(answer.error.code) || typeof answer.error.message !== 'string')) return `${status} with ${answer.error.code}`;
    if (answer.result && status !== 200) return `${status} with a result`;
    if (answer.id === null) return 'id null';
  }
  let parsed, isJson = true;
  try {
    parsed = JSON.parse(utf8.decode(body));
  } catch {
    isJson = false;
  }
  const [first] = answers;
  if (!isJson) return status === 400 && first.error?.code === -32700 ? undefined : 'it is no JSON';
  const goodId = id => (typeof id === 'string' && JSON.stringify(id).length <= 256) || Number.isSafeInteger(id);
  const last = answers.at(-1);
  if (message && parsed && !Array.isArray(parsed) && typeof parsed === 'object' && goodId(parsed.id) && !last.method && last.id !== parsed.id) return `id ${JSON.stringify(last.id)}`;
  return undefined;
}

async function sendMany(random, count) {
  const seen = {}, bad = [];
  let id = 0;
  await Promise.all(Array.from({ length: CLIENTS }, async () => {
    while (id < count) {
      const one = request(random, id++);
      const answer = await send(one).catch(error => ({ status: error.message, type: '', text: '' }));
      const why = wrong(one, answer);
      if (why) bad.push(`${why}: ${JSON.stringify(one.headers)} ${one.body.toString('latin1').slice(0, 400)} -> ${answer.status} ${answer.text.slice(0, 300)}`);
      const code = /"code":(-\d+)/.exec(answer.text)?.[1] ?? '';
      const key = `${answer.status} ${code}`.trim();
      seen[key] = (seen[key] ?? 0) + 1;
    }
  }));
  assert.deepEqual(bad.slice(0, 5), [], `${bad.length} of ${count} answers, seed ${SEED}`);
  return seen;
}

test(`${ENVELOPES} fuzzed envelopes: right statuses and codes, the same process, no growth`, { timeout: 3600_000 }, async () => {
  const random = generator(SEED);
  const pids = tree(porteiro.server.pid);
  await sendMany(random, Math.min(3000, ENVELOPES)); // until caches and pools have their size
  const before = pssBytes(porteiro.server.pid);
  const seen = await sendMany(random, ENVELOPES);
  const grown = pssBytes(porteiro.server.pid) - before;
  console.log(`${ENVELOPES} envelopes: ${Object.entries(seen).sort().map(([key, n]) => `${key}: ${n}`).join(', ')}; PSS ${(before / 1024) | 0} KiB, grown by ${(grown / 1024) | 0} KiB`);
  for (const key of ['200', '202', '400 -32700', '400 -32600', '400 -32602', '400 -32020', '404 -32601', '200 -32602']) assert.ok(seen[key] > 10, `${key} was never met`);
  assert.deepEqual(tree(porteiro.server.pid), pids, 'no worker died');
  if (!process.env.ASAN_OPTIONS) assert.ok(grown < GROWTH_BYTES, `grown by ${grown} bytes`);
});

describe('requestState', () => {
  const NAME = 'test_input_required_result_request_state';
  const ASKABLE = { 'io.modelcontextprotocol/clientCapabilities': { elicitation: {}, sampling: {}, roots: {} } };
  const ANSWERS = { inputResponses: { confirm: { action: 'accept', content: { ok: true } } } };
  const call = (params, who = { url: porteiro.url, token }) => modern(who.url, who.token, 'tools/call', { name: NAME, _meta: ASKABLE, ...params });
  const stateOf = async (params, who) => (await call(params, who)).json.result.requestState;
  const outcome = ({ status, json }) => [status, json.error?.code];

  test('one that was altered anywhere is refused: each character in turn, cut, longer', async () => {
    const state = await stateOf();
    const random = generator(SEED + 1);
    const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const altered = [...state].map((character, i) => state.slice(0, i) + random.pick([...ALPHABET].filter(other => other !== character)) + state.slice(i + 1));
    // The last character may carry bits that mean nothing; whoever reads that strictly refuses it, too.
    for (const one of [...altered, '', state.slice(0, -1), state.slice(0, 40), `${state}A`, `${state}=`, ` ${state}`, state.toLowerCase(), `2${state.slice(1)}`])
      assert.deepEqual(outcome(await call({ ...ANSWERS, requestState: one })), [200, -32602], one);
    assert.deepEqual(outcome(await call({ ...ANSWERS, requestState: state })), [200, undefined]);
  });

  test('halves of two states do not make one', async () => {
    const one = await stateOf(), other = await stateOf();
    for (const at of [2, 20, 33, 34, 60, one.length - 22, one.length - 8]) assert.deepEqual(outcome(await call({ ...ANSWERS, requestState: one.slice(0, at) + other.slice(at) })), [200, -32602]);
    assert.notEqual(one.slice(33), other.slice(33));
  });

  test('one of another server, with the same token id, is refused', async () => {
    const other = await serveFixtures();
    try {
      const state = await stateOf({}, { url: other.porteiro.url, token: other.token });
      assert.deepEqual(outcome(await call({ ...ANSWERS, requestState: state })), [200, -32602]);
    } finally {
      await other.porteiro.stop();
    }
  });

  test('replayed: an earlier round of the same call answers as it did, and gives away nothing of later ones', async () => {
    const name = 'test_input_required_result_multi_round';
    const first = (await call({ name })).json.result;
    const answers = ({ inputRequests }, text) => Object.fromEntries(Object.entries(inputRequests).map(([key, { params }]) => [key, { action: 'accept', content: Object.fromEntries(Object.keys(params.requestedSchema.properties).map(property => [property, text])) }]));
    const second = (await call({ name, requestState: first.requestState, inputResponses: answers(first, 'one') })).json.result;
    const done = (await call({ name, requestState: second.requestState, inputResponses: answers(second, 'two') })).json.result;
    assert.equal(done.resultType, 'complete');
    const again = (await call({ name, requestState: first.requestState, inputResponses: answers(first, 'other') })).json.result;
    assert.equal(again.resultType, 'input_required');
    assert.deepEqual(Object.keys(again.inputRequests), Object.keys(second.inputRequests));
    // The state of one round with the answers of another: asked again, not taken for an answer.
    const mixed = (await call({ name, requestState: first.requestState, inputResponses: answers(second, 'two') })).json.result;
    assert.equal(mixed.resultType, 'input_required');
  });

  test('what is no state at all: -32602', async () => {
    for (const requestState of [7, null, true, {}, [], 'x', '1', '\u0000', 'A'.repeat(600_000)]) assert.deepEqual(outcome(await call({ ...ANSWERS, requestState })), [200, -32602], JSON.stringify(requestState).slice(0, 40));
  });
});
