// structuredContent, for tokens with the option structured only: objects that fit a schema and say what the text says.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import Ajv from 'ajv/dist/2020.js';
import { png } from './lib/files.mjs';
import { PAIRS } from './lib/fixtures.mjs';
import { MODERN, connectClient2, connectSdk1, legacy, modern } from './lib/mcp.mjs';
import { Porteiro } from './lib/porteiro.mjs';
import { rest } from './lib/wordpress.mjs';

const ALL = 'read,draft,publish,delete,fetch,admin';
const integer = { type: 'integer' }, string = { type: 'string', minLength: 1 }, version = { type: 'string', pattern: '^[0-9]{9}$' };
const object = (properties, optional = {}) => ({ type: 'object', properties: { ...properties, ...optional }, required: Object.keys(properties), additionalProperties: false });
const list = items => ({ type: 'array', items });
const written = { id: integer, type: string, status: string, version, url: string, undo: integer };
const change = object({ undo: integer, when: string, kind: string, fields: list(string), token: string },
  { type: string, id: integer, title: string, state: string, undo_of: integer, undone_by: integer });
const SCHEMAS = {
  find: object({ items: list(object({ id: integer, date: { type: 'string', pattern: '^\\d{4}-\\d\\d-\\d\\d$' }, title: { type: 'string' }, words: integer, featured: integer, category: { type: 'string' }, post_tag: { type: 'string' } })), total: integer }, { next_cursor: string }),
  read: object({ title: string, id: integer, type: string, status: string, date: string, version, url: string, content: string }, { included: string, featured_image: integer }),
  term: object({ id: integer, type: string, version, fields: object({ id: integer, name: string, slug: string, link: string, count: integer, parent: integer }) }, { content: string }),
  settings: object({ items: list(object({ name: string, value: {} })) }),
  written: object(written, { blocks: string, note: string }),
  undone: object({ ...written, undo_of: integer, done: string }),
  deleted: object({ type: string, items: { type: 'array', minItems: 1, items: object({ id: { type: ['integer', 'string'] } }, { done: string, not_done: string, undo: integer }) } }),
  preview: object({ dry_run: { const: true }, preview: string }),
  history: object({ items: list(change), has_more: { type: 'boolean' } }),
  difference: object({ items: list(change), difference: string }),
  uploaded: object({ id: integer, type: { const: 'media' }, bytes: integer, mime: string, url: string }, { stored_as: string }),
  link: object({ send_to: string, minutes: integer, max_megabytes: integer }),
  site: object({ site: string, url: string, time_zone: string, user: object({ id: integer, name: string, role: string }, { language: string }), rights: list(string), types: list(object({ type: string, taxonomies: list(string) })), found: list(string) },
    { description: string, wordpress: string }),
  operations: object({ operations: list(object({ name: string, writes: { type: 'boolean' } }, { arguments: string, about: string })) }, { more: integer }),
  operation: object({ name: string, arguments: list({ type: 'object', required: ['name'], properties: { name: string, type: string, required: { const: true }, default: {}, description: string, members: { type: 'array' } }, additionalProperties: false }) }, { about: string }),
  bulk: object({ done: integer, total: integer, not_done: { type: 'array', items: object({ item: string, why: string }) } }, { undo: integer, unknown: integer }),
};
const ajv = new Ajv({ strict: true, allowUnionTypes: true });
const validators = Object.fromEntries(Object.entries(SCHEMAS).map(([name, schema]) => [name, ajv.compile(schema)]));

