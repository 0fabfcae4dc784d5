// Traces by OTLP over HTTP, to a strict collector: what a request did under which parent, in OpenTelemetry's words for MCP; never an
// argument or a secret; and a collector that is away, slow or says no costs nobody anything but spans, which are counted.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { Collector } from '../fakes/collector.mjs';
import { startFakeSite } from './lib/fake-site.mjs';
import { fixtures } from './lib/fixtures.mjs';
import { callTool, legacy, modern, post, request } from './lib/mcp.mjs';
import { freePort } from './lib/ports.mjs';
import { Porteiro } from './lib/porteiro.mjs';
import { waitFor } from './lib/process.mjs';

const HEADER_SECRET = 'canary-of-the-collector-9b1d', ARGUMENT = 'canary-of-an-argument-4c2e';
const parent = (trace, span, flags = '01') => `00-${trace.repeat(16)}-${span.repeat(8)}-${flags}`;

describe('traces', { timeout: 120_000 }, () => {
  let collector, porteiro, site, token, metricsPort;
  before(async () => {
    collector = await Collector.start();
    metricsPort = await freePort();
    site = await startFakeSite(fixtures.sites.new);
    porteiro = await Porteiro.create({
      env: {
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_EXPORTER_OTLP_HEADERS: `x-collector-key=${HEADER_SECRET}%20x`, OTEL_SERVICE_NAME: 'door',
        PORTEIRO_LISTEN_METRICS: `127.0.0.1:${metricsPort}`, PORTEIRO_TOKEN_CALLS_PER_MINUTE: '0',
      },
    });
    await porteiro.addUser();
    await porteiro.serve();
    ({ token } = await porteiro.addConnection(site, { rights: 'read,draft' }));
  });
  after(async () => {
    await Promise.all([porteiro?.stop(), site?.stop()]);
    collector?.stop();
  });

  const log = () => fs.readFileSync(porteiro.log, 'utf8');
  const counted = async outcome => {
    const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
    return Number(text.match(new RegExp(`porteiro_spans_total\\{outcome="${outcome}"\\} (\\d+)`))?.[1] ?? 0);
  };
  const spanOf = async (trace, name) => {
    const find = () => collector.spans.find(span => span.traceId === trace.repeat(16) && (!name || span.name === name));
    await waitFor(`a span ${name} of ${trace}`, () => find() || collector.problems.length, 10_000);
    assert.deepEqual(collector.problems, []);
    return find();
  };

  test('a tool call: the span of the request under the client\'s, those of the site under it, and the site is told', async () => {
    const seen = site.requests.length;
    const answer = await modern(porteiro.url, token, 'tools/call', { name: 'wp_find', arguments: { q: ARGUMENT }, _meta: { traceparent: parent('a1', 'b2') } },
      { traceparent: parent('ee', 'ff') });
    assert.equal(answer.status, 200);
    const span = await spanOf('a1', 'tools/call wp_find');
    assert.equal(span.parentSpanId, 'b2'.repeat(8), 'what _meta says comes before the header');
    assert.equal(span.kind, 2);
    assert.equal(span.failed, false);
    const { 'porteiro.call': id, 'porteiro.user': user, 'porteiro.connection': connection, 'jsonrpc.request.id': number, ...rest } = span.attributes;
    assert.match(id, /^[0-9a-f]{16}$/);
    assert.ok(user > 0 && connection > 0 && /^\d+$/.test(number));
    assert.deepEqual(rest, { 'mcp.method.name': 'tools/call', 'mcp.protocol.version': '2026-07-28', 'gen_ai.tool.name': 'wp_find', 'gen_ai.operation.name': 'execute_tool',
      'network.transport': 'tcp', 'porteiro.provider': 'wordpress' });
    const calls = collector.spans.filter(one => one.traceId === span.traceId && one.kind === 3);
    assert.ok(calls.length > 0 && calls.every(one => one.parentSpanId === span.spanId && one.name === 'GET' && one.ms <= span.ms));
    const { hostname, port } = new URL(site.url);
    assert.deepEqual(calls[0].attributes, { 'http.request.method': 'GET', 'server.address': hostname, 'server.port': Number(port), 'http.response.status_code': 200 });
    const told = site.requests.slice(seen).map(({ headers }) => headers.traceparent);
    assert.deepEqual(new Set(told), new Set(calls.map(one => `00-${one.traceId}-${one.spanId}-01`)));
    assert.deepEqual(collector.resources.at(-1)['service.name'], 'door');
    assert.match(collector.resources.at(-1)['service.instance.id'], /\/worker-1$/);
  });

  test('older clients, by the header; the other methods; a request without a context begins a trace', async () => {
    await legacy(porteiro.url, token, 'ping', {}, { traceparent: parent('c3', 'd4') });
    assert.equal((await spanOf('c3', 'ping')).parentSpanId, 'd4'.repeat(8));
    await legacy(porteiro.url, token, 'initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'x', version: '1' } });
    await waitFor('a trace that begins here', () => collector.named('initialize').length);
    assert.equal(collector.named('initialize')[0].parentSpanId, undefined);
    const login = await fetch(`${porteiro.origin}/api/auth/login`, { method: 'POST', headers: { 'Content-Type': 'application/json', traceparent: parent('c5', 'd6') }, body: '{"emailOrPhone":"nobody@example.test","password":"canary-of-a-password"}' });
    const span = await spanOf('c5', 'POST /api/auth/login');
    assert.equal(span.attributes['http.response.status_code'], login.status);
  });

  test('a client that does not record is not recorded, and a bad context is none', async () => {
    await legacy(porteiro.url, token, 'tools/list', {}, { traceparent: parent('77', '88', '00') });
    await legacy(porteiro.url, token, 'tools/list', {}, { traceparent: `00-${'0'.repeat(32)}-${'11'.repeat(8)}-01` });
    await waitFor('the one with a bad context', () => collector.named('tools/list').length);
    assert.ok(!collector.spans.some(({ traceId }) => traceId === '77'.repeat(16) || /^0+$/.test(traceId)));
  });

  test('what goes wrong is named by kind; names that a client makes up are not told', async () => {
    await callTool(porteiro.url, token, 'wp_read', { id: '99999999' });
    await waitFor('the failed tool', () => collector.named('tools/call wp_read').length);
    const [failed] = collector.named('tools/call wp_read');
    assert.deepEqual([failed.failed, failed.attributes['error.type']], [true, 'tool_error']);
    await legacy(porteiro.url, token, `made-up/${ARGUMENT}`, {});
    await legacy(porteiro.url, token, 'tools/call', { name: `made_up_${ARGUMENT}`, arguments: {} });
    await waitFor('both', () => collector.named('_OTHER').length && collector.named('tools/call').length);
    assert.deepEqual([collector.named('_OTHER')[0].attributes['error.type'], collector.named('_OTHER')[0].attributes['rpc.response.status_code']], ['-32601', '-32601']);
    assert.equal(collector.named('tools/call')[0].attributes['error.type'], '-32602');
    site.answer = (_, response) => response.writeHead(503).end();
    await callTool(porteiro.url, token, 'wp_find', { limit: 1 });
    site.answer = null;
    await waitFor('the site that fails', () => collector.spans.some(span => span.kind === 3 && span.attributes['http.response.status_code'] === 503));
    assert.equal(collector.spans.find(span => span.attributes['http.response.status_code'] === 503).attributes['error.type'], '503');
  });

  test('a collector that says no: tried again when it may be, after the time it names; what it never takes is counted', async () => {
    const [sent, lost, rejected] = await Promise.all(['sent', 'lost', 'rejected'].map(counted));
    const n = collector.requests.length;
    collector.answers = [{ status: 503, headers: { 'Retry-After': '1' } }];
    await legacy(porteiro.url, token, 'ping', {}, { traceparent: parent('e7', '11') });
    await spanOf('e7', 'ping');
    const tries = collector.requests.slice(n);
    assert.equal(tries[0].planned?.status, 503);
    assert.equal(tries[1].text, tries[0].text, 'the same batch');
    assert.ok(tries[1].at - tries[0].at >= 900, 'not before it may');
    collector.answers = [400];
    await legacy(porteiro.url, token, 'ping', {}, { traceparent: parent('e8', '11') });
    await waitFor('it is counted as lost', async () => (await counted('lost')) > lost);
    collector.partial = 1;
    await legacy(porteiro.url, token, 'ping', {}, { traceparent: parent('e9', '11') });
    await waitFor('it is counted as rejected', async () => (await counted('rejected')) > rejected);
    assert.ok((await counted('sent')) > sent);
    assert.ok(!collector.spans.some(({ traceId }) => traceId === 'e8'.repeat(16)));
  });

  test('a collector that is away: nobody waits, memory is bounded, and afterwards it goes on', async () => {
    const { port } = new URL(collector.url);
    collector.stop();
    const dropped = await counted('dropped');
    // 2025-03-26 has arrays of messages, each of which is a span: more of them than may wait.
    const batch = Array.from({ length: 50 }, () => request('ping'));
    for (let i = 0; i < 45; i++) assert.equal((await post(porteiro.url, token, batch, { 'MCP-Protocol-Version': '2025-03-26' })).status, 200);
    assert.ok((await counted('dropped')) + (await counted('lost')) > dropped, 'what does not fit is counted');
    assert.ok(log().includes('traces cannot be delivered'));
    const before = collector;
    collector = await Collector.start(Number(port));
    collector.earlier = before.requests;
    await waitFor('what waited is sent, and there is room again', async () => {
      await legacy(porteiro.url, token, 'ping', {}, { traceparent: parent('ab', '33') });
      return collector.spans.some(({ traceId }) => traceId === 'ab'.repeat(16));
    }, 30_000);
    assert.deepEqual(collector.problems, []);
  });

  test('what waits when the server stops is sent; nothing secret ever left', async () => {
    await legacy(porteiro.url, token, 'ping', {}, { traceparent: parent('f0', '22') });
    await porteiro.stop();
    assert.ok(collector.spans.some(({ traceId }) => traceId === 'f0'.repeat(16)), `sent at the end; the log: ${log().slice(-1500)}`);
    const requests = [...collector.earlier, ...collector.requests];
    assert.ok(requests.every(({ headers }) => headers['x-collector-key'] === `${HEADER_SECRET} x` && !headers.traceparent));
    const all = requests.map(({ text }) => text).join('') + log();
    for (const secret of [token, HEADER_SECRET, ARGUMENT, 'canary-of-a-password', fixtures.sites.new.users.editor.app_password]) assert.ok(!all.includes(secret), secret.slice(0, 20));
  });

  test('doctor tries the collector', async () => {
    const check = async () => JSON.parse((await porteiro.cli(['doctor', '--json'])).stdout).checks.find(one => one.check === 'traces');
    assert.equal((await check()).result, 'ok');
    collector.answers = [401];
    const refused = await check();
    assert.deepEqual([refused.result, /answered 401/.test(refused.text), refused.text.includes(HEADER_SECRET)], ['fail', true, false]);
  });

  test('settings that cannot be are refused at the start', async () => {
    for (const [name, value] of [['OTEL_EXPORTER_OTLP_ENDPOINT', 'ftp://example.com'], ['OTEL_EXPORTER_OTLP_HEADERS', 'no-value']]) {
      const { code, stderr } = await porteiro.cli(['serve'], { env: { PORTEIRO_LISTEN: '127.0.0.1:0', [name]: value }, timeout: 10_000 });
      assert.notEqual(code, 0, name);
      assert.match(stderr, new RegExp(name));
    }
  });
});
