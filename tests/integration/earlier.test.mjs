// The 37 defects of the earlier implementation, one test each, with its number. Many of them have deeper tests elsewhere; these are
// the direct ones: what went wrong there is done again here.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Person } from './lib/api.mjs';
import { startFakeSite } from './lib/fake-site.mjs';
import { fixtures } from './lib/fixtures.mjs';
import { callTool, legacy, post, request } from './lib/mcp.mjs';
import { Porteiro } from './lib/porteiro.mjs';
import { query } from './lib/postgres.mjs';
import { exchange } from './lib/raw.mjs';
import { ROOT, mustRun, waitFor } from './lib/process.mjs';
import { dump, rest } from './lib/wordpress.mjs';

const PASSWORD = 'correct horse battery staple';
const PNG = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');

describe('the defects of the earlier implementation', () => {
  let porteiro, site, root, ana, bia, connection, anaId;
  const sql = text => mustRun('psql', ['-qX', '-v', 'ON_ERROR_STOP=1', porteiro.database.url, '-c', text]);
  const rows = (text) => query(porteiro.database.url, text);
  const call = (name, args, token = connection.token) => callTool(porteiro.url, token, name, args);
  const alive = async token => (await legacy(porteiro.url, token, 'tools/list')).status;
  const anonymous = () => new Person(porteiro);
  const invite = async (email, more) => {
    const { link } = await root.ok('POST', '/api/invitations', { email });
    const person = anonymous();
    const answer = await person.call('POST', '/api/auth/register', { name: email, email, password: PASSWORD, invitation: new URL(link).searchParams.get('token'), ...more });
    return { person, answer };
  };
  const connect = (person, name, more = {}) => person.ok('POST', '/api/connections', { provider: 'wordpress', name, config: { url: site.url },
    secrets: { username: 'editor', app_password: site.users.editor.app_password }, rights: 'read,draft,publish,delete,fetch', ...more });

  before(async () => {
    porteiro = await Porteiro.create({ database: fixtures.postgres.port, env: { PORTEIRO_TRUSTED_PROXIES: '127.0.0.1' } });
    await porteiro.serve();
    site = await startFakeSite(fixtures.sites.new);
    root = anonymous();
    const { link } = await porteiro.json(['setup-url']);
    await root.ok('POST', '/api/auth/register', { name: 'Root', email: 'root@example.test', phone: '+14155552671', password: PASSWORD, invitation: new URL(link).searchParams.get('token') });
    ({ person: ana } = await invite('ana@example.test', { phone: '+5511999990001' }));
    ({ person: bia } = await invite('bia@example.test', { phone: '+5511999990002' }));
    anaId = (await ana.ok('GET', '/api/me')).id;
    connection = await connect(ana, 'blog');
  });
  after(async () => {
    await porteiro?.stop();
    await site?.stop();
  });

  describe('access control', () => {
    test('1. connections are listed, read, changed, rotated, revoked, tested and deleted by their owner only', async () => {
      const id = connection.id;
      for (const person of [anonymous(), new Person(porteiro, { bearer: 'eyJhbGciOiJIUzI1NiJ9.eyJpZCI6MX0.x' }), bia]) {
        const list = await person.call('GET', '/api/connections');
        assert.ok(person === bia ? list.status === 200 && list.json.items.length === 0 : list.status === 401);
        for (const [method, end, body] of [['GET', ''], ['PATCH', '', { name: 'mine' }], ['DELETE', ''], ['POST', '/rotate-token'], ['POST', '/revoke'], ['POST', '/test']]) {
          assert.equal((await person.call(method, `/api/connections/${id}${end}`, body)).status, person === bia ? 404 : 401, `${method} ${end}`);
        }
      }
      const seen = JSON.stringify(await ana.ok('GET', '/api/connections'));
      assert.ok(!seen.includes(connection.token) && !seen.includes(site.users.editor.app_password), 'not even to her in clear');
    });
    test('2. nobody creates a connection without being logged in', async () => {
      const [{ n: before }] = await rows('SELECT count(*)::int AS n FROM mcp_service_connections');
      assert.equal((await anonymous().call('POST', '/api/connections', { provider: 'wordpress', name: 'x', config: { url: site.url }, secrets: { username: 'a', app_password: 'b' } })).status, 401);
      assert.equal((await rows('SELECT count(*)::int AS n FROM mcp_service_connections'))[0].n, before);
    });
    test('3. there are no debug endpoints, and no oracle for tokens', async () => {
      for (const route of ['/api/debug/db', '/api/debug/db?counts=1', `/api/debug/connection/${connection.id}`, `/api/debug/token/${connection.token}`]) {
        const answer = await root.call('GET', route);
        assert.equal(answer.status, 404, route);
        assert.ok(!answer.text.includes(connection.token) && !/token_hash|secret_json/.test(answer.text));
      }
    });
    test('4. health tells no database address', async () => {
      for (const route of ['/healthz', '/readyz', '/api/health']) {
        const answer = await anonymous().call('GET', route);
        assert.ok(!/postgres|127\.0\.0\.1|DATABASE|sqlite/i.test(answer.text), `${route}: ${answer.text}`);
      }
    });
    test('5. nobody makes kinds of services by HTTP', async () => {
      for (const person of [anonymous(), ana, root]) for (const route of ['/api/providers', '/api/providers/seed']) assert.ok([404, 405].includes((await person.call('POST', route, { key: 'evil', name: 'x' })).status));
      assert.equal((await ana.call('PATCH', '/api/providers/wordpress', { enabled: false })).status, 403);
    });
    test('6. no default secrets; a sealed password does not open in another row', async () => {
      const mode = fs.statSync(path.join(porteiro.dir, 'master.key')).mode & 0o777;
      assert.equal(mode, 0o600);
      const other = await connect(ana, 'other');
      await sql(`UPDATE mcp_service_connections SET secret_json = (SELECT secret_json FROM mcp_service_connections WHERE id = ${connection.id}) WHERE id = ${other.id}`);
      site.requests.length = 0;
      const answer = await ana.call('POST', `/api/connections/${other.id}/test`);
      assert.ok(answer.status >= 400 || answer.json.ok === false, answer.text);
      assert.equal(site.requests.filter(sent => sent.headers.authorization).length, 0, 'and nothing was sent with it');
      await ana.ok('DELETE', `/api/connections/${other.id}`);
    });
    test('7. a phone number has digits, and an unknown e-mail logs nobody in', async () => {
      const { answer } = await invite('phone@example.test', { phone: 'abc' });
      assert.equal(answer.status, 400);
      for (const who of ['nobody@example.test', '', 'abc', '+', '@']) assert.ok([400, 401].includes((await anonymous().call('POST', '/api/auth/login', { emailOrPhone: who, password: PASSWORD })).status), who);
    });
    test('8. logins are limited, known and unknown people get the same answer, and tries for unknown ones are audited', async () => {
      const tries = await Promise.all(Array.from({ length: 20 }, (_, i) => anonymous().call('POST', '/api/auth/login', { emailOrPhone: 'ghost@example.test', password: `wrong ${i}` }, { headers: { 'x-forwarded-for': `10.8.0.${i}` } })));
      assert.ok(tries.some(answer => answer.status === 429) && tries.some(answer => answer.status === 401));
      const known = await anonymous().call('POST', '/api/auth/login', { emailOrPhone: 'bia@example.test', password: 'wrong' }, { headers: { 'x-forwarded-for': '10.8.1.1' } });
      assert.equal(known.text, tries.find(answer => answer.status === 401).text);
      assert.ok((await rows("SELECT count(*)::int AS n FROM mcp_audit_logs WHERE action = 'auth.login_failed' AND data->>'emailOrPhone' = 'ghost@example.test'"))[0].n > 0);
    });
    test('9. there is no administrator key to compare: what is an administrator\'s needs an administrator', async () => {
      assert.equal((await anonymous().call('POST', '/api/admin/migrate', {}, { headers: { 'x-admin-key': 'change-me' } })).status, 404);
      for (const person of [anonymous(), ana]) assert.ok([401, 403].includes((await person.call('GET', '/api/users', undefined, { headers: { ...person.headers(), 'x-admin-key': 'change-me' } })).status));
    });
    test('10. a token in the address is refused and stays out of the log; a foreign Origin or Host is refused', async () => {
      const ask = (url, headers) => post(url, null, request('tools/list'), headers);
      assert.equal((await ask(`${porteiro.url}?token=${connection.token}`)).status, 401);
      assert.equal((await ask(porteiro.url, { Authorization: `Bearer ${connection.token}`, Origin: 'https://evil.example' })).status, 403);
      const { statuses } = await exchange(porteiro.port, `POST /mcp HTTP/1.1\r\nHost: evil.example\r\nAuthorization: Bearer ${connection.token}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
      assert.ok([400, 403, 421].includes(statuses[0]), statuses[0]);
      assert.ok(!fs.readFileSync(porteiro.log, 'utf8').includes(connection.token));
    });
    test('11. a service that is switched off, and a connection that is not active, are not served', async () => {
      await root.ok('PATCH', '/api/providers/wordpress', { enabled: false });
      await new Promise(done => setTimeout(done, 1100)); // what was believed is believed for a second
      assert.notEqual(await alive(connection.token), 200);
      await root.ok('PATCH', '/api/providers/wordpress', { enabled: true });
      for (const status of ['inactive', 'error', 'paused']) {
        await sql(`UPDATE mcp_service_connections SET status = '${status}' WHERE id = ${connection.id}`);
        await new Promise(done => setTimeout(done, 1100));
        assert.notEqual(await alive(connection.token), 200, status);
      }
      await sql(`UPDATE mcp_service_connections SET status = 'active' WHERE id = ${connection.id}`);
      await waitFor('the connection to be served again', async () => (await alive(connection.token)) === 200);
    });
    test('12. the hash on the connection is no second way in', async () => {
      const other = await connect(ana, 'twelve');
      assert.equal(await alive(other.token), 200);
      await sql(`DELETE FROM mcp_tokens WHERE connection_id = ${other.id}`);
      await new Promise(done => setTimeout(done, 1100));
      assert.equal(await alive(other.token), 401);
      await ana.ok('DELETE', `/api/connections/${other.id}`);
    });
    test('13. a login can be ended, and ends with its person', async () => {
      const { person } = await invite('gone@example.test', { phone: '+5511999990013' });
      const laptop = anonymous();
      await laptop.login('gone@example.test', PASSWORD);
      await laptop.ok('POST', '/api/auth/logout');
      assert.equal((await laptop.call('GET', '/api/me')).status, 401);
      await root.ok('DELETE', `/api/users/${(await person.ok('GET', '/api/me')).id}`);
      assert.equal((await person.call('GET', '/api/me')).status, 401);
    });
    test('14. names are data, pages run nothing of others, and answers say how to treat them', async () => {
      const evil = '<img src=x onerror=alert(1)>';
      const other = await connect(ana, evil);
      const list = await ana.call('GET', '/api/connections');
      assert.equal(list.json.items.find(item => item.id === other.id).name, evil);
      assert.equal(list.headers.get('x-content-type-options'), 'nosniff');
      assert.equal(list.headers.get('x-powered-by'), null);
      assert.match((await ana.call('POST', '/api/auth/logout', undefined, { headers: {} })).headers.get('set-cookie') ?? 'HttpOnly', /HttpOnly/);
      const page = await fetch(`${porteiro.origin}/login`);
      if (page.ok) {
        assert.match(page.headers.get('content-security-policy'), /default-src 'none'/);
        assert.ok(!/unpkg|cdn|<script/i.test(await page.text()));
      }
      await ana.ok('DELETE', `/api/connections/${other.id}`);
    });
    test('15. an address inside our network is not called, and a site has limits of time and size', async () => {
      const asked = [];
      const server = net.createServer(socket => { asked.push(1); socket.destroy(); }).listen(0, '127.0.0.1');
      await new Promise(done => server.once('listening', done));
      const strict = await (await Porteiro.create({ egress: null })).serve();
      try {
        await strict.addUser();
        const answer = await strict.cli(strict.connectionArgs({ url: `http://127.0.0.1:${server.address().port}` }), { stdin: 'x\n' });
        assert.equal(answer.code, 1);
        for (const url of ['http://169.254.169.254/', 'https://[::1]/', 'https://10.0.0.1/', 'https://0x7f.1/']) assert.equal((await strict.cli(strict.connectionArgs({ url }), { stdin: 'x\n' })).code, 1, url);
        assert.equal(asked.length, 0);
      } finally {
        await strict.stop();
        server.close();
      }
      site.answer = (sent, response) => { response.writeHead(200, { 'content-type': 'application/json' }); const drop = () => response.write(Buffer.alloc(1 << 20, 32)) && setImmediate(drop); response.on('drain', drop).on('error', () => {}); drop(); };
      assert.equal((await call('wp_find', { type: 'post' })).isError, true);
      site.answer = null;
    });
    test('16. no path leaves the REST API with the site\'s password', async () => {
      site.requests.length = 0;
      for (const name of ['GET ../../x', 'GET /../wp-admin/', 'GET /wp/v2/..%2f..%2fx', 'GET //evil.example/x', 'GET /wp/v2/posts/../../../x']) {
        const answer = await call('wp_get', { name }).catch(() => ({ isError: true }));
        assert.equal(answer.isError, true, name);
      }
      assert.deepEqual(site.requests.filter(sent => sent.headers.authorization && !/^\/(wp-json|\?rest_route|index\.php\?rest_route)/.test(sent.url)).map(sent => sent.url), []);
    });
    test('17. a database elsewhere must prove who it is, and the server listens on this machine only', async t => {
      const plain = await Porteiro.create();
      delete plain.env.PORTEIRO_LISTEN;
      const { settings } = await plain.json(['config', 'check']);
      assert.match(settings.find(item => item.name === 'listen').value, /^127\.0\.0\.1:/);
      // A server that has no TLS, at an address that is not this machine's loopback: it gets the question for TLS, and no name or password.
      const elsewhere = Object.values(os.networkInterfaces()).flat().find(item => !item.internal && item.family === 'IPv4');
      if (!elsewhere) return t.diagnostic('this machine has only its loopback address: see db_postgres_test.c');
      const got = [];
      const server = net.createServer(socket => socket.on('error', () => {}).on('data', data => { got.push(data); socket.write('N'); })).listen(0, elsewhere.address);
      await new Promise(done => server.once('listening', done));
      const { code, stderr } = await plain.cli(['migrate', '--status'], { env: { DATABASE_URL: `postgres://somebody:secret@${elsewhere.address}:${server.address().port}/x` } });
      server.close();
      assert.equal(code, 1, stderr);
      assert.ok(!stderr.includes('secret'), 'and the password is not shown');
      assert.ok(got.length >= 1 && got.every(data => data.readUInt32BE(0) === 8 && data.readUInt32BE(4) === 80877103), Buffer.concat(got).toString('latin1'));
    });
    test('18. errors show no SQL, no stack, no path of ours', async () => {
      for (const [method, route, body, headers] of [['GET', '/api/connections/abc'], ['GET', '/api/connections/99999999999999999999'], ['POST', '/api/connections/0/revoke'], ['GET', '/nothing/here'],
        ['POST', '/api/auth/login', '{broken', { 'content-type': 'application/json' }], ['GET', "/api/connections/1'--"]]) {
        const answer = await ana.call(method, route, body, headers && { headers: { ...ana.headers(), ...headers } });
        assert.ok(answer.status >= 400 && answer.status < 500, `${route}: ${answer.status}`);
        assert.match(answer.headers.get('content-type'), /^application\/json/);
        assert.ok(!/SELECT|mcp_|at .*:\d+|\/(src|home|tmp)\//.test(answer.text), answer.text);
      }
    });
  });

  describe('correctness', () => {
    test('19. a fresh database is made by one command, and the migrations are in the program', async () => {
      const fresh = await Porteiro.create({ database: fixtures.postgres.port });
      const { was_empty: wasEmpty } = await fresh.json(['migrate']);
      assert.equal(wasEmpty, true);
      assert.equal((await fresh.json(['migrate', '--status'])).state, 'current');
    });
    test('20. an error of WordPress is told as WordPress says it, a refused connection as one', async () => {
      const answer = await call('wp_read', { id: '99999999' });
      assert.equal(answer.isError, true);
      assert.ok(!answer.text.includes('[object') && /99999999|not found|no post|there is no/i.test(answer.text), answer.text);
      const dead = await startFakeSite(fixtures.sites.new);
      const other = await connect(ana, 'dead', { config: { url: dead.url } });
      await dead.stop();
      const refused = await call('wp_read', { id: '1' }, other.token);
      assert.equal(refused.isError, true);
      assert.match(refused.text, /connect|reach|refused|answer/i, refused.text);
      await ana.ok('DELETE', `/api/connections/${other.id}`);
    });
    test('21. a connection without an address is not made, and one that lost it is answered with a sentence', async () => {
      assert.equal((await ana.call('POST', '/api/connections', { provider: 'wordpress', name: 'no url', config: {}, secrets: { username: 'a', app_password: 'b' } })).status, 400);
      const other = await connect(ana, 'lost');
      await sql(`UPDATE mcp_service_connections SET config_json = '{"base_url":"https://x.example"}' WHERE id = ${other.id}`);
      const answer = await legacy(porteiro.url, other.token, 'initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'x', version: '1' } });
      assert.ok(answer.status < 500, answer.text);
      const told = await callTool(porteiro.url, other.token, 'wp_site').catch(error => ({ isError: true, text: error.message }));
      assert.ok(told.isError && !/undefined|internal/i.test(told.text), told.text);
      await ana.ok('DELETE', `/api/connections/${other.id}`);
    });
    test('22. a post of more than 100 KB is written', async () => {
      const { isError, text } = await call('wp_create', { title: 'Long', content: 'A paragraph of some words. '.repeat(10_000), status: 'draft' });
      assert.equal(isError, false, text.slice(0, 300));
      const [{ id, content }] = await rest(fixtures.sites.new, '/wp/v2/posts?status=draft&search=Long&per_page=1&context=edit');
      assert.ok(content.raw.length > 250_000);
      await rest(fixtures.sites.new, `/wp/v2/posts/${id}?force=true`, { method: 'DELETE' });
    });
    test('23. deleting puts into the trash', async () => {
      const { id } = await rest(fixtures.sites.new, '/wp/v2/posts', { method: 'POST', body: { title: 'To the trash', status: 'draft' } });
      assert.equal((await call('wp_delete', { ids: [String(id)] })).isError, false);
      assert.equal((await rest(fixtures.sites.new, `/wp/v2/posts/${id}?context=edit`)).status, 'trash');
      await rest(fixtures.sites.new, `/wp/v2/posts/${id}?force=true`, { method: 'DELETE' });
    });
    test('24. media from an address are fetched and uploaded as a file', async () => {
      const source = await startFakeSite(fixtures.sites.new);
      source.answer = (sent, response) => response.writeHead(200, { 'content-type': 'image/png' }).end(PNG);
      const { isError, text } = await call('wp_upload', { url: `${source.url}/dot.png`, title: 'A dot' });
      await source.stop();
      assert.equal(isError, false, text);
      const [media] = await rest(fixtures.sites.new, '/wp/v2/media?search=A%20dot&per_page=1');
      assert.equal(media.mime_type, 'image/png');
      await rest(fixtures.sites.new, `/wp/v2/media/${media.id}?force=true`, { method: 'DELETE' });
    });
    test('25. no plugin is probed on each read, and a read is one request', async () => {
      const { id } = (await rest(fixtures.sites.new, '/wp/v2/posts?per_page=1'))[0];
      await call('wp_read', { id: String(id) });
      site.requests.length = 0;
      assert.equal((await call('wp_read', { id: String(id) })).isError, false);
      assert.ok(site.requests.length <= 2, site.requests.map(sent => sent.url).join(' '));
      assert.ok(!site.requests.some(sent => sent.url.includes('acf/v3')));
    });
    test('26. totals are told, pages are bounded, and a filter nobody knows is refused', async () => {
      const found = await call('wp_find', { type: 'post', limit: 2 });
      assert.match(found.text, /\d+/);
      assert.ok(/of \d+|total|cursor/i.test(found.text), found.text.slice(0, 300));
      const huge = await call('wp_find', { type: 'post', limit: 100000 }).catch(error => ({ isError: true, text: error.message }));
      assert.equal(huge.isError, true);
      assert.equal((await call('wp_find', { type: 'post', where: { nosuch: 'x' } }).catch(() => ({ isError: true }))).isError, true);
    });
    test('27. no tool says that it did what it did not: there is none that only pretends', async () => {
      const { json } = await legacy(porteiro.url, connection.token, 'tools/list');
      assert.ok(!json.result.tools.some(tool => tool.name === 'wa_send_text'));
      const dry = await call('wp_create', { title: 'Not really at all', content: 'x', dry_run: true }).catch(error => ({ isError: true, text: error.message }));
      if (!dry.isError) assert.match(dry.text, /dry|nothing|would/i);
      // Others write there meanwhile: what is looked for is this one.
      const { wp_posts: posts } = dump(fixtures.sites.new);
      assert.ok(posts.length > 0 && !posts.some(row => row.includes('Not really at all')));
    });
    test('28. another key does not serve, and destroys nothing', async () => {
      const [{ secret_json: before }] = await rows(`SELECT secret_json::text FROM mcp_service_connections WHERE id = ${connection.id}`);
      const { code, stderr } = await porteiro.cli(['connection', 'rotate-token', String(connection.id)], { env: { PORTEIRO_SECRET_KEY: Buffer.alloc(32, 7).toString('base64') } });
      assert.equal(code, 1);
      assert.match(stderr, /key/);
      assert.equal((await rows(`SELECT secret_json::text FROM mcp_service_connections WHERE id = ${connection.id}`))[0].secret_json, before);
    });
    test('29. what belongs together is one transaction: of ten people with one address, one is registered, and nobody gets a 500', async () => {
      const { link } = await root.ok('POST', '/api/invitations', {});
      const invitation = new URL(link).searchParams.get('token');
      const answers = await Promise.all(Array.from({ length: 10 }, () => anonymous().call('POST', '/api/auth/register', { name: 'Race', email: 'race@example.test', phone: '+5511999990029', password: PASSWORD, invitation }, { headers: { 'x-forwarded-for': `10.7.0.${Math.floor(Math.random() * 250)}` } })));
      assert.equal(answers.filter(answer => answer.status === 201).length, 1, answers.map(answer => answer.status).join());
      assert.ok(answers.every(answer => answer.status < 500));
      assert.equal((await rows("SELECT count(*)::int AS n FROM mcp_users WHERE phone = '5511999990029'"))[0].n, 1);
    });
    test('30. rotating ends the primary token only, stamps times, and revives nothing', async () => {
      const other = await connect(ana, 'thirty');
      const second = await ana.ok('POST', `/api/connections/${other.id}/tokens`, { name: 'second', rights: 'read' });
      const [before] = await rows(`SELECT updated_at, token_created_at FROM mcp_service_connections WHERE id = ${other.id}`);
      await ana.ok('POST', `/api/connections/${other.id}/rotate-token`);
      assert.equal(await alive(second.token), 200);
      const [{ at }] = await rows(`SELECT revoked_at AS at FROM mcp_tokens WHERE connection_id = ${other.id} AND revoked_at IS NOT NULL`);
      await ana.ok('POST', `/api/connections/${other.id}/rotate-token`);
      const times = await rows(`SELECT revoked_at AS at FROM mcp_tokens WHERE connection_id = ${other.id} AND revoked_at IS NOT NULL ORDER BY id`);
      assert.equal(times.length, 2);
      assert.equal(String(times[0].at), String(at), 'the first keeps its time');
      const [now] = await rows(`SELECT updated_at, token_created_at FROM mcp_service_connections WHERE id = ${other.id}`);
      assert.ok(new Date(now.updated_at) > new Date(before.updated_at) && new Date(now.token_created_at) > new Date(before.token_created_at));
      await ana.ok('POST', `/api/connections/${other.id}/revoke`);
      assert.equal((await ana.call('POST', `/api/connections/${other.id}/rotate-token`)).status, 409);
      await ana.ok('DELETE', `/api/connections/${other.id}`);
    });
    test('31. the audit names its connection after a deletion, and has changes, tests and calls', async () => {
      const other = await connect(ana, 'thirty-one');
      await ana.ok('PATCH', `/api/connections/${other.id}`, { name: 'renamed' });
      await ana.ok('POST', `/api/connections/${other.id}/test`);
      await call('wp_site', {}, other.token);
      await ana.ok('DELETE', `/api/connections/${other.id}`);
      await new Promise(done => setTimeout(done, 1200)); // reads are recorded in batches
      const { items } = await porteiro.json(['audit', 'list', '--connection', String(other.id)]);
      const actions = items.map(item => item.action);
      for (const wanted of [/create|add/, /rename|change/, /check|test/, /tool/, /delete/]) assert.ok(actions.some(action => wanted.test(action)), `${wanted}: ${actions}`);
    });
    test('32. an e-mail address is one in any case, with any space around; wrong kinds and lengths are 400', async () => {
      const person = anonymous();
      await person.login(' ANA@Example.TEST ', PASSWORD);
      assert.equal((await person.ok('GET', '/api/me')).id, anaId);
      assert.equal((await invite('Bia@EXAMPLE.test', { phone: '+5511999990032' })).answer.status, 409);
      assert.equal((await invite('long@example.test', { phone: '+5511999990032', name: 'x'.repeat(151) })).answer.status, 400);
      assert.equal((await anonymous().call('POST', '/api/auth/login', { emailOrPhone: 'ana@example.test', password: 12345678 })).status, 400);
    });
    test('33. a forgotten password has a way, with one answer for everybody, and /api/mcp is served', async () => {
      const [known, unknown] = await Promise.all(['ana@example.test', 'ghost2@example.test'].map(emailOrPhone => anonymous().call('POST', '/api/auth/request-reset', { emailOrPhone })));
      assert.deepEqual([known.status, known.text], [unknown.status, unknown.text]);
      const { link } = await porteiro.json(['user', 'reset-link', 'bia@example.test']);
      await anonymous().ok('POST', '/api/auth/reset', { token: new URL(link).searchParams.get('token'), password: 'another good passphrase' });
      await anonymous().login('bia@example.test', 'another good passphrase');
      assert.equal((await legacy(`${porteiro.origin}/api/mcp`, connection.token, 'tools/list')).status, 200);
    });
    test('34. numbers of any country, and addresses that begin with a digit', async () => {
      for (const [i, phone] of ['+14155552699', '+49 30 901820', '+81-3-1234-5678'].entries()) assert.equal((await invite(`${i}digit@example.test`, { phone })).answer.status, 201, phone);
      await anonymous().login('0digit@example.test', PASSWORD);
      await anonymous().login('+49 (30) 901820', PASSWORD);
    });
    test('35. GET /mcp is 405, refusals are JSON-RPC with a challenge, and "bearer" in any case will do', async () => {
      const get = await fetch(porteiro.url, { headers: { Authorization: `Bearer ${connection.token}`, Accept: 'application/json' } });
      assert.ok([405, 406].includes(get.status), get.status);
      const refused = await post(porteiro.url, null, request('tools/list'));
      assert.equal(refused.status, 401);
      assert.match(refused.headers.get('www-authenticate'), /^Bearer/);
      assert.equal(refused.json.jsonrpc, '2.0');
      assert.equal((await post(porteiro.url, null, request('tools/list'), { Authorization: `bearer ${connection.token}`, 'MCP-Protocol-Version': '2025-11-25' })).status, 200);
    });
    test('36. without a database these tests fail', async () => {
      const text = fs.readFileSync(path.join(ROOT, 'tests/integration/run.mjs'), 'utf8');
      assert.match(text, /if \(reason\) throw reason/, 'what cannot be started ends the run');
      const nowhere = await Porteiro.create({ env: { DATABASE_URL: 'postgres://x@127.0.0.1:1/x' } });
      assert.equal((await nowhere.cli(['migrate'])).code, 1);
    });
  });

  describe('performance', () => {
    test('37. a call is cheap: connections to the site are kept, results are sent once', async () => {
      site.requests.length = 0;
      for (let i = 0; i < 5; i++) assert.equal((await call('wp_find', { type: 'post', limit: 1 })).isError, false);
      assert.ok(site.requests.every(sent => sent.headers.connection !== 'close'));
      const { json, text } = await legacy(porteiro.url, connection.token, 'tools/call', { name: 'wp_find', arguments: { type: 'post', limit: 1 } });
      const words = json.result.content[0].text.slice(0, 40);
      assert.equal(text.split(JSON.stringify(words).slice(1, -1)).length - 1, 1);
      const begun = performance.now();
      for (let i = 0; i < 50; i++) await alive(connection.token);
      assert.ok(performance.now() - begun < 5000, 'fifty lists of tools');
    });
  });
});
