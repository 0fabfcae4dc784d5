// The MCP endpoint as HTTP and JSON-RPC: what is refused, how, and that both protocol eras are served at one URL.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { fixtures } from './lib/fixtures.mjs';
import { LEGACY, MODERN, envelope, legacy, modern, post, request } from './lib/mcp.mjs';
import { Porteiro } from './lib/porteiro.mjs';
import { exchange } from './lib/raw.mjs';

const HEADER_MISMATCH = -32020, UNSUPPORTED_VERSION = -32022;

describe('endpoint', () => {
  let porteiro, token, url;

  before(async () => {
    porteiro = await (await Porteiro.create()).serve();
    await porteiro.addUser();
    ({ token } = await porteiro.addConnection(fixtures.sites.new));
    url = porteiro.url;
  });
  after(() => porteiro?.stop());

  // A refused request: its status, its JSON-RPC code, and the id it came with (or none).
  function assertError(answer, status, code, id) {
    assert.equal(answer.status, status, answer.text);
    assert.equal(answer.json?.error?.code, code, answer.text);
    assert.equal(typeof answer.json.error.message, 'string');
    if (id !== undefined) assert.deepEqual(answer.json.id, id);
  }

  describe('HTTP', () => {
    for (const method of ['GET', 'DELETE', 'PUT']) {
      test(`${method} is 405 and says Allow: POST, with a token and without`, async () => {
        for (const headers of [{}, { Authorization: `Bearer ${token}` }]) {
          const response = await fetch(url, { method, headers });
          assert.equal(response.status, 405);
          assert.match(response.headers.get('allow'), /\bPOST\b/);
          assert.equal(response.headers.get('www-authenticate'), null, 'the method comes before authentication');
        }
      });
    }

    for (const path of ['/mcp', '/mcp/wordpress', '/api/mcp', '/api/mcp/wordpress', '/mcp/bearer']) {
      test(`${path} serves`, async () => {
        const { status, json } = await legacy(porteiro.origin + path, token, 'tools/list');
        assert.equal(status, 200);
        assert.ok(json.result.tools.length > 0);
      });
    }

    test('an unknown path is 404', async () => {
      assert.equal((await post(`${porteiro.origin}/mcpx`, token, request('ping'))).status, 404);
    });

    test('without a token: 401 with a Bearer challenge and no error code', async () => {
      const answer = await legacy(url, null, 'tools/list');
      assert.equal(answer.status, 401);
      const challenge = answer.headers.get('www-authenticate');
      assert.match(challenge, /^Bearer\b/);
      assert.doesNotMatch(challenge, /error=/);
    });

    for (const [what, bad] of [
      ['unknown', 'prt_pat_' + 'A'.repeat(49)],
      ['malformed', 'nonsense'],
      ['too long', 'x'.repeat(5000)],
    ]) {
      test(`with an ${what} token: 401 with error="invalid_token"`, async () => {
        const answer = await legacy(url, bad, 'tools/list');
        assert.equal(answer.status, 401);
        assert.match(answer.headers.get('www-authenticate'), /^Bearer\b.*error="invalid_token"/);
      });
    }

    test('another scheme than Bearer: 401', async () => {
      const answer = await post(url, null, request('tools/list'), { Authorization: `Basic ${btoa('ana:x')}` });
      assert.equal(answer.status, 401);
    });

    test('a token in the query is refused, and the text says where it belongs', async () => {
      for (const name of ['token', 'access_token']) {
        const answer = await post(`${url}?${name}=${token}`, null, request('tools/list'));
        assert.ok(answer.status >= 400 && answer.status < 500, `status ${answer.status}`);
        assert.match(answer.text, /Authorization/i);
        assert.ok(!answer.text.includes(token), 'the token is not repeated');
      }
    });

    test('Host that is not ours: 403 or 400, before authentication', async () => {
      const body = JSON.stringify(request('ping'));
      const bytes = host => `POST /mcp HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\nAuthorization: Bearer ${token}\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`;
      assert.ok([400, 403, 421].includes((await exchange(porteiro.port, bytes('evil.example.com'))).statuses[0]));
      assert.deepEqual((await exchange(porteiro.port, bytes(`127.0.0.1:${porteiro.port}`))).statuses, [200]);
      assert.deepEqual((await exchange(porteiro.port, bytes(`localhost:${porteiro.port}`))).statuses, [200]);
    });

    test('Origin that is not ours: 403; our own and none: served', async () => {
      assert.equal((await legacy(url, token, 'ping', undefined, { Origin: 'https://evil.example.com' })).status, 403);
      assert.equal((await legacy(url, token, 'ping', undefined, { Origin: 'null' })).status, 403);
      assert.equal((await legacy(url, token, 'ping', undefined, { Origin: porteiro.origin })).status, 200);
      assert.equal((await legacy(url, token, 'ping')).status, 200);
    });

    test('another media type than JSON: 415', async () => {
      for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/jsonx']) {
        assert.equal((await post(url, token, JSON.stringify(request('ping')), { 'Content-Type': type })).status, 415);
      }
      const answer = await post(url, token, request('ping'), { 'Content-Type': 'application/json; charset=utf-8' });
      assert.equal(answer.status, 200);
    });

    test('a body beyond the limit: 413, and the server goes on', async () => {
      const answer = await post(url, token, Buffer.alloc(64 * 1024 * 1024, 0x20)).catch(error => ({ cut: error }));
      // A server that refuses early may close while we still write: then there is no answer to read.
      assert.ok(answer.cut || answer.status === 413, `status ${answer.status}`);
      assert.equal((await legacy(url, token, 'ping')).status, 200);
    });

    test('answers are JSON and are not cached', async () => {
      const { headers } = await legacy(url, token, 'tools/list');
      assert.match(headers.get('content-type'), /^application\/json\b/);
      assert.match(headers.get('cache-control') ?? '', /no-store/);
    });

    test('/healthz and /readyz answer without a token', async () => {
      for (const path of ['/healthz', '/readyz']) assert.equal((await fetch(porteiro.origin + path)).status, 200);
    });
  });

  describe('JSON', () => {
    const call = body => post(url, token, body, { 'MCP-Protocol-Version': LEGACY });
    const PING = '{"jsonrpc":"2.0","id":1,"method":"ping"}';
    const broken = {
      empty: '',
      'only space': '  \n',
      cut: PING.slice(0, -1),
      'followed by more': `${PING}{}`,
      'a comment': `/* */${PING}`,
      'single quotes': PING.replaceAll('"', "'"),
      'trailing comma': '{"jsonrpc":"2.0","id":1,"method":"ping",}',
      'duplicate key': '{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/list"}',
      'duplicate key, written with an escape': '{"jsonrpc":"2.0","id":1,"method":"ping","meth\\u006fd":"tools/list"}',
      'duplicate key deep inside': '{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":{"b":1,"b":2}}}',
      'a lone surrogate': '{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":"\\ud800"}}',
      'a control character in a string': '{"jsonrpc":"2.0","id":1,"method":"pi\tng"}',
      'not UTF-8': Buffer.from([...Buffer.from('{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":"'), 0xc0, 0xaf, ...Buffer.from('"}}')]),
      'overlong UTF-8': Buffer.from([...Buffer.from('{"jsonrpc":"2.0","id":1,"method":"'), 0xe0, 0x80, 0x80, ...Buffer.from('"}')]),
      'UTF-16': Buffer.from(PING, 'utf16le'),
      'leading zero': '{"jsonrpc":"2.0","id":01,"method":"ping"}',
      'a number without end': '{"jsonrpc":"2.0","id":1e,"method":"ping"}',
      NaN: '{"jsonrpc":"2.0","id":NaN,"method":"ping"}',
      '100,000 deep': `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}}`,
      '100,000 deep, never closed': '['.repeat(100_000),
    };
    for (const [what, body] of Object.entries(broken)) {
      test(`${what}: 400 and -32700, without an id`, async () => {
        const answer = await call(body);
        assertError(answer, 400, -32700);
        assert.ok(!('id' in answer.json) || answer.json.id === null);
      });
    }

    const invalid = {
      'a string': '"ping"',
      'a number': '7',
      null: 'null',
      'an empty batch': '[]',
      'no jsonrpc': '{"id":1,"method":"ping"}',
      'jsonrpc 1.0': '{"jsonrpc":"1.0","id":1,"method":"ping"}',
      'jsonrpc as a number': '{"jsonrpc":2.0,"id":1,"method":"ping"}',
      'method a number': '{"jsonrpc":"2.0","id":1,"method":7}',
      'no method': '{"jsonrpc":"2.0","id":1}',
      'params a string': '{"jsonrpc":"2.0","id":1,"method":"ping","params":"x"}',
      'params an array': '{"jsonrpc":"2.0","id":1,"method":"ping","params":[1]}',
      'id null': '{"jsonrpc":"2.0","id":null,"method":"ping"}',
      'id an object': '{"jsonrpc":"2.0","id":{},"method":"ping"}',
      'id a fraction': '{"jsonrpc":"2.0","id":1.5,"method":"ping"}',
    };
    for (const [what, body] of Object.entries(invalid)) {
      test(`${what}: 400 and -32600`, async () => assertError(await call(body), 400, -32600));
    }

    test('a batch of modern requests is refused', async () => {
      const one = request('tools/list', { _meta: envelope() });
      assertError(await post(url, token, [one], { 'MCP-Protocol-Version': MODERN }), 400, -32600);
    });

    test('an id comes back as it was: a string, a large number, a negative one', async () => {
      for (const id of ['a "quoted" \u00e9', 9007199254740991, -1, 0]) {
        const { json } = await call({ jsonrpc: '2.0', id, method: 'ping' });
        assert.deepEqual(json, { jsonrpc: '2.0', id, result: {} });
      }
    });

    test('a large well-formed message is served', async () => {
      const { status } = await call({ jsonrpc: '2.0', id: 1, method: 'ping', params: { padding: 'x'.repeat(500_000) } });
      assert.equal(status, 200);
    });

    test('a notification is 202 with no body', async () => {
      for (const method of ['notifications/initialized', 'notifications/cancelled']) {
        const answer = await call({ jsonrpc: '2.0', method, params: { requestId: 1 } });
        assert.equal(answer.status, 202);
        assert.equal(answer.text, '');
      }
      // As client 2.x sends it: modern by its header, without Mcp-Method.
      const answer = await post(url, token, { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } }, { 'MCP-Protocol-Version': MODERN });
      assert.equal(answer.status, 202);
    });
  });

  describe('legacy era', () => {
    for (const version of ['2025-03-26', '2025-06-18', '2025-11-25']) {
      test(`initialize with ${version} is answered with it`, async () => {
        const { json } = await post(url, token, request('initialize', { protocolVersion: version, capabilities: {}, clientInfo: { name: 'x', version: '1' } }));
        assert.equal(json.result.protocolVersion, version);
        assert.equal(json.result.serverInfo.name, 'porteiro');
        assert.ok(json.result.capabilities.tools);
        assert.ok(!('resultType' in json.result), 'nothing of the modern era');
      });
    }

    test('initialize with an unknown version is answered with the newest legacy one', async () => {
      const { json } = await post(url, token, request('initialize', { protocolVersion: '1999-01-01', capabilities: {}, clientInfo: { name: 'x', version: '1' } }));
      assert.equal(json.result.protocolVersion, LEGACY);
    });

    test('initialize under a modern header is a contradiction', async () => {
      const answer = await post(url, token, request('initialize', { protocolVersion: LEGACY, capabilities: {}, clientInfo: { name: 'x', version: '1' } }), { 'MCP-Protocol-Version': MODERN });
      assertError(answer, 400, HEADER_MISMATCH);
    });

    test('without a version header it is served; with an unknown one it is 400', async () => {
      assert.equal((await post(url, token, request('tools/list'))).status, 200);
      assert.equal((await post(url, token, request('tools/list'), { 'MCP-Protocol-Version': '1999-01-01' })).status, 400);
    });

    test('Mcp-Method changes nothing', async () => {
      const answer = await legacy(url, token, 'tools/list', undefined, { 'Mcp-Method': 'tools/list' });
      assert.equal(answer.status, 200);
      assert.ok(!('resultType' in answer.json.result));
    });

    test('a session id that is none of ours is 404: begin anew', async () => {
      assert.equal((await legacy(url, token, 'tools/list', undefined, { 'Mcp-Session-Id': 'x' })).status, 404);
    });

    test('an unknown method: -32601', async () => {
      const { json } = await legacy(url, token, 'no/such');
      assert.equal(json.error.code, -32601);
    });

    test('ping answers {}', async () => assert.deepEqual((await legacy(url, token, 'ping')).json.result, {}));
  });

  describe('modern era', () => {
    test('server/discover', async () => {
      const { status, json } = await modern(url, token, 'server/discover');
      assert.equal(status, 200);
      assert.equal(json.result.resultType, 'complete');
      assert.ok(json.result.supportedVersions.includes(MODERN));
      assert.ok(json.result.capabilities.tools);
      assert.equal(json.result.cacheScope, 'private');
      assert.ok(Number.isInteger(json.result.ttlMs));
      assert.equal(json.result._meta['io.modelcontextprotocol/serverInfo'].name, 'porteiro');
    });

    for (const key of ['protocolVersion', 'clientCapabilities']) {
      test(`_meta without ${key}: 400 and -32602`, async () => {
        const _meta = envelope();
        delete _meta[`io.modelcontextprotocol/${key}`];
        const body = request('tools/list', { _meta });
        assertError(await post(url, token, body, { 'MCP-Protocol-Version': MODERN, 'Mcp-Method': 'tools/list' }), 400, -32602, body.id);
      });
    }

    test('no _meta under a modern header: 400 and -32602', async () => {
      const body = request('tools/list');
      assertError(await post(url, token, body, { 'MCP-Protocol-Version': MODERN, 'Mcp-Method': 'tools/list' }), 400, -32602, body.id);
    });

    test('no clientInfo is served', async () => {
      const _meta = envelope();
      delete _meta['io.modelcontextprotocol/clientInfo'];
      assert.equal((await post(url, token, request('tools/list', { _meta }), { 'MCP-Protocol-Version': MODERN, 'Mcp-Method': 'tools/list' })).status, 200);
    });

    test('an unsupported version: 400, -32022, and what is supported', async () => {
      const _meta = envelope({ 'io.modelcontextprotocol/protocolVersion': 'v999.0.0' });
      const body = request('tools/list', { _meta });
      const answer = await post(url, token, body, { 'MCP-Protocol-Version': 'v999.0.0', 'Mcp-Method': 'tools/list' });
      assertError(answer, 400, UNSUPPORTED_VERSION, body.id);
      assert.equal(answer.json.error.data.requested, 'v999.0.0');
      assert.ok(answer.json.error.data.supported.includes(MODERN));
    });

    const mismatches = {
      'version header and body': [{ 'io.modelcontextprotocol/protocolVersion': 'v999.0.0' }, {}],
      'no version header': [{}, { 'MCP-Protocol-Version': undefined }],
      'no Mcp-Method': [{}, { 'Mcp-Method': undefined }],
      'another Mcp-Method': [{}, { 'Mcp-Method': 'tools/call' }],
      'Mcp-Method in capitals': [{}, { 'Mcp-Method': 'TOOLS/LIST' }],
    };
    for (const [what, [meta, headers]] of Object.entries(mismatches)) {
      test(`${what}: 400 and -32020`, async () => {
        const all = { 'MCP-Protocol-Version': MODERN, 'Mcp-Method': 'tools/list', ...headers };
        for (const name in all) if (all[name] === undefined) delete all[name];
        const body = request('tools/list', { _meta: envelope(meta) });
        assertError(await post(url, token, body, all), 400, HEADER_MISMATCH, body.id);
      });
    }

    test('Mcp-Name that is not the tool: 400 and -32020; in Base64: served', async () => {
      const params = { name: 'wp_site', arguments: {} };
      const wrong = await modern(url, token, 'tools/call', params, { 'Mcp-Name': 'wp_find' });
      assertError(wrong, 400, HEADER_MISMATCH);
      const coded = await modern(url, token, 'tools/call', params, { 'Mcp-Name': `=?base64?${btoa('wp_site')}?=` });
      assert.equal(coded.status, 200, coded.text);
    });

    for (const method of ['initialize', 'ping', 'logging/setLevel', 'resources/subscribe', 'resources/unsubscribe', 'no/such']) {
      test(`${method}: 404 and -32601`, async () => assertError(await modern(url, token, method), 404, -32601));
    }

    test('a result carries resultType, hints for caches, and serverInfo', async () => {
      const { json } = await modern(url, token, 'tools/list');
      assert.equal(json.result.resultType, 'complete');
      assert.equal(json.result.cacheScope, 'private');
      assert.equal(json.result._meta['io.modelcontextprotocol/serverInfo'].name, 'porteiro');
    });
  });

  describe('tools', () => {
    test('each has a title, a description, a schema and all four hints', async () => {
      const { json } = await legacy(url, token, 'tools/list');
      for (const tool of json.result.tools) {
        assert.match(tool.name, /^[a-z][a-z0-9_]{1,39}$/);
        assert.ok(tool.description.length > 20, tool.name);
        assert.equal(tool.inputSchema.type, 'object');
        for (const hint of ['readOnlyHint', 'destructiveHint', 'idempotentHint', 'openWorldHint']) {
          assert.equal(typeof tool.annotations[hint], 'boolean', `${tool.name} ${hint}`);
        }
        assert.equal(typeof (tool.title ?? tool.annotations.title), 'string', `${tool.name} has a title`);
      }
    });

    test('the list is the same each time and small', async () => {
      const first = await legacy(url, token, 'tools/list');
      const second = await legacy(url, token, 'tools/list');
      assert.deepEqual(first.json.result, second.json.result);
      assert.ok(first.text.length < 12_000, `${first.text.length} bytes`);
    });

    test('a bad cursor: -32602', async () => {
      assert.equal((await legacy(url, token, 'tools/list', { cursor: 'nonsense' })).json.error.code, -32602);
    });

    test('an unknown tool: -32602 inside a 200', async () => {
      for (const send of [legacy, modern]) {
        const answer = await send(url, token, 'tools/call', { name: 'no_such_tool', arguments: {} });
        assert.equal(answer.status, 200);
        assert.equal(answer.json.error.code, -32602);
      }
    });

    test('no arguments is the same as {}', async () => {
      const { json } = await legacy(url, token, 'tools/call', { name: 'wp_site' });
      assert.ok(!json.result.isError, JSON.stringify(json));
    });

    test('arguments of the wrong type are an error the model can read', async () => {
      for (const args of [{ limit: 'ten' }, { limit: 1000 }, { ids: 'x' }, { terms: [] }, { type: 7 }]) {
        const { json } = await legacy(url, token, 'tools/call', { name: 'wp_find', arguments: args });
        assert.equal(json.result?.isError, true, JSON.stringify({ args, json }));
        assert.ok(json.result.content[0].text.includes(Object.keys(args)[0]), json.result.content[0].text);
      }
    });

    test('arguments that are no object: -32602 or an error result, never a crash', async () => {
      for (const args of [[], 'x', 7, true]) {
        const { json } = await legacy(url, token, 'tools/call', { name: 'wp_find', arguments: args });
        assert.ok(json.error?.code === -32602 || json.result?.isError === true, JSON.stringify(json));
      }
    });
  });
});
