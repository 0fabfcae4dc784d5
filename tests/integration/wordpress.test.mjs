// The main job on a real site: find, read, create and edit, judged by what WordPress itself then says.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { PAIRS } from './lib/fixtures.mjs';
import { callTool } from './lib/mcp.mjs';
import { Porteiro } from './lib/porteiro.mjs';
import { rest } from './lib/wordpress.mjs';

for (const pair of PAIRS) {
  describe(`WordPress tools: ${pair.name}`, () => {
    const { site } = pair;
    let porteiro, token, draftToken, connection;
    before(async () => {
      porteiro = await (await Porteiro.create(pair)).serve();
      await porteiro.addUser();
      connection = await porteiro.addConnection(site, { rights: 'read,draft,publish' });
      ({ token } = connection);
      ({ token: draftToken } = await porteiro.addToken(connection.id, '--rights', 'read,draft'));
    });
    after(() => porteiro?.stop());

    // The text of a call that must succeed, and of one that must not.
    async function works(name, args, as = token) {
      const { isError, text } = await callTool(porteiro.url, as, name, args);
      assert.ok(!isError, `${name} ${JSON.stringify(args)}: ${text}`);
      return text;
    }
    async function fails(name, args, as = token) {
      const { isError, text } = await callTool(porteiro.url, as, name, args).catch(error => {
        if (!error.rpc && error.status !== 403) throw error;
        return { isError: true, text: error.message };
      });
      assert.ok(isError, `${name} ${JSON.stringify(args)} should fail: ${text}`);
      return text;
    }
    const idOf = text => Number(/\d+/.exec(text)[0]); // wp_create answers with the id first
    const versionOf = text => /version:?\s*"?([0-9A-Za-z_-]{6,})/i.exec(text)?.[1];
    const raw = async (id, type = 'posts') => (await rest(site, `/wp/v2/${type}/${id}?context=edit`, { user: 'admin' })).content.raw;
    const post = (id, type = 'posts') => rest(site, `/wp/v2/${type}/${id}?context=edit`);

    describe('wp_site', () => {
      test('orients in one call: site, version, user, rights, types', async () => {
        const text = await works('wp_site', {});
        for (const word of ['MCP test site', site.version, 'editor', 'book', 'genre', 'page']) {
          assert.ok(text.includes(word), `${word} in ${text}`);
        }
        assert.ok(text.length < 4000, `${text.length} characters`);
      });
    });

    describe('wp_find', () => {
      test('the ten newest posts are those WordPress names, in few bytes', async () => {
        const text = await works('wp_find', {});
        const posts = await rest(site, '/wp/v2/posts?per_page=10&_fields=id,title', { user: 'editor' });
        const at = posts.map(item => text.search(new RegExp(`^${item.id}\\t`, 'm')));
        assert.ok(at.every(index => index >= 0), text);
        assert.deepEqual(at, at.toSorted((a, b) => a - b), 'in this order');
        assert.ok(text.length < 1500, `${text.length} characters`);
      });

      test('total and cursor: pages do not overlap', async () => {
        const seen = new Set();
        let cursor;
        for (let page = 0; page < 3; page++) {
          const text = await works('wp_find', { type: 'book', limit: 5, ...(cursor && { cursor }) });
          assert.match(text, /\b60\b/, 'the total');
          for (const [, title] of text.matchAll(/(Book \d+)/g)) {
            assert.ok(!seen.has(title), `${title} twice`);
            seen.add(title);
          }
          cursor = /cursor[:=\s"]+([^\s"]+)/i.exec(text)?.[1];
          assert.ok(cursor, text);
        }
        assert.equal(seen.size, 15);
        await fails('wp_find', { type: 'book', cursor: 'nonsense' });
      });

      test('search, order, status', async () => {
        assert.match(await works('wp_find', { type: 'book', q: 'Book 42' }), /Book 42/);
        const byTitle = await works('wp_find', { type: 'page', order: 'title', limit: 3 });
        assert.match(byTitle, /Page 1\b/);
        const drafts = await works('wp_find', { status: 'draft', limit: 100 });
        const expected = await rest(site, '/wp/v2/posts?status=draft&per_page=100&_fields=id');
        for (const { id } of expected) assert.ok(drafts.includes(String(id)));
      });

      test('terms and authors by name', async () => {
        const text = await works('wp_find', { terms: { category: ['Category 3'] }, limit: 100 });
        const [category] = await rest(site, '/wp/v2/categories?slug=category-3');
        const expected = await rest(site, `/wp/v2/posts?categories=${category.id}&per_page=100&_fields=id`, { user: 'editor' });
        assert.ok(expected.length > 0);
        for (const { id } of expected) assert.ok(text.includes(String(id)), `${id} in ${text}`);
        const byAuthor = await works('wp_find', { author: 'writer5', limit: 100 });
        const [author] = await rest(site, '/wp/v2/users?slug=writer5&context=edit');
        for (const { id } of await rest(site, `/wp/v2/posts?author=${author.id}&per_page=100&_fields=id`, { user: 'editor' })) {
          assert.ok(byAuthor.includes(String(id)));
        }
      });

      test('a term, an author or a type that is not there is an error that names it', async () => {
        assert.match(await fails('wp_find', { terms: { category: ['No such'] } }), /No such/);
        assert.match(await fails('wp_find', { author: 'no-such-person' }), /no-such-person/);
        assert.match(await fails('wp_find', { type: 'no-such-type' }), /no-such-type/);
      });

      test('extra columns', async () => {
        assert.match(await works('wp_find', { type: 'book', fields: ['meta.isbn'], q: 'Book 7' }), /978\d{10}/);
      });

      for (const name of ['_method', 'rest_route', '_envelope', '_jsonp', 'no_such_argument']) {
        test(`filter refuses ${name}`, async () => {
          assert.match(await fails('wp_find', { filter: { [name]: 'DELETE' } }), new RegExp(name));
        });
      }
    });

    describe('wp_read', () => {
      test('Markdown, by id, by slug and by address', async () => {
        const [page] = await rest(site, '/wp/v2/pages?slug=page-2');
        const byId = await works('wp_read', { type: 'page', id: String(page.id) });
        assert.match(byId, /Page 2/);
        assert.match(byId, /^## |\n## /, 'headings are Markdown');
        assert.match(byId, /“Grüße – 日本” & /, 'entities are decoded');
        assert.ok(!byId.includes('<!-- wp:'), 'no block markup');
        assert.ok(versionOf(byId), byId.slice(0, 300));
        const bySlug = await works('wp_read', { type: 'page', id: 'page-2' });
        const byUrl = await works('wp_read', { type: 'page', id: page.link });
        assert.equal(bySlug, byId);
        assert.equal(byUrl, byId);
      });

      test('raw blocks and outline', async () => {
        const [page] = await rest(site, '/wp/v2/pages?slug=page-3&context=edit');
        const blocks = await works('wp_read', { type: 'page', id: String(page.id), format: 'blocks' });
        assert.ok(blocks.includes('<!-- wp:paragraph {"className":"lead"} -->'), blocks.slice(0, 500));
        const outline = await works('wp_read', { type: 'page', id: String(page.id), format: 'outline' });
        assert.ok(outline.length < blocks.length / 2);
      });

      test('a part only; cut at max_chars and says so', async () => {
        const [page] = await rest(site, '/wp/v2/pages?slug=page-3');
        const whole = await works('wp_read', { type: 'page', id: String(page.id) });
        const cut = await works('wp_read', { type: 'page', id: String(page.id), max_chars: 300 });
        assert.ok(cut.length < whole.length && cut.length < 900, `${cut.length} of ${whole.length}`);
        const part = await works('wp_read', { type: 'page', id: String(page.id), part: '1-2' });
        assert.ok(part.length < whole.length);
      });

      test('custom post type with its fields and terms', async () => {
        const [book] = await rest(site, '/wp/v2/books?slug=book-9');
        const text = await works('wp_read', { type: 'book', id: String(book.id), include: ['meta', 'terms'] });
        assert.ok(text.includes(book.meta.isbn), text);
        assert.match(text, /Genre \d/);
      });

      test('what is not there, or a bad id, is an error', async () => {
        assert.match(await fails('wp_read', { id: '99999999' }), /99999999/);
        await fails('wp_read', { id: 'no-such-slug-anywhere' });
        await fails('wp_read', { id: '../users/1' });
        await fails('wp_read', { id: '1?_method=DELETE' });
        await fails('wp_read', { id: 'https://example.com/elsewhere/' });
        await fails('wp_read', { id: '' });
      });
    });

    describe('wp_create', () => {
      test('Markdown becomes valid blocks; a draft by default; terms by name, made when missing', async () => {
        const content = '# Not a title\n\nA paragraph with **bold**, *italic*, `code` and [a link](https://example.com/?a=1&b=2).\n\n- one\n- two\n\n1. first\n2. second\n\n> quoted\n\n```js\nif (a < b && c) {}\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n---\n\nEnd “Grüße” 日本 🚪';
        const made = await works('wp_create', { title: 'Made “here” & <there>', content, terms: { category: ['Category 3'], tag: ['brand new tag'] } });
        const id = idOf(made);
        const item = await post(id);
        assert.equal(item.status, 'draft');
        assert.equal(item.title.raw, 'Made “here” & <there>');
        for (const block of ['heading', 'paragraph', 'list', 'list-item', 'quote', 'code', 'table', 'separator']) {
          assert.ok(item.content.raw.includes(`<!-- wp:${block}`), `${block} in ${item.content.raw}`);
        }
        assert.ok(item.content.raw.includes('if (a &lt; b &amp;&amp; c) {}'), item.content.raw);
        assert.ok(!/<p>\s*<p>/.test(item.content.raw));
        const [category] = await rest(site, '/wp/v2/categories?slug=category-3');
        assert.deepEqual(item.categories, [category.id]);
        const tags = await rest(site, `/wp/v2/tags?post=${id}`);
        assert.deepEqual(tags.map(tag => tag.name), ['brand new tag']);
      });

      test('a new term is public at once: making it needs the right to publish', async () => {
        const refused = await fails('wp_create', { title: 'x', content: 'x', terms: { tag: ['not by drafts'] } }, draftToken);
        assert.match(refused, /publish/);
        assert.deepEqual(await rest(site, '/wp/v2/tags?search=not+by+drafts'), []);
        await works('wp_create', { title: 'x', content: 'x', terms: { tag: ['tag 1'], category: ['Category 2'] } }, draftToken);
      });

      test('terms_create=false refuses a missing term and creates nothing', async () => {
        const before = (await rest(site, '/wp/v2/posts?status=draft&per_page=100&_fields=id')).length;
        await fails('wp_create', { title: 'x', content: 'x', terms: { tag: ['never made'] }, terms_create: false });
        assert.deepEqual(await rest(site, '/wp/v2/tags?search=never+made'), []);
        assert.equal((await rest(site, '/wp/v2/posts?status=draft&per_page=100&_fields=id')).length, before);
      });

      test('dry_run creates nothing', async () => {
        await works('wp_create', { title: 'Dry run only', content: 'x', dry_run: true });
        assert.deepEqual(await rest(site, '/wp/v2/posts?status=any&search=Dry+run+only&_fields=id'), []);
      });

      test('publishing needs the right to', async () => {
        await fails('wp_create', { title: 'Not for draft rights', content: 'x', status: 'publish' }, draftToken);
        assert.deepEqual(await rest(site, '/wp/v2/posts?status=any&search=Not+for+draft+rights&_fields=id'), []);
        const id = idOf(await works('wp_create', { title: 'Published at once', content: 'x', status: 'publish' }));
        assert.equal((await post(id)).status, 'publish');
      });

      test('custom post type, page, fields by set, block markup as it is', async () => {
        const book = idOf(await works('wp_create', { type: 'book', title: 'A new book', content: 'x', set: { slug: 'a-new-book', excerpt: 'Short.', meta: { isbn: '9780000000001' } }, terms: { genre: ['Genre 2'] } }));
        const item = await post(book, 'books');
        assert.equal(item.slug, 'a-new-book');
        assert.equal(item.meta.isbn, '9780000000001');
        assert.equal(item.excerpt.raw, 'Short.');
        assert.equal(item.genres.length, 1);
        const markup = '<!-- wp:paragraph {"align":"center"} -->\n<p class="has-text-align-center">Kept \\ as "it" is</p>\n<!-- /wp:paragraph -->';
        const page = idOf(await works('wp_create', { type: 'page', title: 'Blocks', content: markup, format: 'blocks' }));
        assert.equal(await raw(page, 'pages'), markup);
      });

      test('creating users, and types that are not there, is refused', async () => {
        await fails('wp_create', { type: 'user', title: 'evil', set: { roles: ['administrator'] } });
        await fails('wp_create', { type: 'no-such-type', title: 'x' });
        await fails('wp_create', { type: 'ledger', title: 'not in REST' });
      });
    });

    describe('wp_edit', () => {
      let id, original;
      const markup = '<!-- wp:paragraph -->\n<p>One sentence here. Grüße &amp; more.</p>\n<!-- /wp:paragraph -->\n\n<!-- wp:heading -->\n<h2 class="wp-block-heading">Middle</h2>\n<!-- /wp:heading -->\n\n<!-- wp:paragraph -->\n<p>word and word and word.</p>\n<!-- /wp:paragraph -->';
      before(async () => {
        id = String(idOf(await works('wp_create', { title: 'To edit', content: markup, format: 'blocks' })));
        original = await raw(id);
        assert.equal(original, markup);
      });

      test('one sentence changes, every other byte stays', async () => {
        const answer = await works('wp_edit', { id, edits: [{ find: 'One sentence here.', replace: 'Another sentence.' }] }, draftToken);
        assert.equal(await raw(id), markup.replace('One sentence here.', 'Another sentence.'));
        assert.ok(versionOf(answer), answer);
        await works('wp_edit', { id, edits: [{ find: 'Another sentence.', replace: 'One sentence here.' }] });
        assert.equal(await raw(id), original);
      });

      test('a match count that differs is refused with the number, and nothing is written', async () => {
        assert.match(await fails('wp_edit', { id, edits: [{ find: 'word', replace: 'x' }] }), /3/);
        assert.match(await fails('wp_edit', { id, edits: [{ find: 'not there at all', replace: 'x' }] }), /0|not found|no match/i);
        assert.equal(await raw(id), original);
        await works('wp_edit', { id, edits: [{ find: 'word', replace: 'name', count: 3 }] });
        assert.equal(await raw(id), original.replaceAll('word', 'name'));
        await works('wp_edit', { id, edits: [{ find: 'name', replace: 'word', count: 3 }] });
      });

      test('edits are all or none', async () => {
        await fails('wp_edit', { id, edits: [{ find: 'One sentence', replace: 'X' }, { find: 'not there', replace: 'Y' }] });
        assert.equal(await raw(id), original);
      });

      test('if_version refuses what has moved on', async () => {
        const version = versionOf(await works('wp_read', { id }));
        await rest(site, `/wp/v2/posts/${id}`, { method: 'POST', body: { content: original.replace('Middle', 'Moved') } });
        assert.match(await fails('wp_edit', { id, if_version: version, edits: [{ find: 'One sentence', replace: 'X' }] }), /changed|version/i);
        assert.equal(await raw(id), original.replace('Middle', 'Moved'));
        await rest(site, `/wp/v2/posts/${id}`, { method: 'POST', body: { content: original } });
        const now = versionOf(await works('wp_read', { id }));
        await works('wp_edit', { id, if_version: now, edits: [{ find: 'One sentence', replace: 'Some sentence' }] });
        await works('wp_edit', { id, edits: [{ find: 'Some sentence', replace: 'One sentence' }] });
        assert.equal(await raw(id), original);
      });

      test('a block by its number: insert after, replace, delete', async () => {
        await works('wp_edit', { id, edits: [{ block: '2', op: 'after', content: 'Put in **here**.' }] });
        const inserted = await raw(id);
        assert.ok(inserted.includes('<p>Put in <strong>here</strong>.</p>'), inserted);
        assert.ok(inserted.indexOf('Put in') > inserted.indexOf('Middle') && inserted.indexOf('Put in') < inserted.indexOf('word and'));
        await works('wp_edit', { id, edits: [{ block: '3', op: 'delete' }] });
        assert.equal((await raw(id)).replace(/\s+/g, ' '), original.replace(/\s+/g, ' '));
        await rest(site, `/wp/v2/posts/${id}`, { method: 'POST', body: { content: original } });
      });

      test('dry_run shows and does not write', async () => {
        await works('wp_edit', { id, dry_run: true, edits: [{ find: 'Middle', replace: 'Centre' }] });
        assert.equal(await raw(id), original);
      });

      test('backslashes, quotes and dollar signs arrive as they are', async () => {
        const text = String.raw`a \ b \\ c $1 & "d" 'e'`;
        await works('wp_edit', { id, edits: [{ find: 'One sentence here.', replace: text.replace('&', '&amp;') }] });
        assert.equal(await raw(id), original.replace('One sentence here.', () => text.replace('&', '&amp;')));
        await rest(site, `/wp/v2/posts/${id}`, { method: 'POST', body: { content: original } });
      });

      test('set: title, terms added and removed by name, meta', async () => {
        await works('wp_edit', { id, set: { title: 'New title', terms_add: { tag: ['tag 5', 'tag 6'] } } });
        let tags = (await rest(site, `/wp/v2/tags?post=${id}`)).map(tag => tag.name).sort();
        assert.deepEqual(tags, ['tag 5', 'tag 6']);
        await works('wp_edit', { id, set: { terms_remove: { tag: ['tag 5'] } } });
        tags = (await rest(site, `/wp/v2/tags?post=${id}`)).map(tag => tag.name);
        assert.deepEqual(tags, ['tag 6']);
        assert.equal((await post(id)).title.raw, 'New title');
        assert.equal(await raw(id), original, 'the text is as it was');
      });

      test('publishing, and changing what is public, need the right to publish', async () => {
        await fails('wp_edit', { id, set: { status: 'publish' } }, draftToken);
        assert.equal((await post(id)).status, 'draft');
        await works('wp_edit', { id, set: { status: 'publish' } });
        await fails('wp_edit', { id, edits: [{ find: 'Middle', replace: 'X' }] }, draftToken);
        assert.equal(await raw(id), original);
        await works('wp_edit', { id, edits: [{ find: 'Middle', replace: 'Centre' }] });
        assert.equal(await raw(id), original.replace('Middle', 'Centre'));
      });

      test('trash is deletion, which this token may not', async () => {
        await fails('wp_edit', { id, set: { status: 'trash' } });
        assert.equal((await post(id)).status, 'publish');
      });

      test('two edits at once: both, or one is refused; never one lost in silence', async () => {
        const twins = String(idOf(await works('wp_create', { title: 'Twins', content: 'alpha\n\nbeta' })));
        const results = await Promise.all([
          callTool(porteiro.url, token, 'wp_edit', { id: twins, edits: [{ find: 'alpha', replace: 'ALPHA' }] }),
          callTool(porteiro.url, token, 'wp_edit', { id: twins, edits: [{ find: 'beta', replace: 'BETA' }] }),
        ]);
        const now = await raw(twins);
        for (const [i, word] of ['ALPHA', 'BETA'].entries()) assert.equal(now.includes(word), !results[i].isError, `${word}: ${now}`);
        assert.ok(results.some(result => !result.isError));
      });
    });

    test('every write is in the audit log, before and after it', async () => {
      const { items } = await porteiro.json(['audit', 'list']);
      const writes = items.filter(item => JSON.stringify(item).includes('wp_edit'));
      assert.ok(writes.length >= 2, JSON.stringify(items.slice(0, 3)));
    });
  });
}
