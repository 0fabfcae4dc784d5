// What known clients send that the specification does not expect, each named; and what a request takes along: the client's
// address into the audit log, the trace context to the site.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startFakeSite } from '../integration/lib/fake-site.mjs';
import { fixtures } from '../integration/lib/fixtures.mjs';
import { LEGACY, MODERN, envelope, legacy, modern, post, request } from '../integration/lib/mcp.mjs';
import { Porteiro } from '../integration/lib/porteiro.mjs';
import { waitFor } from '../integration/lib/process.mjs';

let porteiro, site, token;
before(async () => {
  porteiro = await (await Porteiro.create({ env: { PORTEIRO_TRUSTED_PROXIES: '127.0.0.0/8' } })).serve();
  site = await startFakeSite(fixtures.sites.new);
  await porteiro.addUser();
  ({ token } = await porteiro.addConnection(site));
});
after(() => Promise.all([site?.stop(), porteiro?.stop()]));

describe('clients as they are', () => {
  test('Gemini CLI: negotiates 2025-06-18, then never sends MCP-Protocol-Version, and pings', async () => {
    const hello = await post(porteiro.url, token, request('initialize', { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'gemini-cli', version: '0.61' } }));
    assert.equal(hello.json.result.protocolVersion, '2025-06-18');
    assert.equal((await post(porteiro.url, token, { jsonrpc: '2.0', method: 'notifications/initialized' })).status, 202);
    assert.deepEqual((await post(porteiro.url, token, request('ping'))).json.result, {});
    assert.ok((await post(porteiro.url, token, request('tools/list'))).json.result.tools.length > 3);
    const { json } = await post(porteiro.url, token, request('tools/call', { name: 'wp_site', arguments: {} }));
    assert.ok(!json.result.isError, JSON.stringify(json));
  });

  test('mcp-remote: Mcp-Method and Mcp-Name on requests of 2025-11-25, also wrong ones, change nothing', async () => {
    for (const extra of [
      { 'Mcp-Method': 'tools/call', 'Mcp-Name': 'wp_site' },
      { 'Mcp-Method': 'tools/list', 'Mcp-Name': 'another' },
      { 'Mcp-Name': '=?base64?!?=', 'Mcp-Param-Region': 'x' },
    ]) {
      const { status, json } = await legacy(porteiro.url, token, 'tools/call', { name: 'wp_site', arguments: {} }, extra);
      assert.equal(status, 200);
      assert.ok(!json.result.isError && !('resultType' in json.result), JSON.stringify(json));
    }
  });

  test('the conformance suite: tools/call without arguments is one with {}', async () => {
    for (const send of [legacy, modern]) {
      const { status, json } = await send(porteiro.url, token, 'tools/call', { name: 'wp_site' });
      assert.equal(status, 200);
      assert.ok(!json.result.isError, JSON.stringify(json));
    }
  });

  test('client 2.x: notifications/cancelled of 2026-07-28 without Mcp-Method is 202, with and without _meta', async () => {
    for (const params of [{ requestId: 1 }, { requestId: 'x', reason: 'enough', _meta: envelope() }, undefined]) {
      const { status, text } = await post(porteiro.url, token, { jsonrpc: '2.0', method: 'notifications/cancelled', ...(params && { params }) }, { 'MCP-Protocol-Version': MODERN });
      assert.deepEqual([status, text], [202, '']);
    }
  });

  test('clients that accept only JSON, or anything, or say nothing, get JSON', async () => {
    for (const Accept of ['application/json', '*/*', '']) {
      const { status, headers } = await legacy(porteiro.url, token, 'tools/list', undefined, { Accept });
      assert.equal(status, 200);
      assert.match(headers.get('content-type'), /^application\/json/);
    }
  });

  test('VS Code and Inspector ask GET for a stream first: 405 with Allow, without a challenge', async () => {
    const answer = await fetch(porteiro.url, { headers: { Accept: 'text/event-stream' } });
    assert.deepEqual([answer.status, answer.headers.get('allow'), answer.headers.get('www-authenticate')], [405, 'POST', null]);
  });

  test('a header whose name is written in capitals, and whose value has spaces around it', async () => {
    const body = request('tools/list', { _meta: envelope() });
    const { status, text } = await post(porteiro.url, token, body, { 'MCP-PROTOCOL-VERSION': ` ${MODERN} `, 'MCP-METHOD': '  tools/list\t' });
    assert.equal(status, 200, text);
  });
});

