// Limits that are settings hold as they are set: of requests and connections, of sites that hang, of logins.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { after, before, describe, test } from 'node:test';
import { startFakeSite } from './lib/fake-site.mjs';
import { fixtures } from './lib/fixtures.mjs';
import { callTool, legacy } from './lib/mcp.mjs';
import { Porteiro } from './lib/porteiro.mjs';

describe('limits as settings', { timeout: 60_000 }, () => {
  let porteiro, site, token;
  before(async () => {
    site = await startFakeSite(fixtures.sites.new);
    porteiro = await Porteiro.create({
      env: {
        PORTEIRO_MAX_BODY: '1', PORTEIRO_MAX_REQUESTS_PER_CONNECTION: '2', PORTEIRO_HEAD_TIMEOUT_S: '1', PORTEIRO_IDLE_TIMEOUT_S: '2',
        PORTEIRO_LOGIN_TRIES_PER_ACCOUNT: '2', PORTEIRO_BREAKER_FAILURES: '0',
      },
    });
    await porteiro.addUser();
    ({ token } = await porteiro.addConnection(site));
    porteiro.env.PORTEIRO_UPSTREAM_FIRST_BYTE_S = '1'; // not before: a loaded WordPress may take longer for the first look
    await porteiro.serve();
  });
  after(async () => {
    await porteiro?.stop();
    await site?.stop();
  });

  // What comes back for these bytes until the server closes, and after how long it does.
  async function say(...texts) {
    const { hostname, port } = new URL(porteiro.origin);
    const socket = net.connect(Number(port), hostname), began = Date.now();
    let text = '';
    socket.on('data', data => (text += data)).on('error', () => {});
    for (const one of texts) socket.write(one);
    await once(socket, 'close');
    return { text, ms: Date.now() - began };
  }

  test('a body, the requests of a connection, a head that does not end, and doing nothing', async () => {
    const large = await legacy(porteiro.url, token, 'ping', { filler: 'x'.repeat(1100 * 1024) });
    assert.equal(large.status, 413);
    const get = `GET /healthz HTTP/1.1\r\nHost: ${new URL(porteiro.origin).host}\r\n\r\n`;
    const two = await say(get + get + get);
    assert.equal(two.text.match(/HTTP\/1\.1 200/g).length, 2, two.text);
    assert.match(two.text, /Connection: close/i);
    const slow = await say('GET /healthz HTTP/1.1\r\nHost');
    assert.match(slow.text, /^HTTP\/1\.1 408/);
    assert.ok(slow.ms >= 900 && slow.ms < 8000, `${slow.ms}`);
    const idle = await say(get);
    assert.ok(idle.ms >= 1800 && idle.ms < 15_000, `${idle.ms}`);
  });

  test('a site that does not begin to answer', async () => {
    site.answer = () => {};
    const began = Date.now(), result = await callTool(porteiro.url, token, 'wp_find', { limit: 1 });
    site.answer = null;
    assert.ok(result.isError);
    assert.ok(Date.now() - began < 15_000, 'not the 20 seconds it has otherwise');
  });

  test('logins to one account', async () => {
    const login = () => fetch(`${porteiro.origin}/api/auth/login`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{"emailOrPhone":"ana@example.test","password":"wrong wrong wrong"}' });
    assert.deepEqual([(await login()).status, (await login()).status], [401, 401]);
    const third = await login();
    assert.equal(third.status, 429);
    assert.ok(Number(third.headers.get('retry-after')) > 30);
  });

  test('out of range: refused, with the unit', async () => {
    const { code, stderr } = await porteiro.cli(['serve'], { env: { PORTEIRO_DRAIN_S: '0' } });
    assert.notEqual(code, 0);
    assert.match(stderr, /is not a number from 1 to 3600 \(seconds\)/);
  });
});