for (const pair of PAIRS) {
  describe(`structured: ${pair.name}`, () => {
    const { site } = pair;
    let porteiro, plain, structured;
    const made = [];
    const call = async (token, name, args = {}) => (await legacy(porteiro.url, token, 'tools/call', { name, arguments: args })).json.result;
    // The object, which must fit the schema.
    const answer = async (schema, name, args) => {
      const { isError, content, structuredContent } = await call(structured, name, args);
      assert.ok(!isError, JSON.stringify(content));
      assert.ok(validators[schema](structuredContent), `${JSON.stringify(validators[schema].errors)}\n${JSON.stringify(structuredContent)}`);
      return { object: structuredContent, text: content[0].text };
    };
    before(async () => {
      porteiro = await (await Porteiro.create(pair)).serve({ PORTEIRO_TOKEN_WRITES_PER_MINUTE: '0' });
      await porteiro.addUser();
      const { id } = await porteiro.addConnection(site, { as: 'admin', rights: 'read' });
      plain = (await porteiro.addToken(id, '--rights', ALL)).token;
      structured = (await porteiro.addToken(id, '--rights', ALL, '--options', 'structured')).token;
    });
    after(async () => {
      for (const [route, id] of made) await rest(site, `/wp/v2/${route}/${id}?force=true`, { method: 'DELETE' }).catch(() => {});
      await porteiro?.stop();
    });

    test('the list is the same with and without it, and has no outputSchema', async () => {
      const [with_, without] = await Promise.all([structured, plain].map(async token => (await modern(porteiro.url, token, 'tools/list')).json.result.tools));
      assert.deepEqual(with_, without);
      for (const tool of with_) assert.equal(tool.outputSchema, undefined, tool.name);
    });

    test('the text is the same to the byte, and without the option there is nothing else', async () => {
      const [post] = await rest(site, '/wp/v2/posts?per_page=1&orderby=id&order=asc');
      for (const [name, args] of [['wp_site', {}], ['wp_find', { type: 'post', limit: 100, fields: ['words', 'featured', 'author', 'terms'] }], ['wp_find', { type: 'settings' }], ['wp_find', { type: 'plugin' }], ['wp_read', { type: 'settings' }], ['wp_read', { type: 'user', id: '1' }],
        ['wp_find', { q: 'qqqqzzzz' }], ['wp_read', { id: String(post.id), include: ['terms', 'comments', 'revisions'] }], ['wp_read', { id: '99999999' }], ['wp_history', {}],
        ['wp_create', { title: 'Only a look', content: 'Words.', dry_run: true }], ['wp_edit', { id: String(post.id), set: { title: 'Other' }, dry_run: true }]]) {
        const [with_, without] = [await call(structured, name, args), await call(plain, name, args)];
        assert.equal('structuredContent' in without, false, name);
        assert.equal('structuredContent' in with_, !with_.isError, `${name} ${JSON.stringify(args)}`);
        delete with_.structuredContent;
        assert.deepEqual(with_, without);
      }
    });

    test('wp_find: values as WordPress has them, and a cursor that leads through all', async () => {
      const posts = await rest(site, '/wp/v2/posts?per_page=100&_fields=id,title');
      const args = { type: 'post', limit: 40, fields: ['words', 'featured', 'terms'] };
      const seen = [];
      for (let cursor; ;) {
        const { object: page, text } = await answer('find', 'wp_find', { ...args, ...(cursor && { cursor }) });
        const rows = text.split('\n').slice(1, 1 + page.items.length);
        assert.deepEqual(rows.map(row => row.split('\t')), page.items.map(item => Object.values(item).map(String)));
        seen.push(...page.items.map(item => item.id));
        if (!page.next_cursor) {
          assert.equal(seen.length, page.total);
          break;
        }
        assert.ok(text.endsWith(`next cursor: ${page.next_cursor}`));
        cursor = page.next_cursor;
      }
      assert.equal(new Set(seen).size, seen.length);
      for (const { id } of posts) assert.ok(seen.includes(id));
      const { object: none } = await answer('find', 'wp_find', { q: 'qqqqzzzz' });
      assert.deepEqual(none, { items: [], total: 0 });
      const { object: settings } = await answer('settings', 'wp_find', { type: 'settings' });
      assert.equal(typeof settings.items.find(({ name }) => name === 'posts_per_page').value, 'number');
    });

    test('what is written, read, taken back and deleted', async () => {
      const { object: post } = await answer('written', 'wp_create', { title: '2024', content: 'One.\n\nTwo \u202eevil.' });
      made.push(['posts', post.id]);
      assert.deepEqual([post.type, post.status], ['post', 'draft']);
      const id = String(post.id);
      const { object: read, text } = await answer('read', 'wp_read', { id, include: ['revisions'] });
      assert.deepEqual([read.id, read.title, read.version], [post.id, '2024', post.version]); // a title that is digits stays a string
      assert.ok(text.endsWith(`\n\n${read.content}`));
      assert.ok(read.content.includes('&#x202E;') && !JSON.stringify(read).includes('\u202e'));
      const { object: preview } = await answer('preview', 'wp_edit', { id, edits: [{ find: 'One', replace: 'Three' }], dry_run: true });
      assert.match(preview.preview, /Three/);
      const { object: edited } = await answer('written', 'wp_edit', { id, edits: [{ find: 'One', replace: 'Three' }] });
      assert.notEqual(edited.version, post.version);
      const { object: differs } = await answer('difference', 'wp_history', { diff: String(edited.undo) });
      assert.equal(differs.items[0].undo, edited.undo);
      const { object: undone } = await answer('undone', 'wp_edit', { undo: String(edited.undo) });
      assert.deepEqual([undone.id, undone.version, undone.undo_of], [post.id, post.version, edited.undo]);
      const { object: history } = await answer('history', 'wp_history', { id: post.id });
      assert.deepEqual(history.items.map(one => one.undo), [undone.undo, edited.undo, post.undo]);
      assert.equal(history.items[1].undone_by, undone.undo);
      const { object: trashed } = await answer('deleted', 'wp_delete', { ids: [id, '99999999'] });
      assert.equal(trashed.items[0].id, post.id);
      assert.equal(trashed.items[0].done, 'trashed');
      assert.ok(trashed.items[0].undo > undone.undo && trashed.items[1].not_done);
      assert.equal((await rest(site, `/wp/v2/posts/${post.id}?context=edit`)).status, 'trash');
    });

    test('wp_get and wp_call: lists, one thing, things by name, a look; nothing when the text is cut', async () => {
      const get = async (args, token = structured) => call(token, 'wp_get', args);
      const { structuredContent: posts, content } = await get({ name: 'GET /wp/v2/posts', args: { per_page: 3 }, fields: ['id', 'title', 'sticky', 'id'] });
      assert.deepEqual(Object.keys(posts.items[0]), ['id', 'title', 'sticky']);
      assert.equal(posts.items.length, 3);
      assert.ok(posts.total > 3);
      assert.equal(typeof posts.items[0].id, 'number');
      assert.equal(typeof posts.items[0].sticky, 'boolean');
      assert.deepEqual(content[0].text.split('\n').slice(1, 4).map(row => row.split('\t')), posts.items.map(item => Object.values(item).map(String)));
      const { structuredContent: one } = await get({ name: `GET /wp/v2/posts/${posts.items[0].id}`, fields: ['id', 'status', 'title'] });
      assert.deepEqual(one, { fields: { id: posts.items[0].id, status: 'publish', title: posts.items[0].title } });
      const { structuredContent: types } = await get({ name: 'GET /wp/v2/types', fields: ['slug', 'hierarchical'] });
      assert.deepEqual([types.named.post, types.named.page], [{ slug: 'post', hierarchical: false }, { slug: 'page', hierarchical: true }]);
      const cut = await get({ name: 'GET /wp/v2/posts', args: { per_page: 3 }, max_chars: 200 });
      assert.match(cut.content[0].text, /\[cut:/);
      assert.equal(cut.structuredContent, undefined);
      assert.equal((await get({ name: 'GET /wp/v2/types' }, plain)).structuredContent, undefined);
      const tag = { name: 'POST /wp/v2/tags', args: { name: `Structured ${Date.now()}` }, fields: ['id', 'name', 'count'] };
      assert.deepEqual(Object.keys((await call(structured, 'wp_call', { ...tag, dry_run: true })).structuredContent), ['dry_run', 'preview']);
      const { structuredContent: { fields } } = await call(structured, 'wp_call', tag);
      made.push(['tags', fields.id]);
      assert.deepEqual([fields.name, fields.count], [tag.args.name, 0]);
    });

    test('wp_discover: hits, and one operation with its arguments', async () => {
      const { object: found, text } = await answer('operations', 'wp_discover', { q: 'create helpdesk ticket', limit: 3 });
      assert.deepEqual(found.operations.map(({ name, arguments: args }) => `${name} (${args})`), text.split('\n').slice(0, 3));
      assert.deepEqual([found.operations[0].writes, found.operations.find(({ name }) => name.startsWith('GET ')).writes], [true, false]);
      assert.equal(`+${found.more} more`, text.split('\n')[3]);
      const { object: one } = await answer('operation', 'wp_discover', { name: 'GET /wp/v2/posts' });
      assert.equal(one.name, 'GET /wp/v2/posts');
      const perPage = one.arguments.find(({ name }) => name === 'per_page');
      assert.deepEqual([perPage.type, perPage.default], ['integer', 10]);
      assert.deepEqual((await answer('operations', 'wp_discover', { q: 'qqqzzz' })).object, { operations: [] });
    });

    test('wp_bulk: what was done, and what not', async () => {
      const ids = [];
      for (const title of ['A', 'B']) {
        const { id } = await rest(site, '/wp/v2/posts', { method: 'POST', body: { title, content: title === 'A' ? 'One tide.' : 'None.', status: 'draft' } });
        ids.push(id), made.push(['posts', id]);
      }
      const args = { ids, edits: [{ find: 'One tide', replace: 'Two tides' }] };
      const preview = await call(structured, 'wp_bulk', args);
      assert.equal(preview.structuredContent, undefined);
      const [, code] = /confirm_code "(\w+)"/.exec(preview.content[0].text);
      const { object: done, text } = await answer('bulk', 'wp_bulk', { ...args, confirm_code: code });
      assert.deepEqual([done.done, done.total, done.not_done.map(({ item }) => item)], [1, 2, [String(ids[1])]]);
      assert.equal(text.split('\n')[0], `1 of 2 changed, undo ${done.undo}`);
      assert.equal(text.split('\n')[1], `${ids[1]}: ${done.not_done[0].why}`);
    });

    test('wp_site, a term, a file, a link to send one to', async () => {
      const { object: about } = await answer('site', 'wp_site');
      assert.deepEqual(about.rights, ALL.split(','));
      assert.ok(about.types.some(({ type, taxonomies }) => type === 'post' && taxonomies.includes('category')));
      const [category] = await rest(site, '/wp/v2/categories?per_page=1');
      const { object: term } = await answer('term', 'wp_read', { type: 'category', id: String(category.id) });
      assert.deepEqual([term.fields.id, term.fields.count], [category.id, category.count]);
      const { object: file } = await answer('uploaded', 'wp_upload', { data: png(20).toString('base64'), filename: 'structured.png' });
      made.push(['media', file.id]);
      const media = await rest(site, `/wp/v2/media/${file.id}`);
      assert.deepEqual([file.url, file.mime, file.bytes], [media.source_url, media.mime_type, png(20).length]);
      await answer('link', 'wp_upload', {});
    });

    for (const [name, connect] of [['sdk 1.x', connectSdk1], ['client 2.x, pinned', (url, token) => connectClient2(url, token, { pin: MODERN })]])
      test(`${name} takes it`, async () => {
        const client = await connect(porteiro.url, structured);
        try {
          await client.listTools();
          const { structuredContent } = await client.callTool({ name: 'wp_find', arguments: { type: 'post', limit: 1, fields: ['words', 'featured', 'terms'] } });
          assert.ok(validators.find(structuredContent), JSON.stringify(validators.find.errors));
        } finally {
          await client.close();
        }
      });
  });
}
