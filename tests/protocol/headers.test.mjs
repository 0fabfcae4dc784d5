// Every combination of right and wrong headers of 2026-07-28 (the gates of docs/mcp.md, in their order), as a generated table:
// what a request gets is what the first gate that it fails says, and only the request with all of them right is served.
import assert from 'node:assert/strict';
import http from 'node:http';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { LEGACY, MODERN, envelope } from '../integration/lib/mcp.mjs';
import { ROOT } from '../integration/lib/process.mjs';

process.env.PORTEIRO_BIN = process.env.PORTEIRO_CONFORMANCE_BIN ?? path.join(ROOT, 'build/conformance/porteiro');
const { serveFixtures } = await import('../conformance/fixtures.mjs');

let porteiro, token;
const agent = new http.Agent({ keepAlive: true, maxSockets: 8 });
before(async () => ({ porteiro, token } = await serveFixtures()));
after(() => {
  agent.destroy();
  return porteiro?.stop();
});

// Headers as pairs, so that one may come twice; node joins none of them.
function send(message, pairs) {
  return new Promise((resolve, reject) => {
    const headers = { 'Content-Type': 'application/json', Accept: 'application/json, text/event-stream', Authorization: `Bearer ${token}` };
    for (const [name, value] of pairs) headers[name] = name in headers ? [headers[name], value].flat() : value;
    const request = http.request(porteiro.url, { method: 'POST', agent, headers }, response => {
      let text = '';
      response.setEncoding('utf8').on('data', chunk => (text += chunk)).on('end', () => {
        try {
          resolve({ status: response.statusCode, json: JSON.parse(text) });
        } catch {
          reject(new Error(`${response.statusCode} ${text}`));
        }
      });
    });
    request.on('error', reject);
    request.end(JSON.stringify(message));
  });
}

const OK = [200, undefined];
const PARAMS = [400, -32602], HEADER = [400, -32020], VERSION = [400, -32022], METHOD = [404, -32601];
const coded = text => `=?base64?${Buffer.from(text).toString('base64')}?=`;
const without = key => {
  const all = envelope();
  delete all[`io.modelcontextprotocol/${key}`];
  return all;
};

// Each gate: its states, and the first failing one decides. A state is {name, fails?, ...what it changes}.
const META = [
  { name: 'good', meta: envelope() },
  { name: 'no clientInfo', meta: without('clientInfo') },
  { name: 'no clientCapabilities', meta: without('clientCapabilities'), fails: PARAMS },
  { name: 'capabilities a list', meta: envelope({ 'io.modelcontextprotocol/clientCapabilities': [] }), fails: PARAMS },
  { name: 'version a number', meta: envelope({ 'io.modelcontextprotocol/protocolVersion': 20260728 }), fails: PARAMS },
  { name: 'an unknown version', meta: envelope({ 'io.modelcontextprotocol/protocolVersion': 'v999.0.0' }), version: 'v999.0.0' },
  { name: 'a legacy version', meta: envelope({ 'io.modelcontextprotocol/protocolVersion': LEGACY }), version: LEGACY },
];
const HEADER_VERSION = [
  { name: 'the same', of: version => [version] },
  { name: 'missing', of: () => [], fails: HEADER },
  { name: 'another', of: () => ['1999-01-01'], fails: HEADER },
  { name: 'a legacy one', of: version => [version === LEGACY ? MODERN : LEGACY], fails: HEADER },
  { name: 'twice, different', of: version => [version, '1999-01-01'], fails: HEADER },
];
const HEADER_METHOD = [
  { name: 'the same', of: method => [method] },
  { name: 'missing', of: () => [], fails: HEADER },
  { name: 'empty', of: () => [''], fails: HEADER },
  { name: 'another', of: method => [method === 'tools/list' ? 'ping' : 'tools/list'], fails: HEADER },
  { name: 'in capitals', of: method => [method.toUpperCase()], fails: HEADER },
  { name: 'twice, different', of: method => [method, 'tools/list2'], fails: HEADER },
];
const HEADER_NAME = [
  { name: 'the same', of: name => [name] },
  { name: 'in Base64', of: name => [coded(name)] },
  { name: 'missing', of: () => [], fails: HEADER },
  { name: 'another', of: () => ['another'], fails: HEADER },
  { name: 'Base64 of another', of: () => [coded('another')], fails: HEADER },
  { name: 'broken Base64', of: () => ['=?base64?!!!?='], fails: HEADER },
  { name: 'Base64 without padding', of: name => [`=?base64?${Buffer.from(`${name}x`.slice(0, 4)).toString('base64').replace(/=+$/, '')}?=`], fails: HEADER },
  { name: 'twice, different', of: name => [name, 'another'], fails: HEADER },
];
const REQUESTS = [
  { method: 'tools/list' },
  { method: 'server/discover' },
  { method: 'tools/call', name: 'test_simple_text', params: { name: 'test_simple_text' } },
  { method: 'prompts/get', name: 'test_simple_prompt', params: { name: 'test_simple_prompt' } },
  { method: 'resources/read', name: 'test://static-text', params: { uri: 'test://static-text' } },
  { method: 'no/such', missing: true },
  { method: 'ping', missing: true },
  { method: 'initialize', missing: true },
];

