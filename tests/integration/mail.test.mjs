// Mail, to a real SMTP server with TLS: every kind in both languages, the links they hold, a server that is away or says no.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Person } from './lib/api.mjs';
import { fixtures } from './lib/fixtures.mjs';
import { MailServer } from './lib/mail-server.mjs';
import { Porteiro } from './lib/porteiro.mjs';
import { query } from './lib/postgres.mjs';
import { sleep, waitFor } from './lib/process.mjs';

const PASSWORD = 'correct horse battery staple';

describe('mail', () => {
  let server, porteiro, root;
  const tokenIn = text => text.match(/prt_lnk_[0-9A-Za-z]+/)[0];
  const mailTo = async (to, subject) => {
    let found;
    await waitFor(`a mail to ${to}`, () => (found = server.mails.find(mail => mail.to[0] === to && subject.test(mail.subject))));
    server.mails.splice(server.mails.indexOf(found), 1);
    return found;
  };

  before(async () => {
    server = await MailServer.start();
    porteiro = await (await Porteiro.create({ env: { PORTEIRO_SMTP_URL: server.url, PORTEIRO_MAIL_FROM: 'porteiro@example.test', PORTEIRO_CA_FILE: server.ca } })).serve();
    const { link } = await porteiro.json(['setup-url']);
    root = new Person(porteiro);
    await root.ok('POST', '/api/auth/register', { name: 'Root', email: 'root@example.test', phone: '+1 415 555 2671', password: PASSWORD, invitation: new URL(link).searchParams.get('token') });
    await mailTo('root@example.test', /^Confirm/);
  });
  after(async () => {
    await porteiro?.stop();
    server?.stop();
  });

  const words = {
    en: { confirm: /^Confirm your/, reset: /^A new password/, invite: /^You are invited/, changed: /^Your password was/, moved: /^Your e-mail address was/, test: /^A test mail/ },
    'pt-BR': { confirm: /^Confirme seu/, reset: /^Uma nova senha/, invite: /^Você recebeu um convite/, changed: /^Sua senha foi/, moved: /^Seu endereço de e-mail foi/, test: /^Um e-mail de teste/ },
  };
  for (const [language, says] of Object.entries(words)) {
    test(`all kinds, in ${language}`, async () => {
      const email = `ana-${language.toLowerCase()}@example.test`, name = 'Ana "Ç" <b>\u{1f600}';
      await root.ok('PATCH', '/api/me', { language });
      await root.ok('POST', '/api/invitations', { email }); // in the language of who invites
      const invitation = await mailTo(email, says.invite);
      assert.equal(invitation.from, 'porteiro@example.test');
      assert.ok(invitation.longest <= 998 && invitation.html.includes(tokenIn(invitation.text)));
      const ana = new Person(porteiro);
      await ana.ok('POST', '/api/auth/register', { name, email, phone: language === 'en' ? '+5511999990001' : '+5511999990002', password: PASSWORD, invitation: tokenIn(invitation.text), language });
      const confirm = await mailTo(email, says.confirm);
      assert.ok(!confirm.text.includes('<b>') && !confirm.html.includes('&lt;b&gt;'), 'whose address it is, nobody knows yet: no words of who typed it');
      assert.equal((await ana.ok('GET', '/api/me')).email_confirmed, false);
      await new Person(porteiro).ok('POST', '/api/auth/confirm-email', { token: tokenIn(confirm.text) });
      assert.equal((await ana.ok('GET', '/api/me')).email_confirmed, true);
      await ana.ok('POST', '/api/auth/request-reset', { emailOrPhone: email });
      await new Person(porteiro).ok('POST', '/api/auth/reset', { token: tokenIn((await mailTo(email, says.reset)).text), password: `${PASSWORD} 2` });
      const changed = await mailTo(email, says.changed);
      assert.ok(!changed.text.includes('prt_'));
      assert.ok(changed.text.includes(name) && !changed.html.includes('<b>'), 'a hostile name is text');
      await ana.login(email, `${PASSWORD} 2`);
      await ana.ok('POST', '/api/me/email', { email: `new-${email}` });
      await mailTo(email, says.moved);
      await mailTo(`new-${email}`, says.confirm);
      await porteiro.json(['mail', 'test', email, '--language', language]);
      await mailTo(email, says.test);
      assert.deepEqual(server.problems, []);
    });
  }

  test('a link for a new password ends with the address it was sent to', async () => {
    const email = 'moves@example.test', at = `moved-${email}`;
    await porteiro.addUser(email, { phone: '+5511999990077' });
    const person = new Person(porteiro);
    await person.login(email, PASSWORD);
    const { link } = await porteiro.json(['user', 'reset-link', email]);
    await person.ok('POST', '/api/me/email', { email: at });
    await mailTo(email, /^Your e-mail address was/);
    await mailTo(at, /^Confirm your/);
    const answer = await new Person(porteiro).call('POST', '/api/auth/reset', { token: tokenIn(link), password: `${PASSWORD} 3` });
    assert.equal(answer.status, 403, answer.text);
    const { link: later } = await porteiro.json(['user', 'reset-link', at]);
    await person.ok('PATCH', '/api/me', { name: 'Moves' });
    await new Person(porteiro).ok('POST', '/api/auth/reset', { token: tokenIn(later), password: `${PASSWORD} 3` });
    await mailTo(at, /^Your password was/);
    await person.login(at, `${PASSWORD} 3`);
    assert.equal((await person.ok('GET', '/api/me')).email_confirmed, false, 'a link that the operator passed on proves no address');
    await person.ok('POST', '/api/auth/request-reset', { emailOrPhone: at });
    const mailed = tokenIn((await mailTo(at, /^A new password/)).text);
    await person.ok('POST', '/api/auth/reset', { token: tokenIn((await porteiro.json(['user', 'reset-link', at])).link), password: `${PASSWORD} 4` });
    await mailTo(at, /^Your password was/);
    assert.equal((await person.call('POST', '/api/auth/reset', { token: mailed, password: `${PASSWORD} 5` })).status, 403, 'voided');
    await person.login(at, `${PASSWORD} 4`);
    assert.equal((await person.ok('GET', '/api/me')).email_confirmed, false);
    await person.ok('POST', '/api/auth/request-reset', { emailOrPhone: '+5511999990077' }); // mailed all the same
    await person.ok('POST', '/api/auth/reset', { token: tokenIn((await mailTo(at, /^A new password/)).text), password: `${PASSWORD} 5` });
    await mailTo(at, /^Your password was/);
    await person.login(at, `${PASSWORD} 5`);
    assert.equal((await person.ok('GET', '/api/me')).email_confirmed, true, 'who used a mailed link reads the mails of that address');
  });

  test('for somebody unknown nothing is sent, and the answer is the same', async () => {
    const answer = await new Person(porteiro).call('POST', '/api/auth/request-reset', { emailOrPhone: 'nobody@example.test' });
    assert.deepEqual([answer.status, answer.json], [200, { ok: true }]);
    await sleep(1500);
    assert.deepEqual(server.mails, []);
  });

  test('a mail server that says no: the operator is told what it said, and nothing secret', async () => {
    server.refuse = '550 no such mailbox here';
    const { code, stderr } = await porteiro.cli(['mail', 'test', 'ana@example.test']);
    server.refuse = null;
    assert.equal(code, 1);
    assert.match(stderr, /550/);
    assert.ok(!stderr.includes('a mail password') && !stderr.includes(encodeURIComponent('a mail password')));
  });

  test('a wrong certificate gets no password', async () => {
    const other = await MailServer.start();
    const { code } = await porteiro.cli(['mail', 'test', 'ana@example.test'], { env: { PORTEIRO_SMTP_URL: other.url } });
    other.stop();
    assert.equal(code, 1);
    assert.deepEqual(other.mails, []);
  });

  test('nobody is asked more than three times whether an address is theirs, and nobody asks more than five times', async () => {
    const target = 'target@example.test';
    const people = [];
    for (const i of [1, 2]) {
      await porteiro.addUser(`asks${i}@example.test`, { phone: `+551199999008${i}` });
      people.push(new Person(porteiro));
      await people.at(-1).login(`asks${i}@example.test`, PASSWORD);
    }
    const ask = (person, email) => person.call('POST', '/api/me/email', { email });
    for (let i = 0; i < 3; i++) assert.equal((await ask(people[0], target)).status, 200);
    const refused = await ask(people[0], target.toUpperCase());
    assert.equal(refused.status, 429, refused.text);
    assert.ok(Number(refused.headers.get('retry-after')) > 1000, refused.headers.get('retry-after'));
    assert.equal((await ask(people[0], 'nonsense')).status, 400, 'which counts for nothing');
    assert.equal((await ask(people[0], 'asks1b@example.test')).status, 200);
    assert.equal((await ask(people[0], 'asks1c@example.test')).status, 429, 'of this account');
    assert.equal((await ask(people[1], target)).status, 429, 'of this address');
    const { link } = await root.ok('POST', '/api/invitations', {});
    const registered = await new Person(porteiro).call('POST', '/api/auth/register', { name: 'T', email: target, phone: '+5511999990089', password: PASSWORD, invitation: new URL(link).searchParams.get('token') });
    assert.ok(registered.status < 300, registered.text); // its owner cannot be kept out; no mail goes out
    for (let i = 0; i < 3; i++) await mailTo(target, /^Confirm/);
    await mailTo('asks1@example.test', /^Your e-mail address was/);
    await mailTo(target, /^Your e-mail address was/);
    await mailTo('asks1b@example.test', /^Confirm/);
    assert.deepEqual(server.mails, []);
  });

  test('a name is not an address to click on, and something is to be seen of it', async () => {
    for (const name of ['Win at https://x.test', '\u200b', '\u00a0', 'A\u202eb']) {
      assert.equal((await root.call('PATCH', '/api/me', { name })).status, 400, name);
      const { link } = await root.ok('POST', '/api/invitations', {});
      const answer = await new Person(porteiro).call('POST', '/api/auth/register', { name, email: 'name@example.test', phone: '+5511999990088', password: PASSWORD, invitation: new URL(link).searchParams.get('token') });
      assert.equal(answer.status, 400, answer.text);
    }
  });

  test('what waits in the outbox cannot be read there, and no link is in the log', async () => {
    server.refuse = '451 later';
    await new Person(porteiro).ok('POST', '/api/auth/request-reset', { emailOrPhone: 'root@example.test' });
    await waitFor('the first attempt', () => porteiro.logTail(20).includes('could not be sent'));
    server.refuse = null;
    const files = ['porteiro.db', 'porteiro.db-wal'].map(file => path.join(porteiro.dir, file)).filter(fs.existsSync);
    for (const file of [...files, porteiro.log]) assert.ok(!/prt_lnk_|a%20mail%20password|a mail password/.test(fs.readFileSync(file, 'latin1')), file);
  });
});

