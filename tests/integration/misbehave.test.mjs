// Sites as they are out there: what a host, a plugin, a cache or a firewall does to the traffic, in front of a real WordPress. Judged by
// what that WordPress holds afterwards. (Broken bytes, floods and hanging: upstream.test.mjs; refusals while connecting: cli.test.mjs.)
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { workersOf } from '../workers/help.mjs';
import { hang, html, startFakeSite, status, stripAuthorization } from './lib/fake-site.mjs';
import { fixtures } from './lib/fixtures.mjs';
import { callTool } from './lib/mcp.mjs';
import { Porteiro } from './lib/porteiro.mjs';
import { sleep, waitFor } from './lib/process.mjs';
import { rest } from './lib/wordpress.mjs';

const site = fixtures.sites.new;
const raw = async id => (await rest(site, `/wp/v2/posts/${id}?context=edit`)).content.raw;
const idOf = text => Number(/id (\d+)/.exec(text)[1]);

describe('sites that misbehave', () => {
  let porteiro, fake, token, connection;
  before(async () => {
    porteiro = await (await Porteiro.create({ env: { PORTEIRO_BREAKER_FAILURES: '0' } })).serve();
    fake = await startFakeSite(site);
    await porteiro.addUser();
    connection = await porteiro.addConnection(fake, { rights: 'read,draft,publish' });
    ({ token } = connection);
  });
  after(() => Promise.all([fake?.stop(), porteiro?.stop()]));

  const call = (name, args, as = token) => callTool(porteiro.url, as, name, args);
  async function works(name, args, as) {
    const { isError, text } = await call(name, args, as);
    assert.ok(!isError, `${name}: ${text}`);
    return text;
  }
  async function fails(pattern, name, args, as) {
    const { isError, text } = await call(name, args, as);
    assert.ok(isError, `${name} should fail: ${text}`);
    assert.match(text, pattern);
    return text;
  }
  const create = async (title, content, as) => idOf(await works('wp_create', { title, content }, as));
  const isActive = async () => (await porteiro.json(['connection', 'list'])).items.find(item => item.id === connection.id).status === 'active';
  const writes = () => fake.requests.filter(request => request.method === 'POST').length;

  test('the Authorization header is stripped: said so, nothing shown as the item, the connection stays', async () => {
    const id = await create('Stripped', 'One sentence.');
    fake.answer = stripAuthorization;
    const before = writes();
    await fails(/Authorization header/, 'wp_edit', { id: String(id), edits: [{ find: 'One', replace: 'Two' }] });
    await fails(/Authorization header/, 'wp_create', { title: 'x', content: 'y' });
    assert.ok(writes() - before <= 1);
    fake.answer = null;
    assert.ok(await isActive());
    await works('wp_edit', { id: String(id), edits: [{ find: 'One', replace: 'Two' }] });
    assert.match(await raw(id), /Two sentence/);
  });

  // The proxy is what differs; everything else must not.
  async function wholeRound(other, options = {}) {
    const { token: as } = await porteiro.addConnection(other, { name: `round ${Math.random()}`, rights: 'read,draft', ...options });
    const id = await create('Round', 'A first sentence.\n\nA second one.', as);
    assert.match(await works('wp_read', { id: String(id) }, as), /A second one/);
    await works('wp_edit', { id: String(id), edits: [{ find: 'second', replace: 'changed' }] }, as);
    assert.match(await raw(id), /A changed one/);
    assert.match(await works('wp_find', { q: 'Round', status: 'any' }, as), new RegExp(`${id}`));
    assert.match(await works('wp_get', { name: 'GET /wp/v2/types/post' }, as), /post/);
  }

  test('only ?rest_route= works', async () => {
    const plain = await startFakeSite(site);
    plain.answer = (request, response, pass) => (request.url.startsWith('/wp-json') ? html('Not found', 404)(request, response) : pass());
    await wholeRound(plain);
    assert.ok(plain.requests.every(({ url }) => !/rest_route=.*rest_route=/.test(url)));
    await plain.stop();
  });

  test('WordPress in a subdirectory, of which the front page belongs to somebody else', async () => {
    const folder = await startFakeSite(site, { prefix: '/blog' });
    await wholeRound(folder);
    assert.ok(folder.requests.every(({ url }) => url.startsWith('/blog')));
    await folder.stop();
  });

  test('http redirects to https: followed while connecting, without the password', async () => {
    const secure = await startFakeSite(site, { tls: true });
    const plain = await startFakeSite(site);
    plain.answer = (request, response) => response.writeHead(301, { Location: `${secure.url}${request.url}` }).end();
    const own = await (await Porteiro.create({ env: { PORTEIRO_CA_FILE: secure.ca } })).serve();
    await own.addUser();
    const { token: as } = await own.addConnection(plain);
    assert.ok(plain.requests.every(({ headers }) => !headers.authorization));
    const { isError, text } = await callTool(own.url, as, 'wp_find', { limit: 1 });
    assert.ok(!isError, text);
    const asked = plain.requests.length;
    await callTool(own.url, as, 'wp_find', { limit: 1 });
    assert.equal(plain.requests.length, asked, 'the https address was kept');
    await Promise.all([secure.stop(), plain.stop(), own.stop()]);
  });

  const page = (body, code = 403, headers = {}) => (request, response) => response.writeHead(code, { 'Content-Type': 'text/html', ...headers }).end(`<!doctype html><html><title>Blocked</title>${body}</html>`);
  for (const [vendor, answer] of [
    ['Cloudflare', page('<h1>Sorry, you have been blocked</h1>', 403, { Server: 'cloudflare', 'CF-RAY': '8a' })],
    ['Cloudflare', page('<script src="/cdn-cgi/challenge-platform/x"></script>', 503)],
    ['Sucuri', page('<h2>Access Denied - Sucuri Website Firewall</h2>', 403, { 'X-Sucuri-ID': '15008' })],
    ['Wordfence', page('<p>Generated by Wordfence at Mon, 1 Jun 2026</p>', 503)],
    ['Imunify360', page('<p>Access denied by Imunify360 bot-protection. IPs used for automation should be whitelisted</p>', 415)],
    ['Imunify360', page('One moment, please... <!-- imunify360 -->', 200)],
    ['BitNinja', page('<title>BitNinja.io: Waiting for the redirectiron...</title>')],
    ['ModSecurity', page('<h1>Not Acceptable!</h1><p>This error was generated by Mod_Security.</p>', 406)],
    ['Imperva', page('<p>Request unsuccessful. Incapsula incident ID: 4710001-1</p>')],
    ['Akamai', page('<h1>Access Denied</h1>Reference #18.1', 403, { Server: 'AkamaiGHost' })],
    ['SiteGround', page('<meta http-equiv="refresh" content="0;/.well-known/sgcaptcha/?r=x">', 202)],
  ]) {
    test(`a firewall's page names ${vendor}`, async () => {
      fake.answer = answer;
      const text = await fails(new RegExp(`${vendor} in front of the site blocked`), 'wp_find', {});
      fake.answer = null;
      assert.ok(text.length < 400);
      assert.ok(await isActive());
    });
  }

  test('a cache of 3 s, by address: the second edit does not undo the first', async () => {
    const kept = new Map();
    let hits = 0;
    fake.answer = async (request, response, pass) => {
      if (request.method !== 'GET') return pass();
      const hit = kept.get(request.url);
      if (hit && Date.now() - hit.at < 3000) {
        hits++;
        return response.writeHead(hit.status, hit.headers).end(hit.body);
      }
      const { writeHead, end } = response;
      const entry = { at: Date.now() };
      response.writeHead = (code, headers) => (Object.assign(entry, { status: code, headers }), writeHead.call(response, code, headers));
      response.end = body => (kept.set(request.url, { ...entry, body }), end.call(response, body));
      return pass();
    };
    const id = await create('Cached', 'Alpha. Beta.');
    const text = await works('wp_read', { id: String(id) });
    assert.match(text, /Alpha\. Beta\./);
    await works('wp_edit', { id: String(id), edits: [{ find: 'Alpha', replace: 'Gamma' }] });
    await works('wp_edit', { id: String(id), edits: [{ find: 'Beta', replace: 'Delta' }] });
    assert.match(await raw(id), /Gamma\. Delta\./);
    assert.match(await works('wp_read', { id: String(id) }), /Gamma\. Delta\./);
    // The cache does work: what is asked with the same address comes out of it.
    await (await fetch(`${fake.url}/wp-json/wp/v2/posts/1`)).text();
    await (await fetch(`${fake.url}/wp-json/wp/v2/posts/1`)).text();
    assert.equal(hits, 1);
    fake.answer = null;
  });

  test('PHP notices and byte order marks before every answer', async () => {
    for (const junk of ['\ufeff', '<br />\n<b>Warning</b>: Undefined array key [0] in {closure} on line <b>3</b><br />\n', '\n\n  ']) {
      fake.answer = (request, response, pass) => pass({ edit: text => junk + text });
      const id = await create('Noise', 'Quiet text.');
      await works('wp_edit', { id: String(id), edits: [{ find: 'Quiet', replace: 'Loud' }] });
      assert.match(await raw(id), /Loud text/);
    }
    fake.answer = null;
  });

  test('[] where an object should be: PHP\'s empty arrays', async () => {
    fake.answer = (request, response, pass) => pass({ edit: text => text.replaceAll('{}', '[]').replace(/"(meta|_links|labels|capabilities)":\{[^{}]*\}/g, '"$1":[]') });
    porteiro.kept = null;
    const fresh = await porteiro.addConnection(fake, { name: 'empty arrays', rights: 'read,draft' });
    const id = await create('Empty', 'Some text.', fresh.token);
    await works('wp_edit', { id: String(id), edits: [{ find: 'Some', replace: 'More' }] }, fresh.token);
    assert.match(await works('wp_read', { id: String(id), include: ['meta'] }, fresh.token), /More text/);
    await works('wp_site', {}, fresh.token);
    await works('wp_find', { type: 'book' }, fresh.token);
    assert.match(await raw(id), /More text/);
    fake.answer = null;
  });

  // A gateway that passes the write on and then says that it failed.
  const doneBut502 = (request, response, pass) => {
    if (request.method !== 'POST') return pass();
    const { writeHead } = response;
    response.writeHead = (code, headers) => {
      response.writeHead = writeHead;
      response.end = () => http502(response);
      return response;
    };
    return pass();
  };
  const http502 = response => {
    response.end = Object.getPrototypeOf(response).end;
    return response.writeHead(502, { 'Content-Type': 'text/html' }).end('<html><h1>502 Bad Gateway</h1></html>');
  };

  test('502 after an edit was done: what the site holds is told, and it is written once', async () => {
    const id = await create('Gateway', 'Before.');
    const before = writes();
    fake.answer = doneBut502;
    const text = await fails(/Changed although the answer did not come.*holds what was asked for/, 'wp_edit', { id: String(id), edits: [{ find: 'Before', replace: 'After' }] });
    assert.match(text, /502/);
    assert.equal(writes() - before, 1);
    assert.match(await raw(id), /After\./);
    fake.answer = null;
  });

  test('502 instead of an edit: not changed', async () => {
    const id = await create('Gateway', 'Before.');
    fake.answer = (request, response, pass) => (request.method === 'POST' ? http502(response) : pass());
    await fails(/Not changed.*still at version/, 'wp_edit', { id: String(id), edits: [{ find: 'Before', replace: 'After' }] });
    fake.answer = null;
    assert.match(await raw(id), /Before\./);
  });

  // The version is made of title, text and status; what else was to change must be looked for itself.
  test('502 after or instead of a change that leaves text and title alone: the same truth', async () => {
    const id = await create('Gateway', 'Before.');
    const set = { comment_status: 'closed', sticky: true, terms_add: { category: ['Category 4'] } };
    const held = async () => {
      const { comment_status: status, sticky, categories } = await rest(site, `/wp/v2/posts/${id}?context=edit`);
      return [status, sticky, categories.length];
    };
    const start = await held();
    fake.answer = (request, response, pass) => (request.method === 'POST' ? http502(response) : pass());
    await fails(/Not changed.*as it was/, 'wp_edit', { id: String(id), set });
    assert.deepEqual(await held(), start);
    fake.answer = doneBut502;
    await fails(/Changed although the answer did not come.*holds what was asked for/, 'wp_edit', { id: String(id), set });
    fake.answer = null;
    assert.deepEqual(await held(), ['closed', true, start[2] + 1]);
  });

  test('502 after a post was made: it is found, and not made twice', async () => {
    const title = `Made ${Date.now()}`;
    fake.answer = doneBut502;
    const text = await fails(/^Outcome unknown, verified state: it was made all the same\. post \d+ has this title and text/, 'wp_create', { title, content: 'A body.' });
    fake.answer = null;
    const found = await rest(site, `/wp/v2/posts?status=any&context=edit&search=${encodeURIComponent(title)}`);
    assert.equal(found.length, 1);
    assert.equal(Number(/post (\d+)/.exec(text)[1]), found[0].id);
  });

  test('502 instead of making a post: it is not there', async () => {
    fake.answer = (request, response, pass) => (request.method === 'POST' ? http502(response) : pass());
    await fails(/^Outcome unknown, verified state: no post with this title and text/, 'wp_create', { title: `Never ${Date.now()}`, content: 'A body.' });
    fake.answer = null;
  });

  test('502 after an operation of wp_call: it says that nobody knows', async () => {
    fake.answer = doneBut502;
    const before = writes();
    await fails(/^Outcome unknown, verified state: none/, 'wp_call', { name: 'POST /wp/v2/categories', args: { name: `Known ${Date.now()}` } });
    assert.equal(writes() - before, 1);
    fake.answer = null;
  });

  test('one 502 while reading is read over, two are told', async () => {
    let bad = 1;
    fake.answer = (request, response, pass) => (bad-- > 0 ? http502(response) : pass());
    await works('wp_find', { limit: 1 });
    bad = 2;
    await fails(/502/, 'wp_find', { limit: 1 });
    fake.answer = null;
  });

  test('maintenance: a short Retry-After is waited for, a long one is told', async () => {
    let bad = 1;
    fake.answer = (request, response, pass) => (bad-- > 0 ? page('Briefly unavailable for scheduled maintenance.', 503, { 'Retry-After': '1' })(request, response) : pass());
    const began = Date.now();
    await works('wp_find', { limit: 1 });
    assert.ok(Date.now() - began >= 1000);
    fake.answer = page('Briefly unavailable for scheduled maintenance.', 503, { 'Retry-After': '600' });
    const asked = fake.requests.length;
    await fails(/Retry-After: 600/, 'wp_find', { limit: 1 });
    assert.equal(fake.requests.length - asked, 1);
    fake.answer = null;
  });

  test('30 s of silence after a write was taken: the answer comes in time and says what is there', { timeout: 120_000 }, async () => {
    const id = await create('Silence', 'Before.');
    fake.answer = async (request, response, pass) => {
      if (request.method !== 'POST') return pass();
      response.writeHead = () => ({ end: () => {} }); // WordPress does it, and nobody hears of it
      response.end = () => {};
      await pass();
      return hang();
    };
    const began = Date.now();
    await fails(/Changed although the answer did not come/, 'wp_edit', { id: String(id), edits: [{ find: 'Before', replace: 'After' }] });
    assert.ok(Date.now() - began < 45_000, `${Date.now() - began} ms`);
    fake.answer = null;
    assert.match(await raw(id), /After\./);
  });

  test('the hostile routes of the test site', async () => {
    for (const [name, pattern] of [
      ['GET /test/v1/status/418', /418/], ['GET /test/v1/fatal', /500|critical/i], ['GET /test/v1/html', /HTML/],
      ['GET /test/v1/bytes/50000000', /larger|large/i],
    ]) await fails(pattern, 'wp_get', { name });
    assert.match(await works('wp_get', { name: 'GET /test/v1/notice' }), /ok/);
  });

  // Last, for it stops the connection.
  test('the password is revoked: told once, the connection stops, the site is left in peace', async () => {
    fake.answer = status(401, { code: 'incorrect_password', message: 'The provided password is an invalid application password.', data: { status: 401 } });
    await fails(/revoked or mistyped/, 'wp_edit', { id: '1', edits: [{ find: 'x', replace: 'y' }] });
    assert.ok(!(await isActive()));
    const asked = fake.requests.length;
    await assert.rejects(call('wp_find', {}), /password of this connection/);
    assert.equal(fake.requests.length, asked);
  });
});

