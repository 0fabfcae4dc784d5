// Every command's JSON against the table of docs/cli.md; the text forms; and what a connection's life looks like.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import zlib from 'node:zlib';
import { fixtures } from '../integration/lib/fixtures.mjs';
import { Porteiro } from '../integration/lib/porteiro.mjs';
import { documentedShapes, misfits, ping } from './lib.mjs';
import { openSqlite } from '../integration/lib/sqlite.mjs';

const ANA = 'ana@example.test';
const PASSWORD = 'correct horse battery staple';

describe('answers have the shapes of docs/cli.md', () => {
  const shapes = documentedShapes();
  const compared = new Set();
  const site = fixtures.sites.new;
  const secret = site.users.editor.app_password;
  let porteiro, connection, token;
  before(async () => {
    porteiro = await Porteiro.create();
  });
  after(() => porteiro?.stop());

  // Runs it, compares its answer, and gives it.
  async function fits(args, { stdin, shape = 0 } = {}) {
    const words = shapes[args.slice(0, 2).join(' ')] ? args.slice(0, 2).join(' ') : args[0]; // with its verb, if it has any
    const answer = await porteiro.json(args, { stdin });
    assert.ok(shapes[words]?.[shape], `${words} is in the table`);
    assert.deepEqual(misfits(shapes[words][shape], answer), [], words);
    compared.add(words);
    return answer;
  }

  test('migrate, version, config', async () => {
    assert.equal((await fits(['migrate', '--status'], { shape: 1 })).state, 'empty');
    assert.equal((await fits(['migrate'])).was_empty, true);
    assert.equal((await fits(['migrate', '--status'], { shape: 1 })).state, 'current');
    await fits(['version']);
    await fits(['doctor']);
    await fits(['completion', 'fish']);
    assert.match((await fits(['manual'])).text, /^\.TH PORTEIRO 1 /);
    assert.equal((await fits(['config', 'check'])).ok, true);
  });

  test('no invitation where nobody could use it', async () => {
    const { code, stderr } = await porteiro.cli(['user', 'invite', '--email', 'nobody@example.test'], { env: { PORTEIRO_REGISTRATION: 'closed' } });
    assert.equal(code, 1);
    assert.match(stderr, /nobody could use an invitation/);
  });

  test('user', async () => {
    assert.match((await fits(['setup-url'])).link, /^http.*\/setup\?token=prt_setup_/);
    assert.match((await fits(['user', 'invite', '--email', 'bia@example.test'])).link, /\/invitation\?token=prt_lnk_/);
    const ana = await fits(['user', 'add', '--name', 'Ana', '--email', 'Ana@Example.test', '--phone', '+55 11 99999-0001', '--password-stdin'], { stdin: PASSWORD });
    assert.deepEqual([ana.email, ana.phone], [ANA, '5511999990001']);
    assert.deepEqual((await fits(['user', 'list'])).items, [ana]);
    assert.equal((await fits(['user', 'check', '--email', ANA, '--password-stdin'], { stdin: PASSWORD })).id, ana.id);
    assert.equal((await fits(['user', 'confirm', ANA])).confirmed, true);
    assert.match((await fits(['user', 'reset-link', ANA])).link, /\/reset\?token=prt_lnk_/);
    await fits(['user', 'passwd', String(ana.id), '--password-stdin'], { stdin: 'another long password' });
    await fits(['user', 'passwd', '--email', ANA, '--password-stdin'], { stdin: PASSWORD });
  });

  test('provider', async () => {
    assert.ok((await fits(['provider', 'list'])).items.some(item => item.key === 'wordpress' && item.enabled && item.known));
    assert.equal((await fits(['provider', 'disable', 'wordpress'])).enabled, false);
    assert.equal((await fits(['provider', 'enable', 'wordpress'])).enabled, true);
  });

  test('connection', async () => {
    connection = await fits(porteiro.connectionArgs(site), { stdin: `${secret}\n` });
    assert.deepEqual(connection.rights, ['read', 'draft']);
    assert.equal(connection.found.user, 'editor');
    const id = String(connection.id);
    const [listed] = (await fits(['connection', 'list', '--user', ANA])).items;
    assert.equal(listed.check.ok, true);
    assert.equal(listed.check.error, null);
    const { config, ...shown } = await fits(['connection', 'show', id]);
    assert.deepEqual(shown, listed);
    assert.ok(JSON.stringify(config).includes('127.0.0.1'));
    assert.equal((await fits(['connection', 'test', id])).ok, true);
    await fits(['connection', 'set-secret', id, '--username', 'editor', '--secret-stdin'], { stdin: secret.replaceAll(' ', '') });
    connection.token = (await fits(['connection', 'rotate-token', id])).token;
    assert.equal((await fits(['connection', 'pause', id])).status, 'paused');
    assert.equal((await fits(['connection', 'resume', id])).status, 'active');
  });

  test('connection import: a table of sites, each row with its own result', async () => {
    const file = path.join(porteiro.dir, 'sites.csv');
    fs.writeFileSync(file, `\ufeffurl;User;Password;name;rights\r\n${site.url};editor;"${secret}";"One; two";read\r\n${site.url};editor;aaaa bbbb;two;\r\n\r\nnot an address;editor;${secret};;\r\n${site.url};editor;${secret};three;fly\r\n`);
    const args = ['connection', 'import', file, '--user', ANA];
    const { code, stdout, stderr } = await porteiro.cli([...args, '--json']);
    assert.equal(code, 1, stderr);
    const answer = JSON.parse(stdout);
    assert.deepEqual(misfits(shapes['connection import'][0], answer), []);
    compared.add('connection import');
    assert.deepEqual([answer.connected, answer.failed], [1, 3]);
    assert.deepEqual(answer.items.map(item => [item.line, item.ok]), [[2, true], [3, false], [5, false], [6, false]]);
    assert.match(answer.items[0].token, /^prt_pat_/);
    assert.equal(answer.items[0].name, 'One; two');
    assert.ok(answer.items.slice(1).every(item => item.message && item.token === null));
    assert.ok(!stdout.includes('bbbb') && !stderr.includes('bbbb'), 'no password comes back');
    await porteiro.json(['connection', 'delete', String(answer.items[0].id)]);
    fs.writeFileSync(file, `url,username,app_password\n${site.url},editor,${secret}\n`);
    const { items } = await fits(args);
    assert.equal(items[0].name, '127.0.0.1');
    await porteiro.json(['connection', 'delete', String(items[0].id)]);
    // As a spreadsheet in Portuguese saves it.
    for (const heading of ['Endereço;Usuário;Senha de aplicativo;Nome', 'ENDERECO;USUÁRIO;SENHA DE APLICATIVO;nome', 'Site;usuario;Senha;Nome', 'Enderec\u0327o;Usua\u0301rio;senha de aplicativo;NOME']) {
      fs.writeFileSync(file, `\ufeffsep=;\r\n${heading}\r\n;;;\r\n${site.url};editor;${secret};Loja\r\n ; ;;\r\n`);
      const { connected, failed, items: [shop] } = await fits(args);
      assert.deepEqual([connected, failed, shop.line, shop.name], [1, 0, 4, 'Loja'], heading);
      await porteiro.json(['connection', 'delete', String(shop.id)]);
    }
    // Too many: before the first is connected, whose token would never be shown.
    const row = `${site.url},editor,${secret}\n`, before = (await porteiro.json(['connection', 'list'])).items.length;
    fs.writeFileSync(file, `url,username,app_password\n${row.repeat(1001)}`);
    const many = await porteiro.cli(args);
    assert.equal(many.code, 1);
    assert.match(many.stderr, /more than 1000 rows.*Nothing was stored/);
    assert.equal((await porteiro.json(['connection', 'list'])).items.length, before);
    for (const [text, sentence] of [['url,username,app_password\n', /no row under them/], ['sep=;\r\nURL;User;Password\r\n;;\r\n', /no row under them/], ['', /first line names the columns/], ['url,username\n', /missing is "app_password"/], ['url,username,app_password,colour\n', /no column "colour"/], ['url,url,username,app_password\n', /twice there is "url"/]]) {
      fs.writeFileSync(file, text);
      const refused = await porteiro.cli(args);
      assert.equal(refused.code, 1);
      assert.match(refused.stderr, sentence);
    }
  });

  test('oauth-client', async () => {
    const asks = await fits(['oauth-client', 'add', '--name', 'n8n', '--redirect', 'https://n8n.example/callback', '--redirect', 'http://127.0.0.1/callback']);
    assert.match(asks.client_secret, /^prt_ocs_/);
    assert.deepEqual(asks.redirects, ['https://n8n.example/callback', 'http://127.0.0.1/callback']);
    const own = await fits(['oauth-client', 'add', '--name', 'CI', '--connection', String(connection.id), '--rights', 'read']);
    assert.deepEqual([own.connection, own.rights], [String(connection.id), ['read']]);
    assert.equal((await fits(['oauth-client', 'add', '--name', 'SPA', '--redirect', 'https://spa.example/', '--public'])).client_secret, null);
    assert.equal((await fits(['oauth-client', 'list'])).items.length, 3);
    await fits(['oauth-client', 'delete', own.client_id]);
    for (const wrong of [['--redirect', 'http://spa.example/'], [], ['--connection', '99999'], ['--connection', String(connection.id), '--public']]) {
      const refused = await porteiro.cli(['oauth-client', 'add', '--name', 'x', ...wrong]);
      assert.equal(refused.code, 1, wrong.join(' '));
    }
  });

  test('token', async () => {
    token = await fits(['token', 'add', '--connection', String(connection.id), '--name', 'laptop', '--rights', 'read,publish', '--expires', '90d']);
    const days = (Date.parse(token.expires_at) - Date.now()) / 86_400_000;
    assert.ok(days > 89.9 && days < 90.1, token.expires_at);
    const { items } = await fits(['token', 'list', '--connection', String(connection.id)]);
    assert.deepEqual(items.find(item => item.id === token.id).rights, ['read', 'publish']);
    assert.deepEqual(items.map(item => item.state).sort(), ['active', 'active', 'revoked']);
    await fits(['token', 'revoke', String(token.id)]);
    const second = await porteiro.addConnection(site, { name: 'Shop 2' });
    const both = await porteiro.addToken(connection.id, '--connection', `${second.id}=read`);
    const all = (await porteiro.json(['token', 'list'])).items;
    assert.deepEqual(all.find(item => item.id === both.id).sites, ['blog', 'shop-2']);
    assert.deepEqual(all.find(item => item.id === token.id).sites, []);
    await porteiro.json(['connection', 'delete', String(second.id)]);
    await porteiro.json(['token', 'revoke', String(both.id)]);
  });

  test('approval', async () => {
    const [{ id: tokenId }] = (await porteiro.json(['token', 'list', '--connection', String(connection.id)])).items;
    const database = openSqlite(path.join(porteiro.dir, 'porteiro.db'));
    const insert = database.prepare(`INSERT INTO mcp_confirmations (id, user_id, connection_id, token_id, kind, tool, digest, what, state, created_at, expires_at)
      VALUES (?, 1, ?, ?, 'human', 'wp_delete', 'x', 'Delete a page', 'pending', '2026-01-01 00:00:00.000', '2099-01-01 00:00:00.000')`);
    for (const id of ['first', 'second']) insert.run(id, connection.id, tokenId);
    database.close();
    assert.deepEqual((await fits(['approval', 'list'])).items.map(item => item.state), ['pending', 'pending']);
    assert.equal((await fits(['approval', 'approve', 'first'])).state, 'approved');
    assert.equal((await fits(['approval', 'refuse', 'second'])).state, 'refused');
    assert.equal((await porteiro.cli(['approval', 'approve', 'second'])).code, 1, 'decided is decided');
  });

  test('audit', async () => {
    const { items } = await fits(['audit', 'list']);
    assert.ok(items.length > 10 && items.every(item => item.chained));
    assert.equal((await fits(['audit', 'list', '--limit', '2', '--user', ANA, '--since', '1h'])).items.length, 2);
    const older = (await fits(['audit', 'list', '--before', String(items[2].id), '--limit', '1'])).items;
    assert.equal(older[0].id, items[3].id);
    assert.deepEqual((await fits(['audit', 'list', '--action', 'nonsense.'])).items, []);
    const verdict = await fits(['audit', 'verify']);
    assert.ok(verdict.ok && verdict.rows >= items.length && verdict.checkpoints > 0);
    const file = path.join(porteiro.dir, 'events.jsonl');
    assert.ok((await fits(['audit', 'export', '--output', file])).events >= items.length);
    const lines = fs.readFileSync(file, 'utf8').trim().split('\n').map(line => JSON.parse(line));
    assert.ok(lines.every(line => line.data.chain.hash));
    assert.equal((await porteiro.cli(['audit', 'export', '--output', file])).code, 1, 'a file that is there stays');
    const csv = await porteiro.cli(['audit', 'export', '--format', 'csv', '--user', ANA, '--since', '1h']);
    assert.match(csv.stdout, /^id,at,action,.*\r\n\d+,\d{4}-/);
    assert.equal((await fits(['audit', 'prune', '--before', '30d'])).removed, 0);
    for (const before of ['2099-01-01', '2999-12-31T00:00:00Z']) {
      const refused = await porteiro.cli(['audit', 'prune', '--before', before]);
      assert.equal(refused.code, 2, refused.stderr);
      assert.match(refused.stderr, /still to come.*Nothing was removed/);
    }
    assert.equal((await fits(['audit', 'verify'])).rows, verdict.rows, 'every event is still there');
  });

  test('key', async () => {
    assert.equal((await fits(['key', 'rotate'])).current, 2);
    assert.equal((await fits(['key', 'status'])).rotating, true);
    assert.equal((await fits(['key', 'retire', '1'])).current, 2);
  });

  test('backup, restore', async () => {
    const file = path.join(porteiro.dir, 'backup.jsonl');
    const { rows } = await fits(['backup', file]);
    assert.equal((await fits(['restore', file, '--verify'])).rows, rows);
    const { stdout: text } = await porteiro.cli(['backup', '-']);
    const had = fs.readdirSync(porteiro.dir).sort();
    const piped = await fits(['restore', '--verify', '-'], { stdin: text });
    assert.ok(piped.rows >= rows && !piped.restored, JSON.stringify(piped));
    for (const [stdin, sentence] of [
      [text.slice(0, text.length / 2), /standard input, line \d+: the file ends in the middle of a line/],
      ['', /standard input, line 1: /],
      [zlib.gzipSync(text), /standard input: this is compressed: gunzip it first/],
    ]) {
      const refused = await porteiro.cli(['restore', '--verify', '-'], { stdin });
      assert.equal(refused.code, 1);
      assert.match(refused.stderr, sentence);
    }
    assert.deepEqual(fs.readdirSync(porteiro.dir).sort(), had, 'nothing of it stays');
    fs.writeFileSync(`${file}.gz`, zlib.gzipSync(text));
    assert.match((await porteiro.cli(['restore', '--verify', `${file}.gz`])).stderr, /backup\.jsonl\.gz: this is compressed: gunzip it first/);
  });

  test('a text answer to every command that only looks', async () => {
    for (const [args, words] of [
      [['user', 'list'], /^id +name +email/],
      [['connection', 'list'], /blog +wordpress +ana@example\.test +active/],
      [['connection', 'show', String(connection.id)], /check site +MCP test site/],
      [['token', 'list'], /laptop/],
      [['provider', 'list'], /wordpress/],
      [['audit', 'list', '--limit', '3'], /^id +at +action/],
      [['audit', 'verify'], /ok +yes/],
    ]) {
      const { code, stdout } = await porteiro.cli(args);
      assert.equal(code, 0);
      assert.match(stdout, words);
      assert.ok(stdout.endsWith('\n') && !stdout.includes('{"items"'));
    }
  });

  test('the server beside it, and the end of things', async () => {
    await porteiro.serve();
    const announced = fs.readFileSync(porteiro.log, 'utf8');
    assert.match(announced, /^address +http/m);
    assert.match(announced, /^next +give AI clients/m);
    compared.add('serve'); // its JSON form is compared in frame.test.mjs
    compared.add('mail test'); // it needs a mail server, in tests/integration/mail.test.mjs
    for (const words of ['connection state', 'message inbox', 'message read', 'message templates', 'message export', 'message erase', 'message sent', 'message optout']) compared.add(words); // with a service of messages, in tests/integration/whatsapp.test.mjs
    compared.add('stdio'); // it answers an MCP client, in tests/workers/stdio.test.mjs
    assert.equal(await ping(porteiro.url, connection.token), 200);
    const id = String(connection.id);
    assert.equal((await fits(['connection', 'revoke', id])).status, 'revoked');
    assert.equal(await ping(porteiro.url, connection.token), 401);
    assert.equal((await porteiro.cli(['connection', 'resume', id])).code, 1, 'revoked is for good');
    await fits(['connection', 'delete', id]);
    await fits(['user', 'delete', ANA]);
    assert.deepEqual((await fits(['user', 'list'])).items, []);
  });

  test('no row of the table was left out', () => {
    assert.deepEqual(Object.keys(shapes).filter(command => !compared.has(command)), []);
  });
});