// Everybody else locks a person's things, or the row of the master key, and the head of the audit log after that: while one of these
// waits for the first, the other must be free.
describe('mail and another change at the same moment (PostgreSQL)', () => {
  let server, porteiro, id;
  before(async () => {
    server = await MailServer.start();
    porteiro = await Porteiro.create({
      database: fixtures.postgres.port,
      env: { PORTEIRO_REGISTRATION: 'open', PORTEIRO_SMTP_URL: server.url, PORTEIRO_MAIL_FROM: 'porteiro@example.test', PORTEIRO_CA_FILE: server.ca },
    });
    await porteiro.serve();
    ({ id } = await porteiro.addUser());
    await new Person(porteiro).login('ana@example.test', PASSWORD);
  });
  after(async () => {
    await porteiro?.stop();
    server?.stop();
  });

  async function beside(key, request) {
    const psql = spawn('psql', ['-qXAt', '-v', 'ON_ERROR_STOP=1', porteiro.database.url], { stdio: ['pipe', 'pipe', 'inherit'] });
    const ended = new Promise(resolve => psql.once('close', resolve));
    psql.stdin.write(`BEGIN; UPDATE mcp_data_keys SET master_kid = master_kid WHERE id = '${key}' RETURNING id;\n`);
    await new Promise(resolve => psql.stdout.once('data', resolve));
    const answer = request();
    try {
      await waitFor('the request to wait for the key', async () => (await query(porteiro.database.url, "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE 'UPDATE mcp_data_keys%'")).length);
    } finally {
      psql.stdin.end('UPDATE mcp_audit_heads SET seq = seq; COMMIT;\n');
    }
    assert.equal(await ended, 0, 'the head of the log was free');
    const { status, text } = await answer;
    assert.ok(status < 300, `${status} ${text}`);
  }
  const anybody = (path, body) => () => new Person(porteiro).call('POST', path, body);

  test('somebody registers', () => beside('check', anybody('/api/auth/register', { name: 'Dora', email: 'dora@example.test', phone: '+5511999990020', password: PASSWORD })));

  test('a link for a new password is asked for', () => beside(`user:${id}`, anybody('/api/auth/request-reset', { emailOrPhone: 'ana@example.test' })));

  test('the link is used, which confirms the address', async () => {
    let mail;
    await waitFor('the link', () => (mail = server.mails.find(({ to, subject }) => to[0] === 'ana@example.test' && /^A new password/.test(subject))));
    await beside(`user:${id}`, anybody('/api/auth/reset', { token: mail.text.match(/prt_lnk_[0-9A-Za-z]+/)[0], password: PASSWORD }));
  });

  test('the same address is asked to be confirmed again', async () => {
    const ana = new Person(porteiro);
    await ana.login('ana@example.test', PASSWORD);
    await beside(`user:${id}`, () => ana.call('POST', '/api/me/email', { email: 'ana@example.test' }));
  });
});