describe('edits of one item are one after the other', () => {
  test('over four workers, two nodes and two connections to one site', { timeout: 180_000 }, async () => {
    const one = await Porteiro.create({ database: fixtures.postgres.port, env: { PORTEIRO_WORKERS: '4' } });
    await one.serve();
    const two = await Porteiro.create({ env: { DATABASE_URL: one.database.url, PORTEIRO_SECRET_KEY_FILE: `${one.dir}/master.key`, PORTEIRO_WORKERS: '2' } });
    await two.serve();
    await waitFor('all workers', () => Object.keys(workersOf(one)).length === 4);
    const slow = await startFakeSite(site);
    slow.answer = async (request, response, pass) => {
      await sleep(30); // between reading and writing there is time for others
      return pass();
    };
    await one.addUser();
    const first = await one.addConnection(slow, { rights: 'read,draft' });
    const second = await one.addConnection(slow, { name: 'again', rights: 'read,draft' });
    const { text } = await callTool(one.url, first.token, 'wp_create', { title: 'Counted', content: Array.from({ length: 12 }, (_, i) => `Sentence ${i} is old.`).join('\n\n') });
    const id = idOf(text);
    const all = await Promise.all(Array.from({ length: 12 }, (_, i) =>
      callTool(i % 3 ? one.url : two.url, i % 2 ? first.token : second.token, 'wp_edit', { id: String(id), edits: [{ find: `Sentence ${i} is old`, replace: `Sentence ${i} is new` }] })));
    for (const { isError, text: said } of all) assert.ok(!isError, said);
    const content = await raw(id);
    for (let i = 0; i < 12; i++) assert.match(content, new RegExp(`Sentence ${i} is new`));
    await Promise.all([slow.stop(), one.stop(), two.stop()]);
  });
});
