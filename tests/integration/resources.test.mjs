// Resources of a real site: list, templates, read and completion, with the official clients of both eras and by hand; judged
// by what WordPress itself says.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { startFakeSite } from './lib/fake-site.mjs';
import { PAIRS, fixtures } from './lib/fixtures.mjs';
import { MODERN, callTool, connectClient2, connectSdk1, legacy, modern } from './lib/mcp.mjs';
import { Porteiro } from './lib/porteiro.mjs';
import { rest } from './lib/wordpress.mjs';

const CLIENTS = [
  ['sdk 1.x', connectSdk1],
  ['client 2.x, pinned', (url, token) => connectClient2(url, token, { pin: MODERN })],
  ['client 2.x, legacy', (url, token) => connectClient2(url, token, 'legacy')],
];

// Every page: the resources, and how many there were on each page.
async function listAll(client) {
  const all = [], sizes = [];
  for (let cursor; ;) {
    const page = await client.listResources(cursor && { cursor });
    all.push(...page.resources);
    sizes.push(page.resources.length);
    if (!(cursor = page.nextCursor)) return { all, sizes };
    assert.ok(sizes.length < 50, 'it ends');
  }
}

// Other test files write to the same site meanwhile: what is compared holds for a moment in which they did not. check() gets
// {posts: [uri, ...], pages, books, media} as WordPress has them for an editor.
async function steadily(site, check) {
  const look = async () => {
    const all = {};
    for (const type of ['posts', 'pages', 'books', 'media']) {
      all[type] = [];
      for (let page = 1, items; page === 1 || items.length === 100; page++) {
        items = await rest(site, `/wp/v2/${type}?${type === 'media' ? '' : 'status=any&'}per_page=100&page=${page}&_fields=id,modified`, { user: 'editor' });
        all[type].push(...items.map(({ id, modified }) => ({ uri: `wp://${type}/${id}`, modified })));
      }
    }
    return all;
  };
  for (let attempt = 1; ; attempt++) {
    const seen = await look();
    try {
      return await check(Object.fromEntries(Object.entries(seen).map(([type, items]) => [type, items.map(({ uri }) => uri)])));
    } catch (error) {
      if (attempt === 5 || JSON.stringify(await look()) === JSON.stringify(seen)) throw error;
    }
  }
}