describe('connection add', () => {
  const site = fixtures.sites.new;
  let porteiro;
  before(async () => {
    porteiro = await Porteiro.create();
    await porteiro.addUser();
  });

  test('shows the token with a line to paste, and remarks apart from the answer', async () => {
    const { code, stdout, stderr } = await porteiro.cli(porteiro.connectionArgs(site), { stdin: site.users.editor.app_password });
    assert.equal(code, 0, stderr);
    const token = /^token +(\S+)$/m.exec(stdout)[1];
    assert.ok(stdout.includes(`claude mcp add --transport http porteiro ${porteiro.origin}/mcp --header "Authorization: Bearer ${token}"`));
    assert.match(stderr, /looking at/);
  });

  test('a wrong password: the cause and the fix, code 1, and nothing is stored', async () => {
    const args = porteiro.connectionArgs(site, { name: 'other' });
    const { code, stdout, stderr } = await porteiro.cli([...args, '--json'], { stdin: 'aaaa bbbb cccc dddd eeee ffff' });
    assert.equal(code, 1);
    assert.equal(stdout, '');
    const { error } = JSON.parse(stderr);
    assert.equal(error.code, 'upstream');
    assert.match(error.detail, /^[a-z_]+$/, 'the stable code of the cause');
    assert.match(error.message, /application password/i);
    assert.equal((await porteiro.json(['connection', 'list'])).items.length, 1);
  });

  test('a field that is missing, and rights nobody knows', async () => {
    const without = porteiro.connectionArgs(site, { name: 'x' }).filter((arg, i, all) => arg !== '--url' && all[i - 1] !== '--url');
    const missing = await porteiro.cli(without, { stdin: 'x' });
    assert.equal(missing.code, 2);
    assert.match(missing.stderr, /--url is missing/);
    const rights = await porteiro.cli(porteiro.connectionArgs(site, { name: 'x', rights: 'read,everything' }), { stdin: 'x' });
    assert.notEqual(rights.code, 0);
    assert.match(rights.stderr, /everything/);
  });

  test('for a user nobody knows', async () => {
    const { code, stderr } = await porteiro.cli(porteiro.connectionArgs(site, { user: 'nobody@example.test', name: 'x' }), { stdin: 'x' });
    assert.equal(code, 1);
    assert.match(stderr, /nobody@example\.test|user/);
  });

  test('our own address is refused as a site', async () => {
    await porteiro.serve();
    const { code, stderr } = await porteiro.cli(porteiro.connectionArgs(site, { name: 'loop', url: porteiro.origin }), { stdin: 'x' });
    await porteiro.stop();
    assert.equal(code, 1);
    assert.match(stderr, /own|itself|this server/i);
  });
});
