// The pages that the server renders: every one of them, by a browser without scripts, in both languages and on both databases.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import zlib from 'node:zlib';
import { Person } from './lib/api.mjs';
import { fixtures } from './lib/fixtures.mjs';
import { MailServer } from './lib/mail-server.mjs';
import { Browser } from './lib/pages.mjs';
import { Porteiro } from './lib/porteiro.mjs';
import { sleep, waitFor } from './lib/process.mjs';

const PASSWORD = 'correct horse battery staple';
const root = path.resolve(import.meta.dirname, '../..');

// What every page must say, whatever it shows.
function checkHeaders(page) {
  const of = name => page.headers.get(name);
  assert.equal(of('x-content-type-options'), 'nosniff', page.url);
  assert.equal(of('cache-control'), 'no-store', page.url);
  assert.equal(of('referrer-policy'), 'no-referrer', page.url);
  assert.equal(of('cross-origin-opener-policy'), 'same-origin', page.url);
  assert.equal(of('content-security-policy'), "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'", page.url);
  if (page.status === 303) return;
  assert.equal(of('content-type'), 'text/html; charset=utf-8', page.url);
  for (const tag of page.tags) {
    assert.ok(!['script', 'style', 'iframe', 'object', 'base'].includes(tag.element), page.url);
    for (const [name, value] of Object.entries(tag)) {
      assert.ok(!/^(on.*|style|srcdoc)$/.test(name), `${name} on ${page.url}`);
      if (['href', 'src', 'action'].includes(name)) assert.match(value, /^[/#?]/, page.url);
    }
  }
  assert.equal(page.tags.filter(tag => tag.element === 'h1').length, 1, page.url);
  const ids = page.tags.flatMap(tag => tag.id ?? []);
  assert.equal(new Set(ids).size, ids.length, `ids are unique on ${page.url}`);
  for (const input of page.tags.filter(tag => tag.element === 'input' && tag.type !== 'hidden'))
    assert.ok(page.tags.some(tag => tag.element === 'label' && tag.for === input.id), `${input.name} has a label on ${page.url}`);
  for (const described of page.tags.flatMap(tag => tag['aria-describedby']?.split(' ') ?? [])) assert.ok(ids.includes(described), described);
}

function totp(secret, at = Date.now()) {
  const bits = [...secret].map(c => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from(bits.match(/.{8}/g).map(byte => parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(at / 30000)));
  const mac = crypto.createHmac('sha1', key).update(counter).digest();
  return String((mac.readUInt32BE(mac[19] & 15) & 0x7fffffff) % 1e6).padStart(6, '0');
}

for (const database of ['sqlite', 'postgres']) {
  describe(`pages (${database})`, () => {
    let porteiro, mail;
    const browser = options => new Browser(porteiro.origin, options);
    const account = n => ({ name: `Ana ${n}`, email: `ana${n}@example.test`, phone: `+55 11 99999-00${n}`, password: PASSWORD });
    const loggedIn = async (who, password = PASSWORD) => {
      const her = browser();
      const page = await her.submit(await her.open('/login'), { emailOrPhone: who, password });
      assert.deepEqual(page.trail, ['/'], page.text);
      return her;
    };
    // Somebody new: an account has few tries to log in.
    const invited = async n => {
      const { link } = await porteiro.json(['user', 'invite', '--email', account(n).email]);
      const her = browser();
      const page = await her.submit(await her.open(link), account(n));
      assert.deepEqual(page.trail, ['/'], page.text);
      return her;
    };
    const me = async her => {
      const person = new Person(porteiro);
      person.cookie = `porteiro=${her.jar.get('porteiro')}`;
      return person;
    };

    before(async () => {
      mail = await MailServer.start();
      porteiro = await (await Porteiro.create({ database: database === 'sqlite' ? 'sqlite' : fixtures.postgres.port,
        env: { PORTEIRO_REGISTRATION: 'invitation', PORTEIRO_SMTP_URL: mail.url, PORTEIRO_MAIL_FROM: 'porteiro@example.test', PORTEIRO_CA_FILE: mail.ca } })).serve();
    });
    after(async () => {
      await porteiro?.stop();
      mail?.stop();
    });

    test('the first administrator: the set-up address, once', async () => {
      const { link } = await porteiro.json(['setup-url']);
      assert.match(link, /\/setup\?token=prt_setup_/);
      const her = browser({ language: 'pt-BR,pt;q=0.9,en;q=0.5' });
      const page = await her.open(link);
      checkHeaders(page);
      assert.equal(page.lang, 'pt-BR');
      const languages = shown => shown.tags.filter(tag => tag.hreflang);
      assert.ok(languages(page).length === 2 && languages(page).every(tag => tag.href.includes('token=prt_setup_')), page.html);
      const again = await her.submit(page, { ...account(10), password: 'short' });
      assert.deepEqual(languages(again), [], 'no link to the page without its token');
      checkHeaders(again);
      assert.equal(again.status, 400);
      assert.match(again.text, /A senha tem 5 caracteres; são necessários pelo menos 12/);
      assert.equal(again.form().fields.email, account(10).email, 'what was typed stays');
      assert.equal(again.form().fields.password, '');
      assert.equal(again.tags.find(tag => tag['aria-invalid'])?.type, 'password');
      const done = await her.submit(again, account(10));
      assert.deepEqual(done.trail, ['/']);
      const person = await me(her);
      assert.deepEqual([(await person.ok('GET', '/api/me')).admin, (await person.ok('GET', '/api/me')).language], [true, 'pt-BR']);
      const used = await browser().open(link);
      assert.equal(used.status, 403);
      assert.match(used.text, /used already/);
    });

    test('registering: by invitation only, the invitation once, an address confirmed by a mail', async () => {
      const nobody = browser();
      const closed = await nobody.open('/register');
      checkHeaders(closed);
      assert.equal(closed.status, 403);
      assert.match(closed.text, /by invitation/);
      const admin = await me(await loggedIn('ana10@example.test'));
      const { link } = await admin.ok('POST', '/api/invitations', { email: 'ana11@example.test' });
      assert.match(link, /\/invitation\?token=prt_lnk_/);
      const page = await nobody.open(link);
      assert.equal(page.form().fields.email, 'ana11@example.test');
      const other = await nobody.submit(page, { ...account(11), email: 'else@example.test' });
      assert.equal(other.status, 403);
      assert.deepEqual((await nobody.submit(page, account(11))).trail, ['/']);
      assert.equal((await browser().open(link)).status, 403);
      let confirm;
      await waitFor('the mail', () => (confirm = mail.mails.find(item => item.to[0] === 'ana11@example.test' && /^Confirm/.test(item.subject))));
      const address = confirm.text.match(/http\S+confirm-email\S+/)[0];
      const looked = await browser().open(address);
      await browser().open(address);
      checkHeaders(looked);
      assert.equal((await (await me(nobody)).ok('GET', '/api/me')).email_confirmed, false, 'looking at the link uses nothing up');
      const her = browser();
      const done = await her.submit(await her.open(address));
      assert.equal(done.status, 200);
      assert.match(done.text, /is confirmed/);
      assert.equal((await (await me(nobody)).ok('GET', '/api/me')).email_confirmed, true);
      const again = await her.submit(await her.open(address));
      assert.equal(again.status, 403);
    });

    test('administrators see how the server is set up, without its secrets', async () => {
      const admin = await me(await loggedIn('ana10@example.test'));
      const { items } = await admin.ok('GET', '/api/settings');
      const of = name => items.find(item => item.name === name);
      assert.equal(of('registration').value, 'invitation');
      assert.deepEqual([of('smtp_url').default, of('workers').default], [false, true]);
      assert.ok(items.length > 20 && items.every(item => item.meaning));
      assert.ok(!JSON.stringify(items).includes('mail%20password') && of('smtp_url').value !== mail.url);
    });

    test('logging in and out; a wrong password says no more than an unknown person', async () => {
      const her = browser();
      const page = await her.open('/login?next=/%23/connections');
      checkHeaders(page);
      const wrong = await her.submit(page, { emailOrPhone: 'ana11@example.test', password: 'not this one' });
      const unknown = await her.submit(page, { emailOrPhone: 'nobody@example.test', password: 'not this one' });
      checkHeaders(wrong);
      assert.equal(wrong.status, 401);
      assert.equal(wrong.text, unknown.text);
      assert.ok(!wrong.html.includes('not this one'));
      assert.equal(wrong.tags.find(tag => tag.role === 'alert').autofocus, '');
      assert.deepEqual((await her.submit(wrong, { emailOrPhone: '+55 11 99999 0011', password: PASSWORD })).trail[0], '/#/connections');
      assert.deepEqual((await her.open('/login?next=/logout')).trail, ['/logout'], 'who is logged in goes on');
      const out = await her.submit(await her.open('/logout'));
      assert.deepEqual(out.trail, ['/login?done=logout']);
      assert.match(out.text, /You are logged out/);
      assert.equal(her.jar.has('porteiro'), false);
      assert.deepEqual((await her.open('/logout')).trail, ['/login']);
    });

    test('a second factor: asked for in a second step, which holds no password', async () => {
      const person = await me(await invited(12));
      const { secret } = await person.ok('POST', '/api/me/second-factor');
      const left = 30_000 - (Date.now() % 30_000);
      if (left < 5000) await sleep(left); // the code before this one is good until the next begins
      const { recovery_codes: codes } = await person.ok('POST', '/api/me/second-factor/confirm', { code: totp(secret, Date.now() - 30000) });
      const her = browser();
      const step = await her.submit(await her.open('/login?next=/%23/audit'), { emailOrPhone: 'ana12@example.test', password: PASSWORD });
      checkHeaders(step);
      assert.ok(!step.html.includes(PASSWORD) && !her.jar.has('porteiro'));
      const wrong = await her.submit(step, { code: '000000' });
      assert.equal(wrong.status, 401);
      assert.equal((await her.submit(wrong, { code: '' })).status, 401);
      const thief = browser();
      thief.jar = new Map([['porteiro-form', 'a'.repeat(26)]]);
      const stolen = await thief.request('POST', '/login/code', { body: new URLSearchParams({ ...step.form().fields, code: codes[0] }).toString(), headers: { 'content-type': 'application/x-www-form-urlencoded' } });
      assert.equal(stolen.status, 403, 'bound to the browser');
      assert.deepEqual((await her.submit(wrong, { code: totp(secret) })).trail[0], '/#/audit');
      assert.equal((await her.submit(wrong, { code: codes[1] }, { follow: false })).headers.get('location'), '/#/audit', 'logged in already');
      const second = browser();
      const half = await second.submit(await second.open('/login'), { emailOrPhone: 'ana12@example.test', password: PASSWORD });
      assert.deepEqual((await second.submit(half, { code: codes[0].toUpperCase() })).trail, ['/']);
      const third = browser();
      const used = await third.submit(await third.open('/login'), { emailOrPhone: 'ana12@example.test', password: PASSWORD });
      assert.equal((await third.submit(used, { code: codes[0] })).status, 401, 'a recovery code is good once');
      const newer = browser();
      await newer.submit(await newer.open('/login'), { emailOrPhone: 'ana12@example.test', password: PASSWORD });
      assert.equal((await third.submit(used, { code: codes[2] })).status, 403, 'a newer login ends the one that was half done');
      await person.ok('POST', '/api/auth/prove', { password: PASSWORD });
      await person.ok('DELETE', '/api/me/second-factor');
    });

    test('a forgotten password: the same answer for everybody, a link good once, all logins end', async () => {
      const before = await invited(13);
      const her = browser();
      const ask = await her.open('/reset');
      checkHeaders(ask);
      const known = await her.submit(ask, { emailOrPhone: 'ana13@example.test' });
      const unknown = await her.submit(ask, { emailOrPhone: 'nobody@example.test' });
      assert.equal(known.text, unknown.text);
      let sent;
      await waitFor('the mail', () => (sent = mail.mails.find(item => item.to[0] === 'ana13@example.test' && /^A new password/.test(item.subject))));
      const address = sent.text.match(/http\S+reset\?token=\S+/)[0];
      await browser().open(address);
      const weak = await her.submit(await her.open(address), { password: 'passwordpassword' });
      assert.equal(weak.status, 400);
      const done = await her.submit(weak, { password: `${PASSWORD} 2` });
      assert.deepEqual(done.trail, ['/login?done=reset']);
      assert.match(done.text, /new password is set/);
      assert.equal((await her.submit(await her.open(address), { password: `${PASSWORD} 3` })).status, 403);
      assert.deepEqual((await before.open('/logout')).trail, ['/login'], 'the login before has ended');
      await loggedIn('ana13@example.test', `${PASSWORD} 2`);
    });

    test('forms of others, of other browsers, of nobody: never acted upon', async () => {
      const victim = await loggedIn('ana10@example.test');
      const page = await victim.open('/logout');
      const attacker = await invited(14);
      const foreign = (await attacker.open('/logout')).form().fields.form;
      const post = (fields, headers = {}) => victim.request('POST', '/logout', { body: new URLSearchParams(fields).toString(),
        headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers } });
      const attempts = {
        'no token': await post({}),
        'an empty one': await post({ form: '' }),
        "somebody else's": await post({ form: foreign }),
        'a made-up one': await post({ form: 'f'.repeat(64) }),
        'the right one from another origin': await post(page.form().fields, { origin: 'https://evil.example' }),
        'the right one from another site': await post(page.form().fields, { 'sec-fetch-site': 'cross-site' }),
        'the right one from a sister': await post(page.form().fields, { 'sec-fetch-site': 'same-site' }),
        'as JSON': await victim.request('POST', '/logout', { body: JSON.stringify(page.form().fields), headers: { 'content-type': 'application/json' } }),
        'as plain text': await victim.request('POST', '/logout', { body: `form=${page.form().fields.form}`, headers: { 'content-type': 'text/plain' } }),
      };
      for (const [name, answer] of Object.entries(attempts)) {
        checkHeaders(answer);
        assert.ok([400, 403].includes(answer.status), `${name}: ${answer.status}`);
      }
      assert.match(attempts['no token'].text, /Envie de novo/);
      assert.equal((await victim.open('/logout')).status, 200, 'still logged in');
      const early = browser();
      const login = await early.open('/login');
      early.jar.clear();
      const refused = await early.submit(login, { emailOrPhone: 'ana10@example.test', password: PASSWORD });
      assert.equal(refused.status, 403);
      assert.deepEqual((await early.submit(refused, { emailOrPhone: 'ana10@example.test', password: PASSWORD })).trail, ['/'], 'sent again it works');
    });

    test('next leads nowhere but here', async () => {
      const evil = ['https://evil.example', '//evil.example', '/\\evil.example', '\\\\evil.example', '/\t/evil.example', '/%09/evil.example', ' //evil.example', 'javascript:alert(1)', 'data:text/html,x',
        '/./..//evil.example', '/a//evil.example', 'evil.example', '/\r\nLocation: https://evil.example', '/é', '/\u0000', '', '.', 'http:evil.example', '/\u202emoc', '@evil.example', '?x', '#x'];
      const her = await loggedIn('ana10@example.test');
      for (const next of evil) {
        const answer = await her.request('GET', `/login?next=${encodeURIComponent(next)}`);
        assert.equal(answer.headers.get('location'), '/', JSON.stringify(next));
      }
      const good = ['/', '/#/connections', '/oauth/authorize?redirect_uri=https://client.example/back&scope=a%20b', '/connect/finish?token=x'];
      for (const next of good) assert.equal((await her.request('GET', `/login?next=${encodeURIComponent(next)}`)).headers.get('location'), next);
      const encoded = await her.request('GET', '/login?next=/%2Fevil.example');
      assert.equal(encoded.headers.get('location'), '/', 'decoded once, then judged');
      assert.equal((await her.request('GET', '/login?next=/%252F%252Fevil.example')).headers.get('location'), '/');
    });

    test('languages: what the browser asks for, what was chosen, what the account says', async () => {
      const lang = async (her, address = '/login') => (await her.open(address)).lang;
      assert.equal(await lang(browser()), 'en');
      assert.equal(await lang(browser({ language: 'pt' })), 'pt-BR');
      assert.equal(await lang(browser({ language: 'de, en;q=0.3, pt-PT;q=0.8' })), 'pt-BR');
      assert.equal(await lang(browser({ language: 'pt;q=0, en' })), 'en');
      assert.equal(await lang(browser({ language: ',;q=x,'.repeat(200) })), 'en');
      const her = browser({ language: 'en' });
      const links = (await her.open('/reset?token=a%26b')).tags.filter(tag => tag.hreflang);
      assert.deepEqual(links.map(tag => tag.hreflang), ['en', 'pt-BR']);
      const other = await her.open(links[1].href);
      assert.deepEqual([other.lang, other.form().fields.token], ['pt-BR', 'a&b'], 'the same page');
      assert.equal(await lang(her), 'pt-BR', 'and it is remembered');
      const root = await loggedIn('ana10@example.test');
      assert.equal(await lang(root, '/logout'), 'pt-BR', 'of the profile');
      const { email, phone } = account(19);
      await porteiro.json(['user', 'add', '--name', 'Who never chose', '--email', email, '--phone', phone, '--password-stdin'], { stdin: `${PASSWORD}\n` });
      const never = browser({ language: 'pt' });
      await never.submit(await never.open('/login'), { emailOrPhone: email, password: PASSWORD });
      assert.equal(await lang(never, '/logout'), 'pt-BR', 'still the browser\'s');
    });

    test('hostile text stays text', async () => {
      const hostile = ['<script>alert(1)</script>', '"><img src=x onerror=alert(1)>', "' onfocus=alert(1) autofocus='", '</title><script>', '&lt;b&gt;', '\u202egpj.exe', '<!--', ']]>', '{{7*7}}', '`${1}`', '\u0000\u0008', '\u2028', '<\u0000script>', '\ud83d\ude00', 'javascript:alert(1)', '%3Cscript%3E', '\x7f'];
      for (const text of hostile) {
        const her = browser();
        for (const [address, field] of [['/login', 'emailOrPhone'], ['/reset', 'emailOrPhone']]) {
          const page = await her.submit(await her.open(address), { [field]: text, password: text, form: '' });
          checkHeaders(page);
          assert.ok(!page.tags.some(tag => tag.element === 'script' || (tag.element === 'img' && tag.src !== '/favicon.svg')), text);
        }
        const page = await her.open(`/reset?token=${encodeURIComponent(text)}`);
        checkHeaders(page);
        if (!/[\u0000-\u0008]/.test(text)) assert.equal(page.form().fields.token, text);
        checkHeaders(await her.open(`/login?next=${encodeURIComponent(text)}&done=${encodeURIComponent(text)}&lang=${encodeURIComponent(text)}`));
        checkHeaders(await her.open(`/${encodeURIComponent(text)}`));
      }
      const raw = await browser().request('POST', '/login', { body: Buffer.from('emailOrPhone=%ff%fe%22%3e&password=x'), headers: { 'content-type': 'application/x-www-form-urlencoded' } });
      checkHeaders(raw);
      assert.equal(raw.status, 403);
    });

    test('what is not there, not allowed, too large, called by another name', async () => {
      const her = browser({ language: 'pt-BR' });
      const lost = await her.open('/nowhere');
      checkHeaders(lost);
      assert.equal(lost.status, 404);
      assert.match(lost.text, /Não há nada aqui/);
      const method = await her.request('DELETE', '/login');
      assert.equal(method.status, 405);
      assert.equal(method.headers.get('allow'), 'GET, HEAD, POST');
      checkHeaders(method);
      const large = await her.request('POST', '/login', { body: 'a='.padEnd(70_000, 'x'), headers: { 'content-type': 'application/x-www-form-urlencoded' } });
      assert.equal(large.status, 429);
      checkHeaders(large);
      assert.equal((await fetch(`${porteiro.origin}/nowhere`)).headers.get('content-type'), 'application/json', 'programs get JSON');
      const rebound = await porteiro.raw?.('GET /login HTTP/1.1\r\nHost: evil.example\r\nAccept: text/html\r\nConnection: close\r\n\r\n');
      if (rebound) assert.match(rebound, /^HTTP\/1.1 403/);
    });

    test('HEAD says what GET says, without the page', async () => {
      const head = await fetch(`${porteiro.origin}/login`, { method: 'HEAD' });
      assert.equal(head.status, 200);
      assert.equal(await head.text(), '');
      assert.equal(head.headers.get('content-type'), 'text/html; charset=utf-8');
    });

    test('no token of a link and no password is in the log', () => {
      assert.ok(!/prt_(lnk|ses)_|battery/.test(fs.readFileSync(porteiro.log, 'latin1')));
    });
  });
}

describe('files in the program', () => {
  const dist = path.join(root, 'dashboard/dist');
  const names = fs.readdirSync(dist, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile() && !/\.(br|gz)$/.test(entry.name)).map(entry => path.relative(dist, path.join(entry.parentPath, entry.name)));
  let porteiro;
  before(async () => (porteiro = await (await Porteiro.create({})).serve()));
  after(() => porteiro?.stop());
  // As sent: fetch would unpack.
  const get = (address, headers = {}, method = 'GET') => new Promise((resolve, reject) => {
    http.request(porteiro.origin + address, { method, headers }, answer => {
      const pieces = [];
      answer.on('data', piece => pieces.push(piece)).on('end', () => resolve({ status: answer.statusCode, headers: answer.headers, body: Buffer.concat(pieces) }));
    }).on('error', reject).end();
  });
  const addressOf = name => (name === 'index.html' ? '/' : `/${name}`);

  test('every file of the dashboard, in every form, as it was built', async () => {
    assert.ok(names.includes('index.html') && names.length > 10);
    for (const name of names) {
      const file = path.join(dist, name), plain = await get(addressOf(name));
      assert.equal(plain.status, 200, name);
      assert.deepEqual(plain.body, fs.readFileSync(file), name);
      assert.equal(plain.headers['content-encoding'], undefined);
      assert.equal(plain.headers.vary, 'Accept-Encoding');
      assert.equal(plain.headers['x-content-type-options'], 'nosniff');
      assert.equal(plain.headers['cache-control'], name === 'index.html' ? 'no-cache' : 'public, max-age=31536000, immutable');
      assert.match(plain.headers['content-type'], { '.js': /^text\/javascript/, '.css': /^text\/css/, '.html': /^text\/html/, '.svg': /^image\/svg\+xml$/ }[path.extname(name)], name);
      const tags = new Set([plain.headers.etag]);
      for (const [coding, ending] of [['br', '.br'], ['gzip', '.gz']]) {
        const packed = await get(addressOf(name), { 'accept-encoding': coding });
        assert.equal(packed.headers['content-encoding'], coding, name);
        assert.deepEqual(packed.body, fs.readFileSync(file + ending), name);
        const unpacked = coding === 'br' ? zlib.brotliDecompressSync(packed.body) : zlib.gunzipSync(packed.body);
        assert.deepEqual(unpacked, plain.body, `${name}${ending} is the file`);
        tags.add(packed.headers.etag);
        const known = await get(addressOf(name), { 'accept-encoding': coding, 'if-none-match': `"x", W/${packed.headers.etag}` });
        assert.deepEqual([known.status, known.body.length, known.headers.etag, known.headers.vary], [304, 0, packed.headers.etag, 'Accept-Encoding'], name);
      }
      assert.equal(tags.size, 3, 'each form has its own tag');
      const head = await get(addressOf(name), {}, 'HEAD');
      assert.deepEqual([head.status, head.body.length, head.headers['content-length'], head.headers.etag], [200, 0, String(plain.body.length), plain.headers.etag]);
    }
  });

  test('which form: what the browser says, and br before gzip', async () => {
    const script = addressOf(names.find(name => name.endsWith('.js')));
    const coding = async accept => (await get(script, { 'accept-encoding': accept })).headers['content-encoding'];
    assert.equal(await coding('gzip, deflate, br, zstd'), 'br');
    assert.equal(await coding('gzip;q=1.0, br;q=0'), 'gzip');
    assert.equal(await coding('gzip;q=0.000, br;q=0.001'), 'br');
    assert.equal(await coding('gzip;q=0, br;q=0.0'), undefined);
    assert.equal(await coding('identity'), undefined);
    assert.equal(await coding('GZIP'), 'gzip');
    assert.equal(await coding('xbr, brx, ;;,,q=1'), undefined);
    assert.equal((await get(script, { 'if-none-match': '*' })).status, 304);
    assert.equal((await get(script, { 'if-none-match': '"other"' })).status, 200);
  });

  test('the dashboard may run its own scripts and nothing else', async () => {
    const { headers, body } = await get('/');
    assert.equal(headers['content-security-policy'], "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'");
    assert.equal(headers['referrer-policy'], 'no-referrer');
    for (const [, tag, at] of body.toString().matchAll(/<(script|link)[^>]*(?:src|href)="([^"]*)"/g)) assert.equal((await get(at)).status, 200, `${tag} ${at}`);
    assert.ok(!/<script(?![^>]*src=)|<style|\sstyle=|\son\w+=/.test(body), 'nothing inline');
  });

  test('what pages link to is there; what is not there is 404, and no path leads out', async () => {
    const page = await get('/login');
    for (const [, at] of page.body.toString().matchAll(/<(?:link|img)[^>]*(?:href|src)="([^"]*)"/g)) assert.equal((await get(at)).status, 200, at);
    const icon = await get('/favicon.ico');
    assert.deepEqual([icon.status, icon.headers['content-type'], icon.body.readUInt16LE(2)], [200, 'image/x-icon', 1]);
    for (const at of ['/assets/', '/assets/x.js', '/assets/../index.html', '/assets/%2e%2e/index.html', '/assets//index.html', '/index.html', '/assets/index.js.gz', '/dashboard/dist/index.html', '/assets/..%2f..%2fetc/passwd', `/assets/${'a'.repeat(3000)}`])
      assert.equal((await get(at)).status, 404, at);
    assert.equal((await get('/', {}, 'POST')).status, 405);
  });
});

describe('what the pages say', () => {
  const sources = folder => fs.readdirSync(path.join(root, 'src', folder)).filter(name => name.endsWith('.c') && !name.endsWith('_test.c')).map(name => path.join(root, 'src', folder, name));
  // C string literals joined, %d and the like as holes.
  const literal = text => [...text.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(match => match[1]).join('').replace(/\\"/g, '"').replace(/%(\.\*s|[0-9.]*(?:ll|z)?[a-z])/g, '{}');
  const table = fs.readFileSync(path.join(root, 'src/web/problem.c'), 'utf8');
  const known = [...table.matchAll(/PROBLEM\(\s*(?:NULL|"[a-z]+"),\s*((?:"(?:[^"\\]|\\.)*"\s*)+),\s*((?:"(?:[^"\\]|\\.)*"\s*)+)\)/g)].map(match => [literal(match[1]), literal(match[2])]);

  test('every sentence of the table is one that the program says, and has as many holes in both languages', () => {
    const said = new Set();
    for (const folder of ['accounts', 'audit', 'call', 'crypto', 'limits', 'mcp', 'net', 'oauth', 'providers', 'providers/whatsapp', 'providers/wordpress', 'store', 'web']) {
      for (const file of sources(folder)) {
        for (const [, text] of fs.readFileSync(file, 'utf8').matchAll(/((?:"(?:[^"\\]|\\.)*"\s*)+)/g)) said.add(literal(text));
      }
    }
    assert.ok(known.length > 30);
    for (const [english, portuguese] of known) {
      assert.ok(said.has(english), `nothing says: ${english}`);
      assert.equal(portuguese.split('{}').length, english.split('{}').length, english);
    }
  });

  // What people can meet on a page or in the dashboard: nothing of it stays English. Left out is what only programs and operators get.
  test('what these can fail with is in the table', () => {
    const files = [
      'limits/tries.c', 'limits/gate.c', 'crypto/password.c', 'crypto/seal.c', 'call/rights.c', 'net/http_failure.c', 'audit/history.c', 'mcp/approve.c', 'mcp/take_back.c', 'providers/site.c', 'providers/wordpress/connect.c',
      ...['approvals', 'approver', 'audit', 'auth', 'changes', 'connections', 'events', 'me', 'oauth', 'people', 'providers', 'settings', 'tokens'].map(name => `web/api_${name}.c`), 'web/api.c',
      ...['authorize', 'connect', 'connect_doctor', 'connect_state', 'connections', 'contact', 'grants', 'login', 'owner', 'passwords', 'registration', 'sessions', 'token_rotate', 'tokens', 'totp', 'users'].map(name => `accounts/${name}.c`),
      ...['confirmations', 'connections', 'oauth_clients', 'proofs', 'providers', 'sessions', 'tokens', 'users'].map(name => `store/${name}.c`),
    ];
    const forPrograms = [/Authorization an API token/, /API token: log in/, /Send a JSON object/, /not good JSON/, /in the address/, /The address has a parameter/, /Approving is for people/, /^since:/, /This answer is a stream/, /must be a text\.$/, /is no JSON object/];
    const missing = [];
    let count = 0;
    for (const file of files) {
      const source = fs.readFileSync(path.join(root, 'src', file), 'utf8');
      const said = [
        ...source.matchAll(/\bfail\(\s*call,\s*E_(?!INTERNAL)[A-Z]+,\s*((?:"(?:[^"\\]|\\.)*"\s*)+)/g),
        ...source.matchAll(/\bverdict\(\s*probe,[^,]*,\s*(?:STR\(|call_format\(\s*call,)\s*((?:"(?:[^"\\]|\\.)*"\s*)+)/g),
      ].map(([, text]) => literal(text));
      count += said.length;
      for (const text of said.filter(text => text !== '{}')) if (!forPrograms.some(pattern => pattern.test(text)) && !known.some(([english]) => english === text)) missing.push(`${file}: ${text}`);
    }
    assert.ok(count > 120, `${count}`);
    assert.deepEqual(missing, [], 'src/web/problem.c has their other languages');
  });
});
