// Taking changes back, judged by WordPress's own database: after the reversal it is as it was, but for what WordPress itself
// leaves behind (lib/undone.mjs).
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { PAIRS } from './lib/fixtures.mjs';
import { startFakeSite } from './lib/fake-site.mjs';
import { callTool } from './lib/mcp.mjs';
import { Porteiro } from './lib/porteiro.mjs';
import { query } from './lib/postgres.mjs';
import { openSqlite } from './lib/sqlite.mjs';
import { differences } from './lib/undone.mjs';
import { dump, rest, startWordPress } from './lib/wordpress.mjs';
import path from 'node:path';

for (const pair of PAIRS) {
  describe(`undo: ${pair.name}`, { timeout: 300_000 }, () => {
    let site, porteiro, token, draftToken, other, connection;
    before(async () => {
      site = await startWordPress(pair.site.wp); // its own: nobody else may write there
      porteiro = await (await Porteiro.create(pair)).serve();
      await porteiro.addUser();
      connection = await porteiro.addConnection(site, { as: 'admin', rights: 'read,draft,publish,delete,admin' });
      ({ token } = connection);
      ({ token: draftToken } = await porteiro.addToken(connection.id, '--rights', 'read,draft', '--name', 'drafts only'));
      ({ token: other } = await porteiro.addConnection(site, { as: 'admin', name: 'second', rights: 'read,draft,publish,delete,admin' }));
    });
    after(() => Promise.all([site?.stop(), porteiro?.stop()]));

    async function works(name, args, as = token) {
      const { isError, text } = await callTool(porteiro.url, as, name, args);
      assert.ok(!isError, `${name} ${JSON.stringify(args)}: ${text}`);
      return text;
    }
    async function fails(name, args, as = token) {
      const { isError, text } = await callTool(porteiro.url, as, name, args).catch(error => ({ isError: true, text: error.message }));
      assert.ok(isError, `${name} ${JSON.stringify(args)} should fail: ${text}`);
      return text;
    }
    const undoOf = text => /undo (\d+)/.exec(text)?.[1] ?? assert.fail(`no undo in ${text}`);
    const post = (id, type = 'posts') => rest(site, `/wp/v2/${type}/${id}?context=edit`);
    const make = (body, type = 'posts') => rest(site, `/wp/v2/${type}`, { method: 'POST', body });
    const PARAGRAPH = '<!-- wp:paragraph -->\n<p>One tide & a \\"backslash\\" “Grüße”.</p>\n<!-- /wp:paragraph -->';
    const lastChange = async () => /^(\d+)\t/m.exec(await works('wp_history', { limit: 1 }))[1];

    // One change and its reversal: what differs in between, and that nothing does after it.
    async function thereAndBack(name, args, { there = {}, back = {}, as = token } = {}) {
      const before = dump(site);
      const answer = await works(name, args, as);
      const number = /undo (\d+)/.exec(answer)?.[1] ?? (await lastChange());
      assert.notDeepEqual(differences(before, dump(site), there), [], `${name} changed something`);
      const undone = await works('wp_edit', { undo: number });
      assert.deepEqual(differences(before, dump(site), back), [], `${name} ${JSON.stringify(args)}: ${undone}`);
      return { number, again: undoOf(undone), undone };
    }

    describe('wp_edit', () => {
      let item;
      before(async () => {
        item = await make({ title: 'To & fro', content: PARAGRAPH, status: 'publish', categories: [1], meta: {} });
      });
      const cases = {
        'the text': { edits: [{ find: 'tide', replace: 'ebb' }] },
        'all of it': { edits: [{ block: '1', content: '# New\n\n- a\n- b' }] },
        'title and excerpt': { set: { title: 'Other "title" \\ here', excerpt: 'Short' } },
        slug: { set: { slug: 'another-slug' } },
        'status: to a draft': { set: { status: 'draft' } },
        'status: to private': { set: { status: 'private' } },
        'the date': { set: { date: '2024-02-03T04:05:06' } },
        'terms added and removed': { set: { terms_add: { category: ['Category 3'], tag: ['tag 7'] }, terms_remove: { category: [1] } } },
        'terms replaced': { set: { terms: { category: ['Category 5'] } } },
        author: { set: { author: 2 } },
        'comments closed, sticky': { set: { comment_status: 'closed', sticky: true } },
        'several at once': { edits: [{ find: 'tide', replace: 'sea' }], set: { title: 'Both', slug: 'both', comment_status: 'closed' } },
      };
      for (const [name, args] of Object.entries(cases)) {
        test(name, async () => {
          await thereAndBack('wp_edit', { id: String(item.id), ...args });
          assert.equal((await post(item.id)).content.raw, item.content.raw);
        });
      }

      test('featured image: given, changed, taken away', async () => {
        const [a, b] = await rest(site, '/wp/v2/media?per_page=2&media_type=image');
        await thereAndBack('wp_edit', { id: String(item.id), set: { featured_image: String(a.id) } });
        await rest(site, `/wp/v2/posts/${item.id}`, { method: 'POST', body: { featured_media: a.id } });
        await thereAndBack('wp_edit', { id: String(item.id), set: { featured_image: String(b.id) } });
        await thereAndBack('wp_edit', { id: String(item.id), set: { featured_image: '0' } });
      });

      test('custom fields: a new one, another value, and one that was empty', async () => {
        const book = await make({ title: 'Tides', content: PARAGRAPH, status: 'publish' }, 'books');
        const edit = set => thereAndBack('wp_edit', { type: 'book', id: String(book.id), set });
        await edit({ meta: { isbn: '9780000000001' } });
        await rest(site, `/wp/v2/books/${book.id}`, { method: 'POST', body: { meta: { isbn: '1', price: 3.5 } } });
        await edit({ meta: { isbn: '2' } });
        await edit({ meta: { isbn: '', price: 9 } });
      });

      test('a draft that is published, and goes back to one without a date or a slug', async () => {
        const draft = await make({ title: 'Never seen', content: PARAGRAPH });
        await thereAndBack('wp_edit', { id: String(draft.id), set: { status: 'publish' } });
        assert.equal((await post(draft.id)).slug, '');
      });

      test('an undo is undone, and that again', async () => {
        const first = dump(site);
        const number = undoOf(await works('wp_edit', { id: String(item.id), edits: [{ find: 'tide', replace: 'flood' }] }));
        const changed = dump(site);
        const second = undoOf(await works('wp_edit', { undo: number }));
        assert.deepEqual(differences(first, dump(site)), []);
        const third = undoOf(await works('wp_edit', { undo: second }));
        assert.deepEqual(differences(changed, dump(site)), []);
        await works('wp_edit', { undo: third });
        assert.deepEqual(differences(first, dump(site)), []);
        const list = await works('wp_history', { id: item.id, limit: 3 });
        assert.match(list, new RegExp(`^${third}\\t.*taking back ${second}.*undone by`, 'm'));
      });

      test('two changes are taken back in their order, the newer first', async () => {
        const start = dump(site);
        const one = undoOf(await works('wp_edit', { id: String(item.id), edits: [{ find: 'tide', replace: 'ebb' }] }));
        const two = undoOf(await works('wp_edit', { id: String(item.id), set: { title: 'Two' } }));
        assert.match(await fails('wp_edit', { undo: one }), /moved on/);
        await works('wp_edit', { undo: two });
        await works('wp_edit', { undo: one });
        assert.deepEqual(differences(start, dump(site)), []);
        assert.match(await fails('wp_edit', { undo: one }), /taken back already/);
      });
    });

    describe('other kinds', () => {
      test('what was made goes to the trash, and comes out again', async () => {
        const text = await works('wp_create', { title: 'Made', content: 'Some *text*.', status: 'publish', terms: { category: ['Category 2'] } });
        const [id] = /\d+/.exec(text).map(Number);
        const made = dump(site);
        const trashed = await works('wp_edit', { undo: undoOf(text) });
        assert.equal((await post(id)).status, 'trash');
        await works('wp_edit', { undo: undoOf(trashed) });
        assert.deepEqual(differences(made, dump(site)), []);
      });

      test('a trashed post comes back with its slug, its status and its comments', async () => {
        const item = await make({ title: 'Discussed', content: PARAGRAPH, status: 'publish', slug: 'discussed' });
        for (const status of ['approved', 'hold', 'spam']) {
          await rest(site, '/wp/v2/comments', { method: 'POST', body: { post: item.id, content: `A ${status} word`, author_name: 'V', author_email: 'v@example.test', status } });
        }
        await thereAndBack('wp_call', { name: `DELETE /wp/v2/posts/${item.id}` });
        assert.equal((await post(item.id)).status, 'publish');
      });

      test('wp_call: force that is no is the trash, and what has no force is for good', async () => {
        const item = await make({ title: 'Not forced', content: PARAGRAPH, status: 'publish', slug: 'not-forced' });
        await rest(site, '/wp/v2/comments', { method: 'POST', body: { post: item.id, content: 'A word that waits', author_name: 'V', author_email: 'v@example.test', status: 'hold' } });
        await thereAndBack('wp_call', { name: `DELETE /wp/v2/posts/${item.id}`, args: { force: false } });
        const [plugin] = (await rest(site, '/wp/v2/plugins?status=inactive')).map(({ plugin }) => plugin);
        const removal = { name: `DELETE /wp/v2/plugins/${plugin}` };
        const [, code] = /confirm_code "(\w+)"/.exec(await works('wp_call', removal));
        await works('wp_call', { ...removal, confirm_code: code });
        assert.match(await works('wp_history', { limit: 1 }), /\tdelete /);
        assert.match(await fails('wp_edit', { undo: await lastChange() }), /for good/);
      });

      test('pingbacks, reviews and notes come back with their post', async () => {
        const posts = [await make({ title: 'Pinged', content: PARAGRAPH, status: 'publish' }), await make({ title: 'Reviewed', content: PARAGRAPH, status: 'publish' })];
        const db = openSqlite(path.join(site.dir, 'www/wp-content/database/.ht.sqlite'));
        for (const { id } of posts) {
          if (!site.version.startsWith('6.1')) await rest(site, '/wp/v2/comments', { method: 'POST', body: { post: id, content: 'Look at this.', type: 'note' } });
          for (const type of ['pingback', 'trackback', 'review']) {
            const comment = await rest(site, '/wp/v2/comments', { method: 'POST', body: { post: id, content: `A ${type} of ${id}`, author_name: 'V', author_email: 'v@example.test', status: 'approved' } });
            db.prepare('UPDATE wp_comments SET comment_type = ? WHERE comment_ID = ?').run(type, comment.id);
          }
        }
        db.close();
        await thereAndBack('wp_call', { name: `DELETE /wp/v2/posts/${posts[0].id}` });
        const before = dump(site), text = await works('wp_delete', { ids: posts.map(({ id }) => String(id)) });
        assert.notDeepEqual(differences(before, dump(site)), []);
        for (const [, number] of text.matchAll(/undo (\d+)/g)) await works('wp_edit', { undo: number });
        assert.deepEqual(differences(before, dump(site)), []);
        // Deleted together, too, they are found.
        const pings = await rest(site, `/wp/v2/comments?type=pingback&post[]=${posts[0].id}&post[]=${posts[1].id}`);
        assert.equal(pings.length, 2);
        assert.equal((await works('wp_delete', { type: 'comment', ids: pings.map(({ id }) => String(id)) })).match(/ trashed/g).length, 2);
      });

      test('wp_edit brings a trashed post back with its comments, too', async () => {
        const item = await make({ title: 'Discussed again', content: PARAGRAPH, status: 'publish', slug: 'discussed-again' });
        for (const status of ['approved', 'hold']) {
          await rest(site, '/wp/v2/comments', { method: 'POST', body: { post: item.id, content: `Another ${status} word`, author_name: 'V', author_email: 'v@example.test', status } });
        }
        const comments = async () => (await rest(site, `/wp/v2/comments?post=${item.id}&status=any`)).map(({ id, status }) => [id, status]).toSorted();
        const before = await comments();
        assert.equal(before.length, 2);
        await works('wp_delete', { ids: [String(item.id)] });
        assert.notDeepEqual(await comments(), before);
        await works('wp_edit', { id: String(item.id), set: { status: 'publish' } });
        assert.deepEqual(await comments(), before);
        assert.equal((await post(item.id)).slug, 'discussed-again');
      });

      test('an item with hundreds of comments: as many come back as can be kept, and the answer counts the others', async () => {
        const fake = await startFakeSite(site);
        try {
          const { token: asked } = await porteiro.addConnection(fake, { as: 'admin', name: 'discussions', rights: 'read,draft,publish,delete' });
          for (const [number, left] of [[420, 0], [600, 100]]) {
            const item = await make({ title: 'Much discussed', content: PARAGRAPH, status: 'publish' });
            const list = Array.from({ length: number }, (_, i) => ({ id: 7_000_001 + i, status: i % 3 ? 'approved' : 'hold' }));
            const back = new Map();
            fake.answer = (request, response, pass) => {
              const url = decodeURIComponent(request.url), [, id] = /wp\/v2\/comments\/(\d+)/.exec(url) ?? [];
              const page = Number(/[?&]page=(\d+)/.exec(url)?.[1] ?? 1);
              if (!/wp\/v2\/comments/.test(url)) return pass();
              if (id) back.set(Number(id), JSON.parse(fake.requests.at(-1).body).status);
              response.writeHead(200, { 'Content-Type': 'application/json', 'X-WP-Total': String(number) })
                .end(JSON.stringify(id ? { id: Number(id) } : list.slice((page - 1) * 100, page * 100)));
            };
            const trashed = await works('wp_delete', { ids: [String(item.id)] }, asked);
            const undone = await works('wp_edit', { undo: undoOf(trashed) }, asked);
            assert.match(undone, /"Much discussed" is out of the trash/);
            assert.deepEqual([...back].toSorted(), list.slice(0, number - left).map(({ id, status }) => [id, status]));
            if (left) assert.match(undone, new RegExp(`\n${left} of its comments stay hidden`));
            else assert.doesNotMatch(undone, /comments/);
          }
        } finally {
          await fake.stop();
        }
      });

      test('wp_call: a category, a comment, the settings, a user\'s name', async () => {
        const [category] = await rest(site, '/wp/v2/categories?slug=category-4');
        await thereAndBack('wp_call', { name: `POST /wp/v2/categories/${category.id}`, args: { name: 'Renamed', description: 'New' } });
        const [comment] = await rest(site, '/wp/v2/comments?per_page=1');
        await thereAndBack('wp_call', { name: `POST /wp/v2/comments/${comment.id}`, args: { content: 'Other words' } });
        await thereAndBack('wp_call', { name: `POST /wp/v2/comments/${comment.id}`, args: { status: 'hold' } });
        await thereAndBack('wp_call', { name: 'POST /wp/v2/settings', args: { title: 'Another name', posts_per_page: 7 } });
      });

      test('what cannot be taken back says so, and nothing is written', async () => {
        await works('wp_call', { name: 'POST /wp/v2/categories', args: { name: 'Short-lived' } });
        const made = await lastChange();
        const item = await make({ title: 'For good', content: PARAGRAPH, status: 'draft' });
        const forGood = { name: `DELETE /wp/v2/posts/${item.id}`, args: { force: true } };
        const [, code] = /confirm_code "(\w+)"/.exec(await works('wp_call', forGood));
        await works('wp_call', { ...forGood, confirm_code: code });
        const gone = await lastChange();
        const before = dump(site);
        assert.match(await fails('wp_edit', { undo: made }), /no trash/);
        assert.match(await fails('wp_edit', { undo: gone }), /for good/);
        assert.match(await fails('wp_edit', { undo: '99999' }), /no change 99999/);
        assert.match(await fails('wp_edit', { undo: 'twelve' }), /no change/);
        assert.deepEqual(differences(before, dump(site)), []);
        assert.match(await works('wp_history', { diff: gone }), /For good/);
      });
    });

    describe('refusals', () => {
      let item, number;
      before(async () => {
        item = await make({ title: 'Held', content: PARAGRAPH, status: 'publish' });
        number = undoOf(await works('wp_edit', { id: String(item.id), edits: [{ find: 'tide', replace: 'ebb' }] }));
      });

      test('the item has moved on: by its text, by a field', async () => {
        const body = { content: `${PARAGRAPH}\n\n${PARAGRAPH}` };
        const was = await post(item.id);
        await rest(site, `/wp/v2/posts/${item.id}`, { method: 'POST', body });
        const before = dump(site);
        assert.match(await fails('wp_edit', { undo: number }), /moved on/);
        assert.deepEqual(differences(before, dump(site)), []);
        await rest(site, `/wp/v2/posts/${item.id}`, { method: 'POST', body: { content: was.content.raw } });
        const terms = undoOf(await works('wp_edit', { id: String(item.id), set: { terms_add: { tag: ['tag 3'] } } }));
        await rest(site, `/wp/v2/posts/${item.id}`, { method: 'POST', body: { tags: [] } });
        assert.match(await fails('wp_edit', { undo: terms }), /tags was changed/);
      });

      test('the rights of the reversal are those it needs', async () => {
        const before = dump(site);
        assert.match(await fails('wp_edit', { undo: number }, draftToken), /publish/);
        const made = undoOf(await works('wp_create', { title: 'Mine' }, draftToken));
        const trash = dump(site);
        assert.match(await fails('wp_edit', { undo: made }, draftToken), /delete/);
        assert.deepEqual(differences(trash, dump(site)), []);
        assert.notDeepEqual(before, trash);
      });

      test('another connection\'s change is not there', async () => {
        const before = dump(site);
        assert.match(await fails('wp_edit', { undo: number }, other), /no change/);
        assert.match(await fails('wp_history', { diff: number }, other), /no change/);
        assert.match(await works('wp_history', {}, other), /Nothing is kept/);
        assert.deepEqual(differences(before, dump(site)), []);
      });

      test('dry_run shows what would be and changes nothing', async () => {
        const before = dump(site);
        const text = await works('wp_edit', { undo: number, dry_run: true });
        assert.match(text, /Nothing was written/);
        assert.match(text, /-.*ebb[^]*\+.*tide/);
        for (const args of [{ edits: [{ find: 'ebb', replace: 'x' }] }, { set: { title: 'x', status: 'draft', terms_add: { tag: ['tag 9'] } } }]) {
          await works('wp_edit', { id: String(item.id), dry_run: true, ...args });
        }
        await works('wp_create', { title: 'No', content: 'x', terms: { tag: ['made by nobody'] }, dry_run: true });
        await works('wp_call', { name: `POST /wp/v2/posts/${item.id}`, args: { title: 'x' }, dry_run: true });
        assert.deepEqual(differences(before, dump(site)), []);
        await works('wp_edit', { undo: number });
      });
    });

    describe('wp_history', () => {
      test('lists by whom, when and what; one item; diff shows the changed lines', async () => {
        const item = await make({ title: 'Told', content: PARAGRAPH });
        const number = undoOf(await works('wp_edit', { id: String(item.id), edits: [{ find: 'tide', replace: 'ebb' }] }, draftToken));
        const list = await works('wp_history', { id: item.id });
        assert.equal(list.split('\n').filter(line => /^\d/.test(line)).length, 1);
        assert.match(list, new RegExp(`^${number}\\t\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d\\tedit post ${item.id} "Told": content\\tdrafts only`, 'm'));
        const diff = await works('wp_history', { diff: number });
        assert.match(diff, /-.*tide[^]*\+.*ebb/);
        assert.ok(diff.length < 400, diff);
        assert.match(await works('wp_history', { limit: 2 }), /there are more/);
      });

      test('is not for tokens that only read', async () => {
        const { token: reader } = await porteiro.addToken(connection.id, '--rights', 'read');
        await fails('wp_history', {}, reader);
      });

      test('one megabyte is kept and taken back; more is not, and the answer says so', async () => {
        const big = size => `<!-- wp:paragraph -->\n<p>tide ${'x '.repeat(size / 2)}</p>\n<!-- /wp:paragraph -->`;
        const fits = await make({ title: 'Big', content: big(950_000) }), bigger = await make({ title: 'Bigger', content: big(1_100_000) });
        const before = dump(site);
        const number = undoOf(await works('wp_edit', { id: String(fits.id), edits: [{ find: 'tide', replace: 'ebb' }] }));
        await works('wp_edit', { undo: number });
        assert.deepEqual(differences(before, dump(site)), []);
        const text = await works('wp_edit', { id: String(bigger.id), edits: [{ find: 'tide', replace: 'ebb' }] });
        assert.match(text, /too large to be undone/);
        assert.match(await fails('wp_edit', { undo: await lastChange() }), /too large/);
        assert.match(await works('wp_history', { diff: await lastChange() }), /too large/);
      });

      test('the audit rows name the change; nothing of it is readable in our database', async () => {
        const item = await make({ title: 'Sealed away', content: PARAGRAPH.replace('tide', 'unmistakableword') });
        const number = Number(undoOf(await works('wp_edit', { id: String(item.id), set: { title: 'Opened' } })));
        const sql = `SELECT note_sealed || coalesce(before_sealed, '') || coalesce(after_sealed, '') AS text, call_id FROM mcp_changes WHERE number = ${number} AND connection_id = ${connection.id}`;
        const [row] = porteiro.database ? await query(porteiro.database.url, sql) : openSqlite(path.join(porteiro.dir, 'porteiro.db'), { readOnly: true }).prepare(sql).all();
        assert.ok(!/unmistakableword|Sealed away|Opened/.test(row.text));
        const { items } = await porteiro.json(['audit', 'list']);
        const done = items.find(event => event.data?.changes?.includes(number)) ?? assert.fail(JSON.stringify(items).slice(0, 800));
        assert.equal(done.data.call, row.call_id);
      });
    });
  });
}
