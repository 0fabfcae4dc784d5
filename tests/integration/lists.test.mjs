// What a client pays before it has asked for anything: the tokens of tools/list, for each kind of token. And search and fetch,
// the tools that are listed for tokens with the option research only.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { countTokens } from 'gpt-tokenizer/encoding/o200k_base';
import { PAIRS } from './lib/fixtures.mjs';
import { MODERN, callTool, connectClient2, connectSdk1, legacy, modern } from './lib/mcp.mjs';
import { Porteiro } from './lib/porteiro.mjs';
import { rest } from './lib/wordpress.mjs';

const ALL = 'read,draft,publish,delete,fetch,admin';
const LIMITS = { all: 1600, read: 700, research: 90 };

// What a model must read of a tool: name, description, schema.
const visible = tools => countTokens(JSON.stringify(tools.map(({ name, description, inputSchema }) => ({ name, description, inputSchema }))));

for (const pair of PAIRS) {
  describe(`lists: ${pair.name}`, () => {
    const { site } = pair;
    let porteiro, tokens;
    const toolsOf = async token => (await modern(porteiro.url, token, 'tools/list')).json.result.tools;
    before(async () => {
      porteiro = await (await Porteiro.create(pair)).serve();
      await porteiro.addUser();
      const { id } = await porteiro.addConnection(site, { rights: 'read' });
      const make = async (...args) => (await porteiro.addToken(id, ...args)).token;
      tokens = {
        all: await make('--rights', ALL),
        read: await make('--rights', 'read'),
        research: await make('--rights', 'read', '--options', 'research'),
        none: await make('--rights', 'read', '--options', 'none'),
      };
    });
    after(() => porteiro?.stop());

    test('tokens of tools/list (o200k; name, description, schema)', async () => {
      const counts = Object.fromEntries(await Promise.all(Object.entries(tokens).map(async ([kind, token]) => [kind, visible(await toolsOf(token))])));
      console.log(`tools/list: all rights ${counts.all}, read ${counts.read}, read with research ${counts.research} tokens`);
      assert.ok(counts.all <= LIMITS.all, `${counts.all} tokens with all rights`);
      assert.ok(counts.read <= LIMITS.read, `${counts.read} tokens with read`);
      assert.ok(counts.research - counts.read <= LIMITS.research, `search and fetch cost ${counts.research - counts.read} tokens`);
      assert.equal(counts.none, counts.read);
    });

    test('an option that is none is refused, with those there are', async () => {
      const { code, stderr } = await porteiro.cli(['token', 'add', '--connection', '1', '--options', 'admin']);
      assert.notEqual(code, 0);
      assert.match(stderr, /There are: research/);
    });

    test('without the option there is no such tool, by whatever right', async () => {
      for (const token of [tokens.all, tokens.read]) {
        assert.ok(!(await toolsOf(token)).some(({ name }) => name === 'search' || name === 'fetch'));
        const { json } = await legacy(porteiro.url, token, 'tools/call', { name: 'search', arguments: { query: 'post' } });
        assert.equal(json.error.code, -32602);
      }
    });

    test('the option outlives a rotation of the connection\'s own token', async () => {
      const { id, token } = await porteiro.json([...porteiro.connectionArgs(site, { name: 'rotated', rights: 'read' }), '--options', 'research'], { stdin: `${site.users.editor.app_password}\n` });
      assert.ok((await toolsOf(token)).some(({ name }) => name === 'search'));
      const rotated = await porteiro.json(['connection', 'rotate-token', String(id)]);
      assert.ok((await toolsOf(rotated.token)).some(({ name }) => name === 'search'));
    });

    for (const [name, connect] of [['sdk 1.x', connectSdk1], ['client 2.x, pinned', (url, token) => connectClient2(url, token, { pin: MODERN })]]) {
      describe(`search and fetch: ${name}`, () => {
        let client;
        before(async () => {
          client = await connect(porteiro.url, tokens.research);
        });
        after(() => client?.close());
        // Exactly one text of JSON, and the same as structuredContent.
        const call = async (tool, args) => {
          const result = await client.callTool({ name: tool, arguments: args });
          assert.ok(!result.isError, JSON.stringify(result));
          assert.equal(result.content.length, 1);
          assert.equal(result.content[0].type, 'text');
          const value = JSON.parse(result.content[0].text);
          assert.deepEqual(result.structuredContent, value);
          return value;
        };

        test('they are listed, and only read', async () => {
          const { tools } = await client.listTools();
          for (const tool of ['search', 'fetch']) {
            const { annotations } = tools.find(one => one.name === tool);
            assert.equal(annotations.readOnlyHint, true);
            assert.equal(annotations.destructiveHint, false);
          }
        });

        test('a search finds, and what it found can be fetched', async () => {
          const { results } = await call('search', { query: 'Book 42' });
          const [book] = await rest(site, '/wp/v2/books?search=Book%2042');
          const found = results.find(result => result.id === `wp://books/${book.id}`);
          assert.ok(found, JSON.stringify(results));
          assert.deepEqual(found, { id: `wp://books/${book.id}`, title: book.title.rendered, url: book.link });
          assert.ok(results.length <= 10);
          const document = await call('fetch', { id: found.id });
          assert.deepEqual([document.id, document.title, document.url], [found.id, found.title, found.url]);
          assert.equal(document.metadata.type, 'book');
          assert.equal(document.metadata.status, 'publish');
          const { text } = await callTool(porteiro.url, tokens.read, 'wp_read', { id: String(book.id), type: 'book', max_chars: 100000 });
          assert.equal(document.text, text);
        });

        test('a question in a whole sentence finds what has most of its words', async () => {
          const [post] = await rest(site, '/wp/v2/posts?per_page=1&status=publish&context=edit&orderby=id&order=asc');
          const words = post.title.raw.replace(/^Post \d+: /, '').split(' ').filter(word => word.length > 3);
          const { results } = await call('search', { query: `Zzyzx, "${words.slice(0, 2).join(', ')}"?` });
          assert.ok(results.length > 0);
          for (const { title, url, id } of results) assert.ok(title && url.startsWith('http') && id.startsWith('wp://'));
        });

        test('nothing is an empty list; nonsense and what is hidden are errors', async () => {
          assert.deepEqual(await call('search', { query: 'qqqqzzzz xxxxyyyy' }), { results: [] });
          const draft = await rest(site, '/wp/v2/posts', { method: 'POST', body: { title: 'Unborn zebra', content: 'Not yet.', status: 'draft' } });
          try {
            assert.deepEqual((await call('search', { query: 'Unborn zebra' })).results.filter(({ id }) => id === `wp://posts/${draft.id}`), []);
          } finally {
            await rest(site, `/wp/v2/posts/${draft.id}?force=true`, { method: 'DELETE' });
          }
          for (const [tool, args] of [['search', {}], ['search', { query: ' ' }], ['search', { query: 'x'.repeat(600) }], ['fetch', { id: 'wp://posts/99999999' }], ['fetch', { id: 'wp://site' }],
            ['fetch', { id: 'wp://posts/1?_method=DELETE' }], ['fetch', { id: 'http://elsewhere.example/a' }], ['fetch', { id: '../users/1' }]]) {
            const result = await client.callTool({ name: tool, arguments: args });
            assert.equal(result.isError, true, `${tool} ${JSON.stringify(args)}: ${JSON.stringify(result)}`);
            assert.equal(result.structuredContent, undefined);
          }
        });
      });
    }
  });
}