for (const pair of PAIRS) {
  describe(`resources: ${pair.name}`, () => {
    const { site } = pair;
    let porteiro, token, connection, readers, drafts, media;
    const read = (uri, as = token) => modern(porteiro.url, as, 'resources/read', { uri });
    before(async () => {
      porteiro = await (await Porteiro.create(pair)).serve();
      await porteiro.addUser();
      connection = await porteiro.addConnection(site, { rights: 'read,draft,publish' });
      ({ token } = connection);
      readers = {};
      for (const as of ['contributor', 'subscriber']) readers[as] = (await porteiro.addConnection(site, { as, name: as, rights: 'read' })).token;
      drafts = [];
      for (const [type, route] of [['post', 'posts'], ['page', 'pages']]) {
        const { id } = await rest(site, `/wp/v2/${route}`, { method: 'POST', body: { title: `Hidden ${type}`, content: 'A secret of the editors.', status: 'draft' } });
        drafts.push(`wp://${route}/${id}`);
      }
      media = await rest(site, '/wp/v2/media?per_page=100');
    });
    after(async () => {
      for (const uri of drafts ?? []) await rest(site, `/wp/v2/${uri.slice(5)}?force=true`, { method: 'DELETE' });
      await porteiro?.stop();
    });

    for (const [name, connect] of CLIENTS) {
      describe(name, () => {
        let client;
        before(async () => {
          client = await connect(porteiro.url, token);
        });
        after(() => client?.close());

        test('the list has everything once, in pages', () => steadily(site, async expected => {
          const { all, sizes } = await listAll(client);
          const uris = all.map(resource => resource.uri);
          assert.equal(uris[0], 'wp://site');
          assert.equal(new Set(uris).size, uris.length, 'none twice');
          for (const uri of drafts) assert.ok(uris.includes(uri), `${uri} is listed for an editor`);
          for (const [type, wanted] of Object.entries(expected)) {
            assert.deepEqual(uris.filter(uri => uri.startsWith(`wp://${type}/`)).sort(), wanted.toSorted(), type);
          }
          // (client 2.x goes through the pages by itself)
          if (sizes.length > 1) for (const size of sizes) assert.ok(size > 0 && size <= 51, `a page of ${size}`);
          const file = media.find(item => item.mime_type === 'image/png');
          const picture = all.find(({ uri }) => uri === `wp://media/${file.id}`);
          assert.equal(picture.mimeType, 'image/png');
          assert.match(picture.annotations.lastModified, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
        }));

        test('templates', async () => {
          const { resourceTemplates } = await client.listResourceTemplates();
          assert.deepEqual(resourceTemplates.map(template => template.uriTemplate), ['wp://posts/{id}', 'wp://pages/{id}', 'wp://media/{id}', 'wp://{collection}/{id}']);
        });

        test('a post is what wp_read says of it', async () => {
          const [post] = await rest(site, '/wp/v2/posts?per_page=1&status=publish');
          const { contents } = await client.readResource({ uri: `wp://posts/${post.id}` });
          assert.equal(contents.length, 1);
          assert.equal(contents[0].mimeType, 'text/markdown');
          assert.equal(contents[0].uri, `wp://posts/${post.id}`);
          const { text } = await callTool(porteiro.url, token, 'wp_read', { id: String(post.id), max_chars: 400000 });
          assert.equal(contents[0].text, text);
        });

        test('the site, a page, an item of a custom type', async () => {
          const [about] = (await client.readResource({ uri: 'wp://site' })).contents;
          assert.match(about.text, /MCP test site/);
          for (const type of ['pages', 'books']) {
            const [item] = await rest(site, `/wp/v2/${type}?per_page=1`);
            const [content] = (await client.readResource({ uri: `wp://${type}/${item.id}` })).contents;
            assert.ok(content.text.includes(`id: ${item.id}, ${type.slice(0, -1)}`), content.text);
          }
        });

        test('a small file comes with its bytes', async () => {
          const item = media.find(one => one.mime_type === 'image/jpeg');
          const { contents } = await client.readResource({ uri: `wp://media/${item.id}` });
          assert.equal(contents.length, 2);
          for (const word of [item.title.rendered, item.alt_text, item.source_url, 'Caption', `size: ${item.media_details.width}x${item.media_details.height}`]) assert.ok(contents[0].text.includes(word), `${word} in ${contents[0].text}`);
          const source = fs.readFileSync(path.join(site.dir, 'www', new URL(item.source_url).pathname));
          assert.equal(contents[1].mimeType, 'image/jpeg');
          assert.ok(Buffer.from(contents[1].blob, 'base64').equals(source), 'the same bytes');
        });

        test('ids and collections are completed from the site', () => steadily(site, async ({ posts: { length: total } }) => {
          const complete = (uri, name, value, args) => client.complete({ ref: { type: 'ref/resource', uri }, argument: { name, value }, ...(args && { context: { arguments: args } }) });
          const newest = (await complete('wp://posts/{id}', 'id', '')).completion;
          assert.equal(newest.values.length, Math.min(100, total));
          assert.equal(newest.total, total);
          assert.equal(newest.hasMore, total > 100);
          const some = newest.values[0].slice(0, 1);
          for (const id of (await complete('wp://posts/{id}', 'id', some)).completion.values) assert.ok(id.startsWith(some));
          const [book] = await rest(site, '/wp/v2/books?search=Book%2042&_fields=id');
          assert.ok((await complete('wp://{collection}/{id}', 'id', 'Book 42', { collection: 'books' })).completion.values.includes(String(book.id)));
          assert.deepEqual((await complete('wp://{collection}/{id}', 'collection', 'boo')).completion.values, ['books']);
          assert.deepEqual((await complete('wp://{collection}/{id}', 'id', '', { collection: '../users' })).completion.values, []);
          await assert.rejects(complete('wp://nothing/{id}', 'id', ''), error => error.code === -32602);
        }));
      });
    }

    test('what is none, or is of another kind, is not found, with its URI', async () => {
      const [page] = await rest(site, '/wp/v2/pages?per_page=1');
      const bad = ['wp://posts/99999999', `wp://posts/${page.id}`, 'wp://nothing/1', 'wp://posts/1?_method=DELETE', 'wp://posts/01', 'wp://users/../posts/1', 'wp://settings/1',
        'wp://posts', 'wp:site', 'WP://site', 'file:///etc/passwd', 'http://127.0.0.1/', 'wp://media/99999999', `wp://media/${page.id}`, 'wp://posts/9223372036854775807'];
      for (const uri of bad) {
        const { status, json } = await read(uri);
        assert.equal(status, 200, uri);
        assert.equal(json.error?.code, -32602, `${uri}: ${JSON.stringify(json)}`);
        assert.equal(json.error.data.uri, uri);
        assert.equal((await legacy(porteiro.url, token, 'resources/read', { uri })).json.error.code, -32002, uri);
      }
    });

    test('drafts and private posts of others are not there for those who may not see them', async () => {
      const secret = await rest(site, '/wp/v2/posts', { method: 'POST', body: { title: 'Private one', content: 'Hush.', status: 'private' } });
      try {
        for (const [who, as] of Object.entries(readers)) {
          for (const uri of [...drafts, `wp://posts/${secret.id}`]) {
            const { text, json } = await read(uri, as);
            assert.equal(json.error?.code, -32602, `${who} ${uri}: ${text}`);
            assert.ok(!/secret|Hush/.test(text), text);
          }
          const uris = [];
          for (let cursor; ;) {
            const { json, text } = await modern(porteiro.url, as, 'resources/list', cursor ? { cursor } : {});
            assert.ok(json.result, text);
            uris.push(...json.result.resources.map(resource => resource.uri));
            if (!(cursor = json.result.nextCursor)) break;
          }
          for (const uri of [...drafts, `wp://posts/${secret.id}`]) assert.ok(!uris.includes(uri), `${who} sees ${uri}`);
          assert.ok(uris.length > 100, `${who} sees what is public: ${uris.length}`);
          const { json } = await modern(porteiro.url, as, 'completion/complete', { ref: { type: 'ref/resource', uri: 'wp://posts/{id}' }, argument: { name: 'id', value: 'Private one' } });
          assert.ok(!json.result.completion.values.includes(String(secret.id)), who);
        }
        assert.match((await read(drafts[0])).text, /A secret of the editors/);
      } finally {
        await rest(site, `/wp/v2/posts/${secret.id}?force=true`, { method: 'DELETE' });
      }
    });

    test('a cursor that is none of ours is refused', async () => {
      for (const cursor of ['', 'nonsense', 'posts.', 'posts.-1', 'posts.x', 'users.0', 'posts.9999999999', '../users.0', 'x'.repeat(2000)]) {
        const { json } = await modern(porteiro.url, token, 'resources/list', { cursor });
        assert.equal(json.error?.code, -32602, `${cursor.slice(0, 20)}: ${JSON.stringify(json)}`);
      }
    });
  });
}

// Whichever method meets it: nobody goes on knocking with a password that is not taken any more.
describe('a password that is refused stops the connection', () => {
  const calls = {
    'resources/read': { uri: 'wp://posts/1' },
    'resources/list': {},
    'prompts/get': { name: 'seo_check', arguments: { item: '1' } },
    'completion/complete': { ref: { type: 'ref/resource', uri: 'wp://posts/{id}' }, argument: { name: 'id', value: '' } },
  };
  let porteiro, site;
  before(async () => {
    site = await startFakeSite(fixtures.sites.new);
    porteiro = await (await Porteiro.create()).serve();
    await porteiro.addUser();
  });
  after(async () => {
    site?.stop();
    await porteiro?.stop();
  });
  for (const [method, params] of Object.entries(calls)) {
    test(method, async () => {
      site.answer = null;
      const { id, token } = await porteiro.addConnection(site, { name: method });
      site.answer = (request, response) => response.writeHead(401, { 'content-type': 'application/json' }).end('{"code":"incorrect_password","message":"No.","data":{"status":401}}');
      const { json } = await modern(porteiro.url, token, method, params);
      assert.match(json.error?.message ?? '', /password/i, JSON.stringify(json));
      assert.equal((await porteiro.json(['connection', 'show', String(id)])).status, 'error');
      assert.equal((await modern(porteiro.url, token, 'tools/list')).status, 403, 'the token is good, the password is not');
    });
  }
});

describe('files as resources: from where they may come', () => {
  let porteiro, site, token, item, bytes;
  const fileOf = uri => uri.startsWith('/wp-content/');
  const read = async () => (await modern(porteiro.url, token, 'resources/read', { uri: `wp://media/${item.id}` })).json.result.contents;
  before(async () => {
    site = await startFakeSite(fixtures.sites.new);
    porteiro = await (await Porteiro.create()).serve();
    await porteiro.addUser();
    ({ token } = await porteiro.addConnection(site, { rights: 'read' }));
    item = (await rest(fixtures.sites.new, '/wp/v2/media?per_page=100')).find(one => one.mime_type === 'image/png');
    bytes = fs.readFileSync(path.join(fixtures.sites.new.dir, 'www', new URL(item.source_url).pathname));
  });
  after(async () => {
    site?.stop();
    await porteiro?.stop();
  });
  // The file's request is answered by `file`; what WordPress says of it goes through `edit`.
  const answer = (file, edit) => {
    site.requests.length = 0;
    site.answer = (request, response, pass) => (fileOf(request.url) ? file(response) : pass({ edit }));
  };
  const sendFile = (response, type = 'image/png', body = bytes) => response.writeHead(200, { 'content-type': type }).end(body);

  test('the file is asked for without the password', async () => {
    answer(response => sendFile(response));
    const contents = await read();
    assert.ok(Buffer.from(contents[1].blob, 'base64').equals(bytes));
    const asked = site.requests.filter(request => fileOf(request.url));
    assert.equal(asked.length, 1);
    assert.equal(asked[0].headers.authorization, undefined);
  });

  test('another host, or another port, is never asked: its address is named', async () => {
    const other = await startFakeSite(fixtures.sites.new);
    try {
      for (const url of [other.url, 'http://169.254.169.254', 'file:///etc/passwd#', `http://user:pw@${new URL(site.url).host}`]) {
        answer(response => sendFile(response), text => text.replaceAll(`"source_url":"${site.url.replaceAll('/', '\\/')}`, `"source_url":"${url.replaceAll('/', '\\/')}`));
        const contents = await read();
        assert.equal(contents.length, 1, url);
        assert.ok(contents[0].text.includes(`url: ${url}`), contents[0].text);
        assert.equal(other.requests.length, 0);
        assert.equal(site.requests.filter(request => fileOf(request.url)).length, 0);
      }
    } finally {
      await other.stop();
    }
  });

  test('a file that WordPress says is large is not asked for at all', async () => {
    answer(response => sendFile(response), text => text.replace(/"filesize":\d+/, '"filesize":50000000'));
    const contents = await read();
    assert.equal(contents.length, 1);
    assert.match(contents[0].text, /bytes: 50000000/);
    assert.equal(site.requests.filter(request => fileOf(request.url)).length, 0);
  });

  test('what is not the file WordPress means is left out: a page, a redirect, an error, too many bytes, silence about them', async () => {
    const cases = {
      'a page': response => sendFile(response, 'text/html', '<h1>Log in</h1>'),
      'another type': response => sendFile(response, 'image/svg+xml'),
      'a redirect': response => response.writeHead(302, { location: `${site.url}/wp-json/` }).end(),
      'an error': response => response.writeHead(403, { 'content-type': 'image/png' }).end(bytes),
      'too many bytes': response => sendFile(response, 'image/png', Buffer.alloc(600 * 1024)),
      'a cut connection': response => response.destroy(),
    };
    for (const [name, file] of Object.entries(cases)) {
      answer(file);
      assert.equal((await read()).length, 1, name);
    }
  });
});
