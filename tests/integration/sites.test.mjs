// A token over several connections: its tools take `site`; each connection has its own rights, record and end.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startFakeSite } from './lib/fake-site.mjs';
import { fixtures } from './lib/fixtures.mjs';
import { callTool, legacy, modern } from './lib/mcp.mjs';
import { Porteiro } from './lib/porteiro.mjs';
import { query } from './lib/postgres.mjs';
import { mustRun, sleep, waitFor } from './lib/process.mjs';
import { rest } from './lib/wordpress.mjs';

describe('several sites in one conversation', () => {
  let porteiro, token, one, two, three, proxy;
  before(async () => {
    porteiro = await (await Porteiro.create({ database: fixtures.postgres.port })).serve();
    await porteiro.addUser();
    proxy = await startFakeSite(fixtures.sites.new);
    one = await porteiro.addConnection(fixtures.sites.new, { name: 'My Blog', rights: 'read,draft' });
    two = await porteiro.addConnection(fixtures.sites.old, { name: 'old shop', rights: 'read,draft' });
    three = await porteiro.addConnection(proxy, { name: 'my blog!' });
    ({ token } = await porteiro.json(['token', 'add', '--connection', String(one.id), '--connection', String(two.id), '--connection', `${three.id}=read`, '--rights', 'read,draft']));
  });
  after(() => Promise.all([porteiro?.stop(), proxy?.stop()]));

  const list = async as => (await legacy(porteiro.url, as, 'tools/list')).json.result.tools;
  const call = (name, args, as = token) => callTool(porteiro.url, as, name, args);

  test('each tool has `site`, of the names there are; other tokens\' lists are the same bytes', async () => {
    for (const tool of await list(token)) {
      assert.deepEqual(tool.inputSchema.properties.site, { type: 'string', enum: ['my-blog', `my-blog-${three.id}`, 'old-shop'] }, tool.name);
      assert.ok(tool.inputSchema.required.includes('site'));
      assert.equal(tool.inputSchema.required.filter(name => name === 'site').length, 1);
    }
    const single = await list(one.token);
    assert.ok(single.every(tool => !tool.inputSchema.properties.site));
    assert.deepEqual((await list(token)).map(tool => tool.name), single.map(tool => tool.name));
    // Without the argument it is the same list.
    const plain = tools => tools.map(({ inputSchema: { properties: { site, ...properties }, required = [], ...schema }, ...tool }) =>
      ({ ...tool, schema, properties, required: required.filter(name => name !== 'site') }));
    assert.deepEqual(plain(await list(token)), plain(single));
    const added = JSON.stringify(await list(token)).length - JSON.stringify(single).length;
    assert.ok(added < single.length * 160, `${added} bytes more`);
  });

  test('the named site is the one that is read and written', async () => {
    for (const [site, alias] of [[fixtures.sites.new, 'my-blog'], [fixtures.sites.old, 'old-shop']]) {
      const { isError, text } = await call('wp_create', { site: alias, title: `For ${alias}`, content: 'Text.' });
      assert.ok(!isError, text);
      const id = Number(/id (\d+)/.exec(text)[1]);
      assert.equal((await rest(site, `/wp/v2/posts/${id}?context=edit`)).title.raw, `For ${alias}`);
      const read = await modern(porteiro.url, token, 'tools/call', { name: 'wp_read', arguments: { site: alias, id: String(id) } });
      assert.match(read.json.result.content[0].text, /Text\./);
    }
  });

  test('rights are those of the connection', async () => {
    const { isError, text } = await call('wp_create', { site: `my-blog-${three.id}`, title: 'x', content: 'y' });
    assert.ok(isError);
    assert.match(text, /may not use wp_create: it has the rights read,/);
    assert.ok(!(await call('wp_find', { site: `my-blog-${three.id}`, limit: 1 })).isError);
    assert.equal(proxy.requests.filter(({ method }) => method === 'POST').length, 0);
  });

  test('no name, a wrong name, and somebody else\'s', async () => {
    for (const [args, pattern] of [
      [{ limit: 1 }, /for several sites.*my-blog, my-blog-\d+, old-shop/],
      [{ limit: 1, site: 'elsewhere' }, /no such site.*There are: my-blog/], [{ limit: 1, site: 7 }, /no such site/],
    ]) await assert.rejects(call('wp_find', args), pattern);
    await assert.rejects(call('wp_find', { limit: 1, site: 'my-blog' }, one.token).then(({ isError, text }) => { if (isError) throw new Error(text); }), /site/);
  });

  test('the audit names the connection, for intents and outcomes', async () => {
    await call('wp_create', { site: 'old-shop', title: 'Audited', content: 'Text.' });
    const rows = await query(porteiro.database.url, `SELECT action, connection_id FROM mcp_audit_logs WHERE action LIKE 'tool.wp_create%' AND COALESCE(data->>'outcome', 'ok') = 'ok' ORDER BY id DESC LIMIT 2`);
    assert.deepEqual(rows.map(row => row.connection_id), [two.id, two.id]);
    const refused = () => query(porteiro.database.url, `SELECT connection_id FROM mcp_audit_logs WHERE action = 'tool.wp_create' AND data->>'outcome' = 'denied'`);
    await waitFor('the row of what was refused before', async () => (await refused())[0]?.connection_id === three.id);
    const created = (await query(porteiro.database.url, `SELECT data FROM mcp_audit_logs WHERE action = 'tokens.create' ORDER BY id DESC LIMIT 1`))[0];
    assert.match(JSON.stringify(created.data), /my-blog, old-shop, my-blog-\d+/);
  });

  test('an undo number of one site is nothing at another', async () => {
    const { text } = await call('wp_create', { site: 'old-shop', title: 'Undo me', content: 'Text.' });
    const undo = /undo (\d+)/.exec(text)?.[1];
    assert.ok(undo, text);
    const { isError } = await call('wp_edit', { site: 'my-blog', id: '1', undo: Number(undo) });
    assert.ok(isError);
  });

  test('rows that are edited or added in the database give nothing', async () => {
    const url = porteiro.database.url;
    const { token: other, id } = await porteiro.json(['token', 'add', '--connection', String(one.id), '--connection', `${two.id}=read`]);
    await call('wp_find', { site: 'old-shop', limit: 1 }, other);
    const psql = async sql => {
      await mustRun('psql', ['-qXAt', url, '-c', sql]);
      await sleep(1500); // so long an authentication is believed
    };
    await psql(`UPDATE mcp_token_grants SET rights = 'read,draft,publish,admin' WHERE token_id = ${id} AND connection_id = ${two.id}`);
    await assert.rejects(call('wp_find', { site: 'old-shop', limit: 1 }, other), /no such site/);
    await psql(`INSERT INTO mcp_token_grants SELECT ${id}, ${three.id}, 'sneaked', rights, mac FROM mcp_token_grants WHERE token_id = ${id} AND connection_id = ${one.id}`);
    await assert.rejects(call('wp_find', { site: 'sneaked', limit: 1 }, other), /no such site/);
    assert.ok(!(await call('wp_find', { limit: 1 }, other)).isError, 'what is left of it works');
  });

  test('search asks every site, and its ids say which: fetch takes them from there', async () => {
    const { token: research } = await porteiro.json(['token', 'add', '--connection', String(one.id), '--connection', String(two.id), '--connection', String(three.id), '--rights', 'read', '--options', 'research']);
    const answer = async (name, args) => {
      const { result } = (await legacy(porteiro.url, research, 'tools/call', { name, arguments: args })).json;
      if (!result.isError) assert.deepEqual(JSON.parse(result.content[0].text), result.structuredContent);
      return result;
    };
    const tools = Object.fromEntries((await list(research)).map(tool => [tool.name, tool.inputSchema]));
    assert.deepEqual([Object.keys(tools.search.properties), Object.keys(tools.fetch.properties), tools.search.required], [['query'], ['id'], ['query']]);
    const { structuredContent: { results, failed } } = await answer('search', { query: 'Book 42' });
    assert.equal(failed, undefined);
    for (const [site, alias] of [[fixtures.sites.new, 'my-blog'], [fixtures.sites.old, 'old-shop']]) {
      const [book] = await rest(site, '/wp/v2/books?search=Book%2042');
      const found = results.find(({ id }) => id === `${alias}:wp://books/${book.id}`);
      assert.equal(found?.url, book.link, JSON.stringify(results));
      const { structuredContent: document } = await answer('fetch', { id: found.id });
      assert.deepEqual([document.id, document.url], [found.id, book.link]);
    }
    for (const id of ['wp://books/1', 'elsewhere:wp://books/1', '1', `${three.id}:1`]) {
      const { isError, content } = await answer('fetch', { id });
      assert.ok(isError && /begins with the name of one.*There are: my-blog, my-blog-\d+, old-shop/.test(content[0].text), content[0].text);
    }
    assert.ok((await answer('fetch', { id: 'my-blog:wp://posts/99999999' })).isError);
    // One that fails is named; the others are searched.
    proxy.answer = (request, response) => response.writeHead(500, { 'Content-Type': 'application/json' }).end('{"code":"x","message":"Broken"}');
    const part = (await answer('search', { query: 'Book 42' })).structuredContent;
    proxy.answer = null;
    assert.deepEqual(part.failed.map(({ site }) => site), [`my-blog-${three.id}`]);
    assert.ok(part.results.length >= 2 && part.results.every(({ id }) => /^(my-blog|old-shop):/.test(id)));
    // Reads are on record within a second, not when they are answered.
    const named = async () => (await query(porteiro.database.url, `SELECT DISTINCT connection_id AS id FROM mcp_audit_logs WHERE action = 'tool.search' ORDER BY 1`)).map(({ id }) => id);
    await waitFor('a row of the search for each site', async () => JSON.stringify(await named()) === JSON.stringify([one.id, two.id, three.id]));
  });

  test('a connection that rests, is revoked or deleted takes only itself away', async () => {
    await porteiro.json(['connection', 'pause', String(two.id)]);
    await assert.rejects(call('wp_find', { site: 'old-shop', limit: 1 }), /no such site, or it rests/);
    assert.ok(!(await call('wp_find', { site: 'my-blog', limit: 1 })).isError);
    assert.deepEqual((await list(token))[0].inputSchema.properties.site.enum, ['my-blog', `my-blog-${three.id}`]);
    await porteiro.json(['connection', 'resume', String(two.id)]);
    assert.ok(!(await call('wp_find', { site: 'old-shop', limit: 1 })).isError);
    await porteiro.json(['connection', 'revoke', String(two.id)]);
    await assert.rejects(call('wp_find', { site: 'old-shop', limit: 1 }), /no such site/);
    await porteiro.json(['connection', 'delete', String(two.id)]);
    assert.ok(!(await call('wp_find', { site: 'my-blog', limit: 1 })).isError);
    await porteiro.json(['connection', 'pause', String(one.id)]); // its own one: the last is the one it stands for now
    assert.ok(!(await call('wp_find', { limit: 1 })).isError);
    assert.ok((await list(token)).every(tool => !tool.inputSchema.properties.site));
    await porteiro.json(['connection', 'pause', String(three.id)]);
    await assert.rejects(call('wp_find', { limit: 1 }), /paused/);
  });
});
