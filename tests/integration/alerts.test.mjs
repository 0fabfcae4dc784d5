// Alerts: a site that refuses its password, one that is left alone and an audit log that others changed are told to the operator, once,
// without a secret, by POST and by mail; the owner of the site that refuses gets a mail, too.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import { after, before, describe, test } from 'node:test';
import { startFakeSite } from './lib/fake-site.mjs';
import { fixtures } from './lib/fixtures.mjs';
import { MailServer } from './lib/mail-server.mjs';
import { callTool } from './lib/mcp.mjs';
import { freePort } from './lib/ports.mjs';
import { Porteiro } from './lib/porteiro.mjs';
import { sleep, waitFor } from './lib/process.mjs';
import { openSqlite } from './lib/sqlite.mjs';

describe('alerts', { timeout: 120_000 }, () => {
  let porteiro, hook, mail, failing, refusing, failingToken, refusingToken;
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
    mail = await MailServer.start();
    porteiro = await Porteiro.create({
      env: {
        PORTEIRO_ALERT_URL: `http://127.0.0.1:${port}/hook?key=canary-of-the-hook`, PORTEIRO_ALERT_MAIL: 'operator@example.test',
        PORTEIRO_SMTP_URL: mail.url, PORTEIRO_MAIL_FROM: 'porteiro@example.test', PORTEIRO_CA_FILE: mail.ca,
      },
    });
    await porteiro.serve();
    await porteiro.addUser();
    [failing, refusing] = await Promise.all([startFakeSite(fixtures.sites.new), startFakeSite(fixtures.sites.new)]);
    ({ token: failingToken } = await porteiro.addConnection(failing, { name: 'failing' }));
    ({ token: refusingToken } = await porteiro.addConnection(refusing, { name: 'refusing' }));
  });
  after(async () => {
    await Promise.all([failing?.stop(), refusing?.stop(), porteiro?.stop()]);
    hook?.close();
    mail?.stop();
  });

  const mailTo = async (to, what) => {
    let found;
    await waitFor(`a mail to ${to}`, () => (found = mail.mails.find(one => one.to[0] === to && what.test(one.text))), 15_000);
    mail.mails.splice(mail.mails.indexOf(found), 1);
    return found;
  };

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
    assert.match((await mailTo('operator@example.test', /breaker_opened/)).subject, /alert/);
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
    await mailTo('operator@example.test', /site_refused/);
    const told = await mailTo('ana@example.test', /refusing/);
    assert.match(told.subject, /^A site does not take its password/);
    const all = got.map(({ text }) => text).join('') + porteiro.logTail(10_000);
    for (const secret of [refusingToken, fixtures.sites.new.users.editor.app_password, 'canary-of-the-hook']) assert.ok(!all.includes(secret));
  });

  test('rows of the audit log that others changed: noticed with the next checkpoint, and a head that others wrote with the next event', async () => {
    const db = openSqlite(`${porteiro.dir}/porteiro.db`);
    const log = () => fs.readFileSync(porteiro.log, 'utf8');
    failing.answer = null;
    const before = got.length;
    await porteiro.json(['connection', 'test', '1']); // a chain of another process: not ours to look at
    const worker = () => db.prepare("SELECT id, data FROM mcp_audit_logs WHERE data LIKE '%worker-1%' ORDER BY id DESC LIMIT 1").get();
    const newest = worker();
    const changed = db.prepare('UPDATE mcp_audit_logs SET data = ? WHERE id = ?');
    changed.run(newest.data.replace(/"call":"./, '"call":"_'), newest.id);
    await porteiro.stop(); // makes the last checkpoint
    assert.match(log(), new RegExp(`alert chain_broken: .*the row with the id ${newest.id} is not as it was written`));
    assert.equal((await porteiro.cli(['audit', 'verify'])).code, 1);
    changed.run(newest.data, newest.id);
    assert.equal((await porteiro.json(['audit', 'verify'])).ok, true);
    await porteiro.serve();
    await callTool(porteiro.url, failingToken, 'wp_find', { limit: 1 }).catch(() => {});
    await waitFor('a row of it', () => worker().id > newest.id);
    db.prepare("UPDATE mcp_audit_heads SET hash = 'x' || hash WHERE writer LIKE '%worker-1'").run();
    await callTool(porteiro.url, failingToken, 'wp_find', { limit: 1 }).catch(() => {});
    await waitFor('the alert', () => got.slice(before).some(({ text }) => JSON.parse(text).kind === 'chain_broken'), 15_000);
    await mailTo('operator@example.test', /chain_broken/);
    db.close();
  });

  test('an address that is neither is refused at the start', async () => {
    const { code, stderr } = await porteiro.cli(['serve'], { env: { PORTEIRO_ALERT_URL: 'ftp://example.com', PORTEIRO_LISTEN: '127.0.0.1:0' }, timeout: 10_000 });
    assert.notEqual(code, 0);
    assert.match(stderr, /PORTEIRO_ALERT_URL begins with https:\/\//);
    const without = await porteiro.cli(['serve'], { env: { PORTEIRO_SMTP_URL: '', PORTEIRO_LISTEN: '127.0.0.1:0' }, timeout: 10_000 });
    assert.notEqual(without.code, 0);
    assert.match(without.stderr, /PORTEIRO_ALERT_MAIL must be an e-mail address, and needs PORTEIRO_SMTP_URL/);
  });
});
