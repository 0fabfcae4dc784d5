// Deleting: into the trash and back, for good only with a code that is bound to exactly these items; never more than was asked.
// Judged by the WordPress database.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { changes } from './lib/changes.mjs';
import { PAIRS } from './lib/fixtures.mjs';
import { callTool, legacy } from './lib/mcp.mjs';
import { Porteiro } from './lib/porteiro.mjs';
import { dump, rest, startWordPress } from './lib/wordpress.mjs';

const ALL = 'read,draft,publish,delete,fetch,admin';

for (const pair of PAIRS) {
  describe(`wp_delete: ${pair.name}`, () => {
    let site, porteiro, admin, token, modelToken, humanToken, deleteToken, draftToken;
    before(async () => {
      site = await startWordPress(pair.site.wp, { posts: 100 }); // its own: what is deleted here others would miss
      porteiro = await (await Porteiro.create(pair)).serve();
      await porteiro.addUser();
      admin = await porteiro.addConnection(site, { as: 'admin', rights: ALL });
      ({ token } = admin);
      ({ token: modelToken } = await porteiro.addToken(admin.id, '--rights', ALL, '--confirm', 'model'));
      ({ token: humanToken } = await porteiro.addToken(admin.id, '--rights', ALL, '--confirm', 'human'));
      ({ token: deleteToken } = await porteiro.addToken(admin.id, '--rights', 'read,delete'));
      ({ token: draftToken } = await porteiro.addToken(admin.id, '--rights', 'read,draft,publish,admin'));
    });
    after(() => Promise.all([site?.stop(), porteiro?.stop()]));

    const call = (name, args, as = token) => callTool(porteiro.url, as, name, args);
    async function works(name, args, as = token) {
      const { isError, text } = await call(name, args, as);
      assert.ok(!isError, `${name} ${JSON.stringify(args)}: ${text}`);
      return text;
    }
    async function fails(name, args, as = token) {
      const { isError, text } = await call(name, args, as);
      assert.ok(isError, `${name} ${JSON.stringify(args)} should fail: ${text}`);
      return text;
    }
    const make = async (type, body) => (await rest(site, `/wp/v2/${type}`, { method: 'POST', body })).id;
    const status = async (id, type = 'posts') => (await rest(site, `/wp/v2/${type}/${id}?context=edit`)).status;
    const exists = (id, type = 'posts') => rest(site, `/wp/v2/${type}/${id}?context=edit`).then(() => true, () => false);
    const codeOf = text => /confirm_code "(\w+)"/.exec(text)[1];
    const ids = (...list) => list.map(String);

    test('posts to the trash, and back as drafts', async () => {
      const made = [await make('posts', { title: 'T1', content: 'x', status: 'publish' }), await make('posts', { title: 'T2', content: 'x' }), await make('posts', { title: 'T3', content: 'x' })];
      const text = await works('wp_delete', { ids: ids(...made) }, deleteToken);
      assert.equal(text.split('\n').length, 3);
      for (const id of made) {
        assert.match(text, new RegExp(`^${id} trashed`, 'm'));
        assert.equal(await status(id), 'trash');
      }
      assert.match(await works('wp_delete', { ids: ids(made[0]) }), /in the trash already/);
      assert.match(await fails('wp_edit', { id: String(made[1]), set: { title: 'No' } }), /in the trash/);
      assert.match(await works('wp_edit', { id: String(made[1]), set: { status: 'draft' } }, draftToken), /, draft/);
      assert.equal(await status(made[1]), 'draft');
      await works('wp_edit', { id: String(made[0]), set: { status: 'publish' } });
      assert.equal(await status(made[0]), 'publish');
      assert.equal(await status(made[2]), 'trash');
    });

    test('each has its own result', async () => {
      const [a, b] = [await make('pages', { title: 'P1' }), await make('pages', { title: 'P2' })];
      const text = await works('wp_delete', { type: 'page', ids: ids(b, 99999999, a, a) });
      assert.deepEqual(text.split('\n').map(line => line.replace(/, undo.*/, '')), [`${a} trashed`, `${b} trashed`, '99999999: not done: no page 99999999 that this WordPress user may edit']);
      assert.ok((await call('wp_delete', { type: 'page', ids: ['99999998'] })).isError);
    });

    test('one item by several names is one item', async () => {
      const [a, b] = [await make('posts', { title: 'Once', content: 'x', slug: 'called-once' }), await make('posts', { title: 'Other', content: 'x', slug: 'called-other' })];
      const preview = await works('wp_delete', { ids: [String(a), `0${a}`, 'called-once', 'called-other', String(b)], permanent: true });
      assert.match(preview, / 2 of type post /);
      assert.equal(preview.split('"Once"').length, 2, preview);
      const plain = text => text.split('\n').map(line => line.replace(/, undo.*/, '')).toSorted();
      assert.deepEqual(plain(await works('wp_delete', { ids: [`0${a}`, String(a)] })), [`${a} trashed`]);
      await works('wp_edit', { id: String(a), set: { status: 'draft' } });
      assert.deepEqual(plain(await works('wp_delete', { ids: ['called-once', String(a), String(b), `00${b}`, 'called-other'] })), [`${a} trashed`, `${b} trashed`].toSorted());
    });

    test('calls that name the same items in another order do not wait for each other without end', { timeout: 60_000 }, async () => {
      for (let round = 0; round < 3; round++) {
        const names = [`aa-crossing-${round}`, `bb-crossing-${round}`]; // the second is the older: in the order of the names its lock would come last, in that of the addresses first
        const b = await make('posts', { title: 'Crossing', content: 'x', slug: names[1] });
        const a = await make('posts', { title: 'Crossing', content: 'x', slug: names[0] });
        const begun = performance.now();
        const texts = (await Promise.all([names, [b, a].map(id => `${site.url}/?p=${id}`)].map(named => call('wp_delete', { ids: named })))).map(answer => answer.text);
        assert.ok(performance.now() - begun < 15_000, 'neither waits until its deadline');
        assert.equal(texts.join('\n').match(/ trashed, undo/g).length, 2, texts.join('\n'));
        assert.deepEqual([await status(a), await status(b)], ['trash', 'trash']);
      }
    });

    test('the right delete, and admin for what belongs to the site', async () => {
      const id = await make('posts', { title: 'Stays', content: 'x' });
      const answer = await legacy(porteiro.url, draftToken, 'tools/call', { name: 'wp_delete', arguments: { ids: ids(id) } });
      assert.ok(answer.status === 403 || answer.json.error || answer.json.result.isError, answer.text);
      assert.equal(await status(id), 'draft');
      const [menu] = await rest(site, '/wp/v2/menus');
      assert.match(await fails('wp_delete', { type: 'menu', ids: ids(menu.id), permanent: true }, deleteToken), /admin/);
      assert.match(await fails('wp_delete', { type: 'plugin', ids: ['akismet/akismet'], permanent: true }, deleteToken), /admin/);
      assert.match(await fails('wp_delete', { type: 'user', ids: ids(2), permanent: true }), /People/);
      assert.match(await fails('wp_delete', { type: 'settings', ids: ['all'], permanent: true }), /not deleted/);
      assert.match(await fails('wp_delete', { type: 'theme', ids: ['twentytwentyfive'], permanent: true }), /not deleted/);
    });

    for (const [setting, as] of [['none', () => token], ['model', () => modelToken]]) {
      test(`for good, with confirmation ${setting}: a preview, then the code, once, for these items only`, async () => {
        const [a, b] = [await make('posts', { title: 'Gone “one”', content: 'x' }), await make('posts', { title: 'Gone two', content: 'x' })];
        const before = dump(site);
        const preview = await works('wp_delete', { ids: ids(a, b), permanent: true }, as());
        assert.match(preview, /Nothing was done yet/);
        assert.match(preview, new RegExp(`${a} "Gone “one”" \\(draft\\); ${b} "Gone two" \\(draft\\)`));
        const code = codeOf(preview);
        for (const args of [{ ids: ids(a), permanent: true }, { ids: ids(a, b, 1), permanent: true }, { type: 'page', ids: ids(a, b), permanent: true }]) {
          const other = await call('wp_delete', { ...args, confirm_code: code }, as());
          assert.ok(other.isError || /Nothing was done yet/.test(other.text), other.text);
        }
        await call('wp_delete', { ids: ids(a, b), permanent: true, confirm_code: 'aaaaaaaa' }, as());
        assert.deepEqual(changes(before, dump(site)), []);
        const done = await works('wp_delete', { ids: ids(a, b), permanent: true, confirm_code: code }, as());
        assert.match(done, new RegExp(`^${a} deleted for good\n${b} deleted for good$`));
        assert.deepEqual([await exists(a), await exists(b)], [false, false]);
        assert.ok((await call('wp_delete', { ids: ids(a, b), permanent: true, confirm_code: code }, as())).isError);
      });
    }

    test('for good, with confirmation human: approved outside', async () => {
      const id = await make('posts', { title: 'Asked for', content: 'x' });
      assert.match(await works('wp_delete', { ids: ids(id), permanent: true }, humanToken), /approve/);
      assert.match(await works('wp_delete', { ids: ids(id), permanent: true }, humanToken), /approve/);
      assert.ok(await exists(id));
      const { items } = await porteiro.json(['approval', 'list']);
      await porteiro.json(['approval', 'approve', items[0].id]);
      await works('wp_delete', { ids: ids(id), permanent: true }, humanToken);
      assert.equal(await exists(id), false);
    });

    test('without permanent nothing goes for good, whatever is tried', async () => {
      const term = await make('categories', { name: 'No trash for terms' });
      const [image] = await rest(site, '/wp/v2/media?search=Picture+9');
      const post = await make('posts', { title: 'Trash only', content: 'x' });
      assert.match(await fails('wp_delete', { type: 'category', ids: ids(term) }), /no trash/);
      assert.match(await fails('wp_delete', { type: 'media', ids: ids(image.id) }), /no trash/);
      for (const args of [{ force: true }, { permanent: 'true' }, { confirm: 'x' }, { set: { force: true } }]) {
        assert.ok((await call('wp_delete', { ids: ids(post), ...args }).catch(() => ({ isError: true }))).isError);
      }
      for (const id of ['1?force=true', `${post}&force=true`, `${post}/?force=true`, '../posts/1', `${post} `.repeat(2), '*', '', '-1', '0']) {
        await call('wp_delete', { ids: [id] }).catch(() => {});
      }
      for (const type of ['post?force=true', 'post&force=true', 'posts/1', '../wp/v2/posts', `post/${post}`]) {
        await call('wp_delete', { type, ids: ids(post) }).catch(() => {});
      }
      assert.ok(await exists(term, 'categories'));
      assert.ok(await exists(image.id, 'media'));
      assert.ok(await exists(post));
      assert.ok(await exists(1));
    });

    test('other kinds: terms, media, comments, menu items, widgets', async () => {
      const confirmed = async args => works('wp_delete', { ...args, permanent: true, confirm_code: codeOf(await works('wp_delete', { ...args, permanent: true })) });
      const term = await make('categories', { name: 'Goes' });
      await confirmed({ type: 'category', ids: ids(term) });
      assert.equal(await exists(term, 'categories'), false);
      const [image] = await rest(site, '/wp/v2/media?search=Picture+9');
      assert.match(await confirmed({ type: 'media', ids: ids(image.id) }), /deleted for good/);
      assert.equal(await exists(image.id, 'media'), false);
      const comment = await make('comments', { post: 1, content: 'Goes' });
      await works('wp_delete', { type: 'comment', ids: ids(comment) }, deleteToken);
      assert.equal(await status(comment, 'comments'), 'trash');
      await works('wp_edit', { type: 'comment', id: String(comment), set: { status: 'approved' } });
      assert.equal(await status(comment, 'comments'), 'approved');
      const [item] = await rest(site, '/wp/v2/menu-items');
      await confirmed({ type: 'menu_item', ids: ids(item.id) });
      assert.equal(await exists(item.id, 'menu-items'), false);
      const [widget] = await rest(site, '/wp/v2/widgets');
      await works('wp_delete', { type: 'widget', ids: [widget.id] });
      assert.equal((await rest(site, `/wp/v2/widgets/${widget.id}`)).sidebar, 'wp_inactive_widgets');
      assert.match(await fails('wp_delete', { type: 'post/1/revisions', ids: ids(2), permanent: true }), /not deleted here/);
    });

    test('wp_call, too, deletes for good only with a code', async () => {
      const id = await make('posts', { title: 'By call', content: 'x' });
      const args = { name: 'DELETE /wp/v2/posts/{id}', args: { id, force: true } };
      const preview = await works('wp_call', args);
      assert.ok(await exists(id));
      await works('wp_call', { ...args, confirm_code: codeOf(preview) });
      assert.equal(await exists(id), false);
    });

    test('nothing else changes', async () => {
      const id = await make('posts', { title: 'Only this', content: 'x', status: 'publish' });
      const before = dump(site);
      await works('wp_delete', { ids: ids(id) });
      const found = changes(before, dump(site)).filter(line => !line.includes(`"ID":"${id}"`) && !line.includes(`"ID":${id},`));
      // Its trash notes, its last text as a revision, and the count of its category.
      for (const line of found) assert.match(line, /"post_name":"\d+-revision-v1"|_wp_trash_meta|_wp_desired_post_slug|wp_term_taxonomy|sqlite_sequence|_edit_lock/, line);
    });
  });
}
