// Sites that hang, break off, flood, or answer nonsense: the client gets a clear error, others are served, nothing crashes.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { hang, html, reset, startFakeSite, status } from './lib/fake-site.mjs';
import { fixtures } from './lib/fixtures.mjs';
import { callTool, connectClient2, legacy } from './lib/mcp.mjs';
import { Porteiro } from './lib/porteiro.mjs';
import { sleep } from './lib/process.mjs';

describe('upstream', () => {
  let porteiro, fake, token, otherToken;
  before(async () => {
    porteiro = await (await Porteiro.create()).serve();
    fake = await startFakeSite(fixtures.sites.new);
    await porteiro.addUser();
    ({ token } = await porteiro.addConnection(fake, { rights: 'read,draft' }));
    ({ token: otherToken } = await porteiro.addConnection(fixtures.sites.new, { name: 'other' }));
  });
  after(() => Promise.all([fake?.stop(), porteiro?.stop()]));

  const find = () => callTool(porteiro.url, token, 'wp_find', { type: 'post', limit: 3 });

  // The tool fails with a text for a person, and that text is right; another site is served meanwhile and after.
  async function failsWith(pattern, call = find) {
    const began = Date.now();
    const [result, other] = await Promise.all([call(), callTool(porteiro.url, otherToken, 'wp_find', { limit: 2 })]);
    assert.ok(!other.isError, other.text);
    assert.equal(result.isError, true, result.text);
    assert.match(result.text, pattern);
    assert.ok(result.text.length < 1500, 'an error is short');
    fake.answer = null;
    const again = await find();
    assert.ok(!again.isError, `afterwards: ${again.text}`);
    return Date.now() - began;
  }

  for (const [what, answer, pattern] of [
    ['a connection reset', reset, /connection|reset|broke/i],
    ['HTML with 200 (maintenance)', html('<html><body>Maintenance</body></html>'), /HTML|JSON/i],
    ['an empty answer', (request, response) => response.writeHead(200, { 'Content-Type': 'application/json' }).end(), /empty|JSON/i],
    ['half a JSON', (request, response) => response.writeHead(200, { 'Content-Type': 'application/json' }).end('[{"id":1,'), /JSON/i],
    ['JSON of another shape', (request, response) => response.writeHead(200, { 'Content-Type': 'application/json' }).end('"hello"'), /JSON|unexpected|answer/i],
    ['a body that breaks off', (request, response) => { response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': 1000 }); response.write('[{'); setTimeout(() => response.destroy(), 50); }, /connection|broke|incomplete|closed/i],
    ['no HTTP at all', (request, response) => response.socket.end('hello\r\n\r\n'), /HTTP|answer|connection/i],
    ['403', status(403), /403|forbid|not allowed|refused/i],
    ['404', status(404, { code: 'rest_no_route', message: 'No route was found.', data: { status: 404 } }), /404|not found|no route/i],
    ['429', status(429, { code: 'x', message: 'Slow down.', data: { status: 429 } }, { 'Retry-After': '7' }), /429|too many|slow/i],
    ['500 with PHP\'s page', html('<p>There has been a critical error on this website.</p>', 500), /500|critical|error/i],
    ['503', status(503), /503|unavailable|maintenance/i],
    ['a redirect to elsewhere', (request, response) => response.writeHead(302, { Location: 'http://127.0.0.2:9/' }).end(), /redirect/i],
  ]) {
    test(what, () => {
      fake.answer = answer;
      return failsWith(pattern);
    });
  }

  test('a redirect does not carry the password elsewhere', async () => {
    const elsewhere = await startFakeSite(fixtures.sites.new);
    fake.answer = (request, response) => response.writeHead(307, { Location: `${elsewhere.url}${request.url}` }).end();
    await failsWith(/redirect/i);
    assert.deepEqual(elsewhere.requests, []);
    await elsewhere.stop();
  });

  test('50 MB are not taken', async () => {
    let sent = 0;
    fake.answer = (request, response) => {
      response.writeHead(200, { 'Content-Type': 'application/json' });
      response.write('["');
      const block = Buffer.alloc(1 << 20, 0x78);
      const more = () => {
        while (!response.destroyed && sent < 50) {
          sent++;
          if (!response.write(block)) return response.once('drain', more);
        }
        response.end('"]');
      };
      more();
    };
    await failsWith(/large|big|MB|MiB|limit/i);
    assert.ok(sent < 50, `${sent} MB were taken`);
  });

  test('a compressed flood is not unpacked', async () => {
    const { gzipSync } = await import('node:zlib');
    const bomb = gzipSync(Buffer.alloc(200 << 20, 0x20));
    fake.answer = (request, response) => response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' }).end(bomb);
    await failsWith(/large|big|MB|MiB|limit/i);
  });

  test('a PHP notice before the JSON is passed over', async () => {
    fake.answer = (request, response, pass) => pass({ edit: text => `<br />\n<b>Warning</b>: stray output\n${text}` });
    const { isError, text } = await find();
    assert.ok(!isError, text);
    fake.answer = null;
  });

  test('a byte order mark before the JSON is passed over', async () => {
    fake.answer = (request, response, pass) => pass({ edit: text => `\ufeff${text}` });
    const { isError, text } = await find();
    assert.ok(!isError, text);
    fake.answer = null;
  });

  test('a site that never answers ends with a timeout, and the client may leave before', { timeout: 120_000 }, async () => {
    fake.answer = hang;
    const client = await connectClient2(porteiro.url, token, 'auto');
    await assert.rejects(client.callTool({ name: 'wp_find', arguments: {} }, { timeout: 500 }));
    await client.close();
    fake.answer = hang;
    const took = await failsWith(/time|in time|seconds/i);
    assert.ok(took < 100_000);
  });

  test('100 calls on a hanging site do not keep others waiting', async () => {
    fake.answer = hang;
    const aborts = Array.from({ length: 100 }, () => {
      const abort = new AbortController();
      fetch(porteiro.url, {
        method: 'POST', signal: abort.signal,
        headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'wp_find', arguments: {} } }),
      }).then(response => response.text()).catch(() => {});
      return abort;
    });
    await sleep(300);
    const began = Date.now();
    assert.equal((await legacy(porteiro.url, otherToken, 'tools/list')).status, 200);
    const other = await callTool(porteiro.url, otherToken, 'wp_find', { limit: 2 });
    assert.ok(!other.isError, other.text);
    assert.ok(Date.now() - began < 5000);
    for (const abort of aborts) abort.abort();
    fake.answer = null;
    const again = await find();
    assert.ok(!again.isError, again.text);
  });

  test('a write whose answer is lost says that the outcome is unknown', async () => {
    fake.answer = async (request, response, pass) => {
      if (request.method !== 'POST') return pass();
      await new Promise(resolve => setTimeout(resolve, 20));
      response.socket.resetAndDestroy();
    };
    const { isError, text } = await callTool(porteiro.url, token, 'wp_create', { title: 'Lost answer', content: 'x' });
    assert.equal(isError, true, text);
    assert.match(text, /unknown|may have|not known|check/i);
    assert.equal(fake.requests.filter(request => request.method === 'POST').length, 1, 'a write is not repeated');
    fake.answer = null;
  });

  test('a write behind a read of the same batch goes on when its client closes', async () => {
    let reached;
    const inside = new Promise(resolve => (reached = resolve));
    const ended = new Promise(resolve => {
      fake.answer = async (request, response, pass) => {
        if (request.method !== 'POST') return pass();
        response.on('close', () => resolve(response.writableFinished));
        reached();
        await new Promise(done => setTimeout(done, 500));
        pass();
      };
    });
    const call = (id, name, args) => ({ jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: args } });
    const abort = new AbortController();
    fetch(porteiro.url, {
      method: 'POST', signal: abort.signal,
      headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}`, 'MCP-Protocol-Version': '2025-03-26' },
      body: JSON.stringify([call(1, 'wp_find', {}), call(2, 'wp_create', { type: 'post', title: 'Behind a read', content: 'Once.' })]),
    }).catch(() => {});
    await inside;
    abort.abort();
    assert.equal(await ended, true, 'the site answered, and was heard');
    fake.answer = null;
  });

  // Last, for it stops the connection.
  test('a revoked application password (401) sets the connection to error and stops trying', async () => {
    fake.answer = status(401, { code: 'incorrect_password', message: 'The provided password is an invalid application password.', data: { status: 401 } });
    const { isError, text } = await find();
    assert.equal(isError, true);
    assert.match(text, /application password/i);
    const { items } = await porteiro.json(['connection', 'list']);
    assert.equal(items.find(item => item.name === 'blog').status, 'error');
    const before = fake.requests.length;
    fake.answer = null;
    await callTool(porteiro.url, token, 'wp_find', {}).catch(() => {});
    await callTool(porteiro.url, token, 'wp_find', {}).catch(() => {});
    assert.equal(fake.requests.length, before, 'no further request to the site');
  });
});
