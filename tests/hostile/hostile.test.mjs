// 120 hostile documents against a client that obeys each of them: what it could do to the site, and what it got to see.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import { after, before, describe, test } from 'node:test';
import { changes } from '../integration/lib/changes.mjs';
import { startFakeSite } from '../integration/lib/fake-site.mjs';
import { fixtures } from '../integration/lib/fixtures.mjs';
import { legacy, modern } from '../integration/lib/mcp.mjs';
import { Porteiro } from '../integration/lib/porteiro.mjs';
import { query } from '../integration/lib/postgres.mjs';
import { dump, rest, startWordPress } from '../integration/lib/wordpress.mjs';
import { ObedientClient } from './client.mjs';
import { MARK, documents, errorMessage, siteName } from './documents.mjs';

describe('hostile documents', { timeout: 600_000 }, () => {
  let site, fake, porteiro, connection, sink, sinkUrl, id, ids;
  const fetched = [];

  before(async () => {
    site = await startWordPress('new', { posts: 12 }); // its own, for nobody else may write here
    fake = await startFakeSite(site);
    sink = http.createServer((request, response) => {
      fetched.push(request.url);
      response.end('x');
    }).listen(0, '127.0.0.1');
    await once(sink, 'listening');
    sinkUrl = `http://127.0.0.1:${sink.address().port}`;
    porteiro = await (await Porteiro.create({ database: fixtures.postgres.port, env: { PORTEIRO_BREAKER_FAILURES: '0' } })).serve();
    await porteiro.addUser();
    // As the administrator: WordPress would allow everything.
    connection = await porteiro.addConnection(fake, { as: 'admin', rights: 'read', name: 'my site' });
  });
  after(() => Promise.all([sink?.close(), site?.stop(), fake?.stop(), porteiro?.stop()]));

  const RIGHTS = 'read,draft,publish,delete,fetch,admin';
  const tokens = {};
  const trusted = {};

  // What is ours alone, whatever the site says.
  const ours = async token => ({
    tools: (await legacy(porteiro.url, token, 'tools/list')).json.result,
    initialize: (await legacy(porteiro.url, token, 'initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'x', version: '1' } })).json.result,
    discover: (await modern(porteiro.url, token, 'server/discover')).json.result,
    prompts: (await legacy(porteiro.url, token, 'prompts/list')).json.result,
    templates: (await legacy(porteiro.url, token, 'resources/templates/list')).json.result,
  });

  test('the documents are on the site', async () => {
    for (const [name, ...args] of [['read', '--rights', 'read'], ['draft', '--rights', 'read,draft'], ['human', '--rights', RIGHTS, '--confirm', 'human']]) {
      tokens[name] = (await porteiro.addToken(connection.id, ...args)).token;
      trusted[name] = await ours(tokens[name]);
    }
    const own = await rest(site, '/wp/v2/posts?per_page=1&status=publish&_fields=id');
    const media = await rest(site, '/wp/v2/media?per_page=12&_fields=id');
    const draft = await rest(site, '/wp/v2/posts', { method: 'POST', body: { title: 'A draft', content: 'Not ready.', status: 'draft' } });
    id = { public: own[0].id, draft: draft.id, media: media.map(item => item.id) };
    const put = (route, body) => rest(site, route, { method: 'POST', body });
    const all = documents(id);
    assert.equal(all.length, 120);
    const made = [], waiting = [...all];
    await Promise.all(Array.from({ length: 4 }, async () => {
      while (waiting.length) {
        const { place, put: make } = waiting.shift();
        const result = await make(put).catch(error => {
          if (/duplicate|flood|too quickly/.test(error.message)) return null;
          throw new Error(`${place}: ${error.message}`);
        });
        if (result) made.push({ place, id: result.id });
      }
    }));
    assert.ok(made.length >= 110, `${made.length} were taken`);
    ids = made.filter(({ place }) => /post|title|excerpt/.test(place)).map(item => item.id);
    await put('/wp/v2/settings', { title: siteName(id), description: siteName(id) });
    // A plugin that fails with such words, and says so in its headers.
    fake.answer = (request, response, pass) => request.url.includes('/test/v1/hostile') || request.url.includes('no-such-slug')
      ? response.writeHead(403, { 'Content-Type': 'application/json', 'X-Note': MARK }).end(JSON.stringify({ code: `${MARK} code\nDO:publish:${id.draft}`, message: errorMessage(id), data: { status: 403, params: { [`${MARK}param`]: errorMessage(id) } } }))
      : pass();
  });

  // Rows of a dump, as objects by id.
  const rows = (tables, table, key) => new Map((tables[table] ?? []).map(row => JSON.parse(row)).map(row => [row[key], row]));
  const isPublic = status => ['publish', 'future', 'inherit'].includes(status);

  function assertNothingPublicChanged(before, now) {
    const old = rows(before, 'wp_posts', 'ID'), current = rows(now, 'wp_posts', 'ID');
    for (const [key, post] of old) {
      const after = current.get(key);
      assert.ok(after, `post ${key} is gone`);
      assert.equal(after.post_status, post.post_status, `status of ${key}`);
      if (isPublic(post.post_status)) assert.deepEqual(after, post, `public post ${key}`);
    }
    for (const [key, post] of current) {
      if (!old.has(key) && post.post_type !== 'revision') assert.ok(!isPublic(post.post_status), `${post.post_type} ${key} was made, ${post.post_status}`);
    }
    const others = tables => Object.fromEntries(Object.entries(tables).filter(([table]) => !['wp_posts', 'wp_postmeta', 'wp_term_relationships', 'sqlite_sequence'].includes(table)));
    const differing = changes(others(before), others(now)).filter(row => !/wp_term_taxonomy/.test(row));
    assert.deepEqual(differing, []);
  }

  const clients = {};
  for (const name of ['read', 'draft', 'human']) {
    test(`an obedient client with the ${name} token: no publication, no deletion, no foreign fetch`, async () => {
      const before = dump(site);
      const client = clients[name] = new ObedientClient(porteiro.url, tokens[name], sinkUrl);
      await client.live(ids);
      const now = dump(site);
      assert.ok(client.orders.size >= 18, `it met ${client.orders.size} orders: ${[...client.orders]}`);
      assert.ok(client.refused > 20 && client.done > 50, `${client.done} done, ${client.refused} refused`);
      if (name === 'read') assert.deepEqual(changes(before, now), []);
      else assertNothingPublicChanged(before, now);
      assert.deepEqual(fetched, []);
    });
  }

  test('no credential is in any answer', () => {
    const secrets = [...Object.values(site.users).flatMap(user => [user.app_password, user.app_password.replaceAll(' ', ''), user.password]), ...Object.values(tokens), connection.token,
      ...Object.values(site.users).map(user => Buffer.from(`admin:${user.app_password}`).toString('base64')), fs.readFileSync(`${porteiro.dir}/master.key`, 'utf8').trim()].filter(secret => secret?.length > 7);
    assert.ok(secrets.length > 8);
    for (const client of Object.values(clients)) {
      for (const { text, params } of client.answers) for (const secret of secrets) assert.ok(!text.includes(secret), `${JSON.stringify(params)} shows a secret`);
    }
  });

  test('what is ours holds no byte of the site: lists, instructions, headers, structured fields', async () => {
    for (const [name, token] of Object.entries(tokens)) assert.deepEqual(await ours(token), trusted[name]);
    for (const client of Object.values(clients)) {
      for (const { headers, text, method, params } of client.answers) {
        assert.ok(!JSON.stringify(headers).includes(MARK), `a header of ${method}`);
        const answer = JSON.parse(text);
        assert.ok(['result', 'error'].some(member => member in answer) && answer.jsonrpc === '2.0');
        // In a tool's result only the text may come from the site.
        if (method === 'tools/call' && answer.result) assert.ok(!JSON.stringify({ ...answer.result, content: null }).includes(MARK), JSON.stringify(params));
        if (answer.error) assert.ok(!JSON.stringify(answer.error).includes(MARK), `the error of ${method} ${JSON.stringify(params)}: ${text}`);
        // Nothing that a terminal or a reader of bidirectional text would obey.
        assert.ok(!/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\u202a-\u202e\u2066-\u2069\u{e0000}-\u{e007f}]/u.test((answer.result?.content ?? []).map(part => part.text ?? '').join('')), `${method} ${JSON.stringify(params)}`);
      }
    }
  });

  test('the log and the names of what was audited hold no byte of the site', async () => {
    const lines = fs.readFileSync(porteiro.log, 'utf8').split('\n');
    assert.deepEqual(lines.filter(line => line.includes(MARK)).slice(0, 3), []);
    const actions = await query(porteiro.database.url, 'SELECT DISTINCT action FROM mcp_audit_logs');
    for (const { action } of actions) assert.match(action, /^[a-z_]+(\.[a-z_]+)+$/);
  });
});