const rows = [];
for (const request of REQUESTS)
  for (const meta of META)
    for (const version of HEADER_VERSION)
      for (const method of HEADER_METHOD)
        for (const name of request.name ? HEADER_NAME : [HEADER_NAME[0]]) {
          const claimed = meta.version ?? MODERN;
          // The gates, in their order. A method that nobody has is asked for its headers first, or not: both are -32020 or -32601.
          const expected = meta.fails ?? version.fails ?? (meta.version ? VERSION : undefined) ?? method.fails ??
            (request.missing ? METHOD : undefined) ?? (request.name ? name.fails : undefined) ?? OK;
          rows.push({
            what: `${request.method}: _meta ${meta.name}; MCP-Protocol-Version ${version.name}; Mcp-Method ${method.name}; Mcp-Name ${request.name ? name.name : 'none'}`,
            body: { method: request.method, params: { ...request.params, _meta: meta.meta } },
            pairs: [
              ...version.of(claimed).map(value => ['MCP-Protocol-Version', value]),
              ...method.of(request.method).map(value => ['Mcp-Method', value]),
              ...(request.name ? name.of(request.name).map(value => ['Mcp-Name', value]) : []),
            ],
            expected, claimed,
          });
        }

// Some of these are legacy requests in truth: without a claim in the body the header alone decides (the ladder).
const LADDER = [
  ['no _meta, no header', {}, [], OK],
  ['no _meta, a legacy header', {}, [['MCP-Protocol-Version', LEGACY]], OK],
  ['no _meta, the modern header', {}, [['MCP-Protocol-Version', MODERN], ['Mcp-Method', 'tools/list']], PARAMS],
  ['_meta without a version, the modern header', { _meta: {} }, [['MCP-Protocol-Version', MODERN], ['Mcp-Method', 'tools/list']], PARAMS],
  ['_meta is a list', { _meta: [] }, [['MCP-Protocol-Version', MODERN], ['Mcp-Method', 'tools/list']], PARAMS],
  ['no _meta, an unknown header', {}, [['MCP-Protocol-Version', '1999-01-01']], [400, -32600]],
  ['no _meta, two headers that differ', {}, [['MCP-Protocol-Version', LEGACY], ['MCP-Protocol-Version', MODERN]], [400, -32600]],
];

async function sendAll(all) {
  const wrong = [];
  let next = 0;
  await Promise.all(Array.from({ length: 8 }, async () => {
    while (next < all.length) {
      const id = next, { what, body, pairs, expected, claimed } = all[next++];
      const { status, json } = await send({ jsonrpc: '2.0', id, ...body }, pairs);
      const got = [status, json.error?.code];
      if (got[0] !== expected[0] || got[1] !== expected[1]) wrong.push(`${what}: ${got} instead of ${expected}: ${json.error?.message ?? ''}`);
      else if (json.id !== id) wrong.push(`${what}: id ${json.id}`);
      else if (expected === VERSION && (json.error.data.requested !== claimed || !json.error.data.supported.includes(MODERN))) wrong.push(`${what}: ${JSON.stringify(json.error.data)}`);
    }
  }));
  assert.deepEqual(wrong.slice(0, 20), [], `${wrong.length} of ${all.length}`);
}

describe('headers of 2026-07-28', () => {
  test(`${rows.length} combinations of _meta, MCP-Protocol-Version, Mcp-Method and Mcp-Name`, () => {
    assert.ok(rows.length > 5000 && rows.filter(row => row.expected === OK).length >= 16);
    return sendAll(rows);
  });

  test('without a claim in the body, the header decides', () =>
    sendAll(LADDER.map(([what, params, pairs, expected]) => ({ what, body: { method: 'tools/list', params }, pairs, expected }))));

  test('Mcp-Param-*: every combination of argument and header', () => {
    const call = { method: 'tools/call', params: { name: 'test_x_mcp_header', _meta: envelope() } };
    const VALUES = ['us-east1', 'São Paulo', '', ' spaced ', '=?base64?eA==?=', 'null'];
    const all = [];
    for (const value of [...VALUES, null, undefined]) {
      const headers = [[undefined, value === null || value === undefined], ['another', value === null || value === undefined], ['=?base64?!?=', value === null || value === undefined]];
      if (typeof value === 'string') {
        headers.push([coded(value), true], [`=?BASE64?${Buffer.from(value).toString('base64')}?=`, false]);
        if (/^[!-~]+( [!-~]+)*$/.test(value) && !value.startsWith('=?')) headers.push([value, true]);
      }
      for (const [header, good] of headers)
        all.push({
          what: `region ${JSON.stringify(value)}, header ${JSON.stringify(header)}`,
          body: { ...call, params: { ...call.params, arguments: value === undefined ? {} : { region: value } } },
          pairs: [['MCP-Protocol-Version', MODERN], ['Mcp-Method', 'tools/call'], ['Mcp-Name', 'test_x_mcp_header'], ...(header === undefined ? [] : [['Mcp-Param-Region', header]])],
          expected: good ? OK : HEADER,
        });
    }
    all.push({
      what: 'the header twice', body: { ...call, params: { ...call.params, arguments: { region: 'x' } } }, expected: HEADER,
      pairs: [['MCP-Protocol-Version', MODERN], ['Mcp-Method', 'tools/call'], ['Mcp-Name', 'test_x_mcp_header'], ['Mcp-Param-Region', 'x'], ['Mcp-Param-Region', 'y']],
    });
    return sendAll(all);
  });
});