describe('what a request takes along', () => {
  const record = (action, more) => waitFor(`the record of ${action}`, async () => {
    const { items } = await porteiro.json(['audit', 'list', '--limit', '50']);
    return items.find(item => item.action === action && more(item.data));
  });

  for (const [what, forwarded, client] of [
    ['none', undefined, '127.0.0.1'],
    ['one', '198.51.100.7', '198.51.100.7'],
    ['a forged one in front', '203.0.113.9, 198.51.100.8', '198.51.100.8'],
    ['one of IPv6, behind a proxy of ours', '2001:db8::5, 127.0.0.9', '2001:db8::5'],
    ['nonsense', 'unknown, "><script>', '127.0.0.1'],
  ]) {
    test(`the client's address is in the audit data: X-Forwarded-For with ${what}`, async () => {
      const title = `Address ${what}`;
      const { json } = await legacy(porteiro.url, token, 'tools/call', { name: 'wp_create', arguments: { type: 'post', title, content: 'x' } }, forwarded && { 'X-Forwarded-For': forwarded });
      assert.ok(!json.result.isError, JSON.stringify(json));
      const intent = await record('tool.wp_create.intent', data => data.arguments.title === title);
      assert.equal(intent.data.client, client);
      const outcome = await record('tool.wp_create', data => data.call === intent.data.call);
      assert.equal(outcome.data.client, client);
      await legacy(porteiro.url, token, 'tools/call', { name: 'wp_find', arguments: { type: 'post', q: title } }, forwarded && { 'X-Forwarded-For': forwarded });
      assert.equal((await record('tool.wp_find', data => data.arguments.q === title)).data.client, client);
    });
  }

  test('whom an untrusted peer names is not believed', async () => {
    const other = await (await Porteiro.create({ env: { PORTEIRO_TRUSTED_PROXIES: '10.0.0.0/8' } })).serve();
    try {
      await other.addUser();
      const made = await other.addConnection(site);
      await legacy(other.url, made.token, 'tools/call', { name: 'wp_site' }, { 'X-Forwarded-For': '198.51.100.7' });
      const { data } = await waitFor('the record', async () => (await other.json(['audit', 'list'])).items.find(item => item.action === 'tool.wp_site'));
      assert.equal(data.client, '127.0.0.1');
    } finally {
      await other.stop();
    }
  });

  const TRACE = { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', tracestate: 'vendor=a:b,other=1', baggage: 'user=7,plan=free' };
  // The trace headers of what reached the site because of one call.
  async function traced(send, meta) {
    site.requests.length = 0;
    const { json } = await send(porteiro.url, token, 'tools/call', { name: 'wp_find', arguments: { type: 'post', limit: 1 }, _meta: meta });
    assert.ok(!json.result.isError, JSON.stringify(json));
    assert.ok(site.requests.length > 0);
    return site.requests.map(({ headers: { traceparent, tracestate, baggage } }) => ({ traceparent, tracestate, baggage }));
  }

  for (const [era, send] of [['2026-07-28', modern], [LEGACY, legacy]]) {
    test(`trace context in _meta goes on to the site, ${era}`, async () => {
      for (const got of await traced(send, TRACE)) assert.deepEqual(got, TRACE);
    });
  }

  test('trace context that is none does not reach the site', async () => {
    const none = { traceparent: undefined, tracestate: undefined, baggage: undefined };
    for (const meta of [
      {},
      { traceparent: '00-0-0-0', tracestate: 'a=b' },
      { traceparent: `${TRACE.traceparent}\r\nX-Evil: 1`, tracestate: 'a=b\r\nX-Evil: 1', baggage: 'a=b\r\nX-Evil: 1' },
      { traceparent: 7, tracestate: {}, baggage: ['a=b'] },
      { tracestate: 'a=b' },
      { baggage: `a=${'x'.repeat(9000)}` },
    ]) {
      for (const got of await traced(modern, meta)) assert.deepEqual(got, none, JSON.stringify(meta));
      assert.ok(!site.requests.some(({ headers }) => 'x-evil' in headers));
    }
  });

  test('trace context in headers goes on to the site, where _meta has none and they are good', async () => {
    const find = async (meta, headers) => {
      site.requests.length = 0;
      await modern(porteiro.url, token, 'tools/call', { name: 'wp_find', arguments: { limit: 1 }, _meta: meta }, headers);
      assert.ok(site.requests.length > 0);
      return site.requests.map(({ headers: { traceparent } }) => traceparent);
    };
    const other = TRACE.traceparent.replace('4bf9', '5bf9');
    for (const got of await find({}, TRACE)) assert.equal(got, TRACE.traceparent);
    for (const got of await find({ traceparent: other }, TRACE)) assert.equal(got, other, 'what the message says comes first');
    for (const got of await find({}, { traceparent: '00-0-0-0' })) assert.equal(got, undefined);
  });
});
