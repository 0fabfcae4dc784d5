// Alerts: a site that refuses its password and one that is left alone are told to the operator, once, without a secret.
import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, describe, test } from 'node:test';
import { startFakeSite } from './lib/fake-site.mjs';
import { fixtures } from './lib/fixtures.mjs';
import { callTool } from './lib/mcp.mjs';
import { freePort } from './lib/ports.mjs';
import { Porteiro } from './lib/porteiro.mjs';
import { sleep, waitFor } from './lib/process.mjs';

describe('alerts', { timeout: 120_000 }, () => {
  let porteiro, hook, failing, refusing, failingToken, refusingToken;
  const got = [];
  let answers = [];
  before(async () => {
    const port = await freePort();
    hook = http.createServer(async (request, response) => {
      const chunks = [];
      for await (const chunk of request) chunks.push(chunk);
      const status = answers.shift() ?? 204;
      got.push({ status, method: request.method, type: request.headers['content-type'], text: Buffer.concat(chunks).toString() });
      response.writeHead(status).end();
    }).listen(port, '127.0.0.1');
    porteiro = await Porteiro.create({ env: { PORTEIRO_ALERT_URL: `http://127.0.0.1:${port}/hook?key=canary-of-the-hook` } });
    await porteiro.serve();
    await porteiro.addUser();
    [failing, refusing] = await Promise.all([startFakeSite(fixtures.sites.new), startFakeSite(fixtures.sites.new)]);
    ({ token: failingToken } = await porteiro.addConnection(failing, { name: 'failing' }));
    ({ token: refusingToken } = await porteiro.addConnection(refusing, { name: 'refusing' }));
  });
  after(async () => {
    await Promise.all([failing?.stop(), refusing?.stop(), porteiro?.stop()]);
    hook?.close();
  });

  test('a site that is left alone: one POST, tried again when it was not taken, and not a second one for it', async () => {
    failing.answer = request => request.socket.destroy();
    answers = [500, 204];
    for (let i = 0; i < 12; i++) await callTool(porteiro.url, failingToken, 'wp_find', { limit: 1 });
    await waitFor('the alert', () => got.length === 2, 15_000);
    const alert = JSON.parse(got[1].text);
    assert.equal(got[1].text, got[0].text);
    assert.deepEqual([got[1].method, got[1].type, alert.kind, alert.host], ['POST', 'application/json', 'breaker_opened', new URL(failing.url).host]);
    assert.ok(alert.user > 0);
    assert.match(alert.text, /failed again and again/);
    for (let i = 0; i < 4; i++) await callTool(porteiro.url, failingToken, 'wp_find', { limit: 1 });
    await sleep(500);
    assert.equal(got.length, 2);
  });

  test('a site that refuses its password: one POST that names the connection, no secret', async () => {
    const before = got.length;
    refusing.answer = (request, response) => response.writeHead(401, { 'Content-Type': 'application/json' }).end('{"code":"incorrect_password","message":"x","data":{"status":401}}');
    await callTool(porteiro.url, refusingToken, 'wp_find', { limit: 1 }).catch(() => {});
    await waitFor('the alert', () => got.length === before + 1, 15_000);
    const alert = JSON.parse(got.at(-1).text);
    assert.equal(alert.kind, 'site_refused');
    assert.ok(alert.connection > 0);
    const all = got.map(({ text }) => text).join('') + porteiro.logTail(10_000);
    for (const secret of [refusingToken, fixtures.sites.new.users.editor.app_password, 'canary-of-the-hook']) assert.ok(!all.includes(secret));
  });

  test('an address that is neither is refused at the start', async () => {
    const { code, stderr } = await porteiro.cli(['serve'], { env: { PORTEIRO_ALERT_URL: 'ftp://example.com', PORTEIRO_LISTEN: '127.0.0.1:0' }, timeout: 10_000 });
    assert.notEqual(code, 0);
    assert.match(stderr, /PORTEIRO_ALERT_URL begins with https:\/\//);
  });
});
