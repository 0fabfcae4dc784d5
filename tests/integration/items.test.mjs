// Everything a site has, through the same four tools: found, read, created, changed; judged by what WordPress then says.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startFakeSite } from './lib/fake-site.mjs';
import { PAIRS } from './lib/fixtures.mjs';
import { callTool } from './lib/mcp.mjs';
import { Porteiro } from './lib/porteiro.mjs';
import { rest } from './lib/wordpress.mjs';

const ALL = 'read,draft,publish,delete,fetch,admin';

for (const pair of PAIRS) {
  describe(`everything a site has: ${pair.name}`, () => {
    const { site } = pair;
    let porteiro, token, readToken, draftToken, publishToken, humanToken;
    before(async () => {
      porteiro = await (await Porteiro.create(pair)).serve();
      await porteiro.addUser();
      const admin = await porteiro.addConnection(site, { as: 'admin', rights: ALL });
      ({ token } = admin);
      ({ token: readToken } = await porteiro.addToken(admin.id, '--rights', 'read'));
      ({ token: draftToken } = await porteiro.addToken(admin.id, '--rights', 'read,draft'));
      ({ token: publishToken } = await porteiro.addToken(admin.id, '--rights', 'read,draft,publish'));
      ({ token: humanToken } = await porteiro.addToken(admin.id, '--rights', ALL, '--confirm', 'human'));
    });
    after(() => porteiro?.stop());

    async function works(name, args, as = token) {
      const { isError, text } = await callTool(porteiro.url, as, name, args);
      assert.ok(!isError, `${name} ${JSON.stringify(args)}: ${text}`);
      return text;
    }
    async function fails(name, args, as = token) {
      const { isError, text } = await callTool(porteiro.url, as, name, args);
      assert.ok(isError, `${name} ${JSON.stringify(args)} should fail: ${text}`);
      return text;
    }
    const rows = text => text.split('\n').map(line => line.split('\t'));
    const idOf = text => Number(/^id (\d+)/.exec(text)[1]);
    const versionOf = text => /version (\d+)/.exec(text)[1];

    describe('wp_find', () => {
      const lists = {
        media: [/^id\tdate\ttitle\ttype\talt\n/, /Picture 3\timage\/jpeg\tAlt text 3/],
        comment: [/^id\tdate\tstatus\tpost\tby\ttext\n/, /approved\t\d+\tVisitor 0\t/],
        user: [/^id\tname\tslug\n/, /Writer 3\twriter3/],
        category: [/^id\tname\tslug\tcount\tparent\n/, /Category 2\tcategory-2/],
        tag: [/^id\tname\tslug\tcount\tparent\n/, /tag 1\ttag-1/],
        genre: [/^id\tname\tslug\tcount\tparent\n/, /Genre 4\tgenre-4/],
        menu: [/^id\tname\tslug\tlocations\n/, /Main\tmain/],
        menu_item: [/^id\torder\ttitle\tparent\turl\n/, /Page 2\t0\thttp/],
        widget: [/^id\tid_base\tsidebar\ttext\n/, /block-2\tblock\twp_inactive_widgets/],
        sidebar: [/^id\tname\tstatus\twidgets\n/, /block-2, block-3/],
        template: [/^id\ttitle\tsource\n/, /\/\/(home|index)\t/],
        template_part: [/^id\ttitle\tarea\tsource\n/, /\/\/header\tHeader\theader\ttheme/],
        global_styles: [/^id\ttheme\n\d+\ttwentytwenty/],
        navigation: [/^id\tdate\ttitle\n/, /Main navigation/],
        block: [/^id\tdate\ttitle\n/, /Pattern 3/],
        pattern: [/^name\ttitle\tcategories\n/, /core\/query-standard-posts\tStandard\t/],
        settings: [/^name\tvalue\n/, /timezone\tEurope\/Berlin/],
        plugin: [/^plugin\tname\tstatus\tversion\n/, /akismet\/akismet\tAkismet/],
        theme: [/^stylesheet\tname\tstatus\tversion\n/, /Twenty Twenty-\w+\tactive\t/],
        site_health: [/^id\n/, /loopback-requests/],
        type: [/^slug\tname\ttaxonomies\trest_base\n/, /post\tPosts\tcategory, post_tag\tposts/],
        taxonomy: [/^slug\tname\ttypes\trest_base\n/, /genre\tGenres\tbook\tgenres/],
        ticket: [/^id\tdate\ttitle\n/, /Ticket 5/],
      };
      for (const [type, patterns] of Object.entries(lists)) {
        test(type, async () => {
          const text = await works('wp_find', { type, limit: 100 });
          for (const pattern of patterns) assert.match(text, pattern);
        });
      }

      test('search goes over types', async () => {
        assert.match(await works('wp_find', { type: 'search', q: 'Book 42' }), /^id\ttype\ttitle\turl\n\d+\tbook\tBook 42\thttp/);
      });

      // All rows by their cursors, of a list that WordPress gives in whole pages only.
      async function byCursor(args) {
        const ids = [];
        for (let cursor; ;) {
          const text = await works('wp_find', { ...args, ...(cursor && { cursor }) });
          ids.push(...rows(text).slice(1).filter(row => /^\d+$/.test(row[0])).map(row => Number(row[0])));
          cursor = /next cursor: (\d+)$/.exec(text)?.[1];
          if (!cursor) return ids;
          assert.ok(ids.length < 300, 'it comes to an end');
        }
      }

      test('search is read on by its cursor', async () => {
        const wanted = [];
        for (let page = 1; page <= 2; page++) wanted.push(...(await rest(site, `/wp/v2/search?search=Book&per_page=50&page=${page}`)).map(({ id }) => id));
        assert.ok(wanted.length > 50);
        assert.equal(new Set(wanted).size, wanted.length);
        assert.deepEqual(await byCursor({ type: 'search', q: 'Book', limit: 25 }), wanted);
        assert.deepEqual(await byCursor({ type: 'search', q: 'Book', limit: 7, cursor: '5' }), wanted.slice(5), 'also from within a page');
      });

      test('terms below each other too, and when the answer has no room for a whole page', async () => {
        const words = '日'.repeat(300), made = []; // a cell holds 200 characters
        for (let i = 0; i < 50; i++) made.push((await rest(site, '/wp/v2/genres', { method: 'POST', body: { name: `Long ${100 + i}`, description: words } })).id);
        try {
          const wanted = (await rest(site, '/wp/v2/genres?per_page=100&_fields=id')).map(({ id }) => id);
          assert.ok(wanted.length >= 58);
          const first = await works('wp_find', { type: 'genre', limit: 100, fields: ['description'] });
          assert.match(first, /next cursor: \d+$/, 'it is cut');
          assert.deepEqual(await byCursor({ type: 'genre', limit: 100, fields: ['description'] }), wanted);
          assert.deepEqual(await byCursor({ type: 'genre', limit: 9 }), wanted);
        } finally {
          for (const id of made) await rest(site, `/wp/v2/genres/${id}?force=true`, { method: 'DELETE' });
        }
      });

      test('what comes whole is cut and searched here', async () => {
        const all = rows(await works('wp_find', { type: 'template', limit: 100 })).slice(1);
        assert.ok(all.length > 3);
        const first = await works('wp_find', { type: 'template', limit: 2 });
        assert.equal(first.split('\n').at(-1), `2 of ${all.length}, next cursor: 2`);
        const next = rows(await works('wp_find', { type: 'template', limit: 2, cursor: '2' }));
        assert.deepEqual(next.slice(1, 3).map(row => row[0]), all.slice(2, 4).map(row => row[0]));
        assert.equal(rows(await works('wp_find', { type: 'plugin', q: 'akismet' })).length, 2);
        assert.equal(await works('wp_find', { type: 'plugin', q: 'no such thing' }), 'No plugin found.');
      });

      test('terms in order, comments that wait, media of a kind, menu items of a menu', async () => {
        const byCount = rows(await works('wp_find', { type: 'category', order: '-count', limit: 5 })).slice(1, 6).map(row => Number(row[3]));
        assert.deepEqual(byCount, byCount.toSorted((a, b) => b - a));
        const [{ id: post }] = await rest(site, '/wp/v2/posts?per_page=1');
        await rest(site, '/wp/v2/comments', { method: 'POST', body: { post, content: 'Waits', status: 'hold' } });
        const held = await rest(site, '/wp/v2/comments?status=hold&per_page=100&_fields=id');
        const text = await works('wp_find', { type: 'comment', status: 'hold', limit: 100 });
        assert.ok(held.length > 0);
        for (const { id } of held) assert.match(text, new RegExp(`^${id}\\t`, 'm'));
        assert.match(await works('wp_find', { type: 'media', filter: { media_type: 'text' } }), /Notes/);
        const [{ id: menu }] = await rest(site, '/wp/v2/menus');
        assert.equal(rows(await works('wp_find', { type: 'menu_item', filter: { menus: [menu] } })).length, 4);
        assert.match(await works('wp_find', { type: 'user', fields: ['roles'], q: 'writer2' }), /writer2\teditor/);
      });

      test('older texts of an item', async () => {
        const [{ id }] = await rest(site, '/wp/v2/posts?search=Post+1:&per_page=1&orderby=date&order=asc');
        const revisions = await rest(site, `/wp/v2/posts/${id}/revisions?_fields=id`);
        const text = await works('wp_find', { type: `post/${id}/revisions`, limit: 50 });
        for (const revision of revisions) assert.match(text, new RegExp(`^${revision.id}\\t`, 'm'));
        assert.ok(revisions.length >= 3);
        assert.match(await works('wp_read', { type: `post/${id}/revisions`, id: String(revisions[0].id) }), /revision, /);
        assert.match(await works('wp_find', { type: `post/${id}/autosaves` }), /No autosave found/);
        assert.match(await fails('wp_find', { type: 'revision' }), /TYPE\/ID\/revisions/);
        await fails('wp_find', { type: `post/${id}/../users/revisions` });
        await fails('wp_find', { type: 'user/1/application-passwords' });
      });

      test('an argument that a type does not have is refused, not passed over', async () => {
        assert.match(await fails('wp_find', { type: 'category', status: 'draft' }), /status/);
        assert.match(await fails('wp_find', { type: 'plugin', author: 'x' }), /author/);
        assert.match(await fails('wp_find', { type: 'theme', order: 'name' }), /order/);
        assert.match(await fails('wp_find', { type: 'user', terms: { category: ['News'] } }), /terms/);
        assert.match(await fails('wp_find', { type: 'category', filter: { _method: 'DELETE' } }), /_method/);
        assert.match(await fails('wp_find', { type: 'media', filter: { nosuch: 1 } }), /nosuch/);
      });

      test('so is one that its collection does not register: WordPress would pass over it and list everything', async () => {
        for (const [args, words] of [
          [{ type: 'page', filter: { categories: [1] } }, /no argument 'categories'/],
          [{ type: 'page', filter: { sticky: true } }, /no argument 'sticky'/],
          [{ type: 'page', filter: { tax_relation: 'OR' } }, /no argument 'tax_relation'/],
          [{ type: 'post', filter: { menu_order: 1 } }, /no argument 'menu_order'/],
          [{ type: 'post', filter: { parent_exclude: [1] } }, /no argument 'parent_exclude'/],
          [{ type: 'book', filter: { tags: [1] } }, /no argument 'tags'/],
          [{ type: 'ticket', filter: { author_exclude: [1] } }, /no argument 'author_exclude'/],
          [{ type: 'ticket', author: '1' }, /no argument 'author'/],
          [{ type: 'post', parent: 1 }, /by parent/],
          [{ type: 'book', parent: 1 }, /by parent/],
          [{ type: 'tag', parent: 1 }, /by parent/],
        ]) {
          assert.match(await fails('wp_find', args), words, JSON.stringify(args));
        }
        if (site.version.startsWith('6.1')) assert.match(await fails('wp_find', { q: 'Post', filter: { search_columns: ['post_title'] } }), /search_columns/);
        else await works('wp_find', { q: 'Post', filter: { search_columns: ['post_title'] } });
        const [category] = await rest(site, '/wp/v2/categories?slug=category-1'), [page] = await rest(site, '/wp/v2/pages?slug=page-1');
        const ids = async route => (await rest(site, `${route}&per_page=100&_fields=id`)).map(({ id }) => String(id)).sort();
        const found = async args => rows(await works('wp_find', { ...args, limit: 100 })).filter(row => /^\d+$/.test(row[0])).map(row => row[0]).sort();
        for (const [args, route] of [
          [{ filter: { categories: [category.id], sticky: false } }, `/wp/v2/posts?categories[]=${category.id}&sticky=false`],
          [{ type: 'page', parent: page.id }, `/wp/v2/pages?parent[]=${page.id}`],
          [{ type: 'page', filter: { menu_order: 3 } }, '/wp/v2/pages?menu_order=3'],
          [{ type: 'category', parent: category.id }, `/wp/v2/categories?parent=${category.id}`],
          [{ type: 'book', author: 'Writer 3' }, `/wp/v2/books?author[]=${(await rest(site, '/wp/v2/users?slug=writer3'))[0].id}`],
          [{ type: 'media', parent: 0 }, '/wp/v2/media?parent[]=0'],
        ]) {
          const wanted = await ids(route);
          assert.ok(wanted.length > 0, route);
          assert.deepEqual(await found(args), wanted, route);
        }
      });

      test('reading by which the core writes needs admin', async () => {
        for (const type of ['widget', 'sidebar', 'global_styles', 'site_health']) assert.match(await fails('wp_find', { type }, readToken), /admin/);
        await works('wp_find', { type: 'menu_item' }, readToken);
      });
    });

    describe('wp_read', () => {
      test('one of each kind', async () => {
        const one = async (type, pattern) => {
          const id = rows(await works('wp_find', { type, limit: 100 })).slice(1).map(row => row[0])[0];
          assert.match(await works('wp_read', { type, id }), pattern, `${type} ${id}`);
        };
        await one('media', /^media, version \d+\nid: \d+\n/);
        await one('comment', /^comment, version \d+\nid: \d+\n[^]*\nstatus: approved\n\n\S/);
        await one('user', /\nname: \S/);
        await one('category', /\nslug: \S/);
        await one('menu', /\nname: Main\n/);
        await one('menu_item', /\ntitle: Page 1\n/);
        await one('widget', /\nid_base: block\n/);
        await one('sidebar', /\nwidgets: \["block-2"/);
        await one('template', /^title: [^\n]+\nid: twenty\w+\/\/[\w-]+, template, publish, version \d+\n/);
        await one('template_part', /template_part, publish/);
        await one('global_styles', /^global_styles, version/);
        await one('pattern', /\nname: \S+/);
        await one('plugin', /\nplugin: akismet\/akismet\n/);
        await one('theme', /\nstylesheet: twenty/);
        await one('type', /\nslug: post\n/);
      });

      test('by slug, by name, by address', async () => {
        const [category] = await rest(site, '/wp/v2/categories?slug=category-3');
        assert.match(await works('wp_read', { type: 'category', id: 'category-3' }), new RegExp(`\\nid: ${category.id}\\n`));
        assert.match(await works('wp_read', { type: 'category', id: category.link }), new RegExp(`\\nid: ${category.id}\\n`));
        const [image] = await rest(site, '/wp/v2/media?search=Picture+5');
        assert.match(await works('wp_read', { type: 'media', id: image.source_url }), new RegExp(`\\nid: ${image.id}\\n`));
        assert.match(await works('wp_read', { type: 'plugin', id: 'akismet/akismet.php' }), /akismet\/akismet/);
        assert.equal(await works('wp_read', { type: 'settings', id: 'timezone' }).then(text => text.split('\n')[1]), 'timezone: Europe/Berlin');
        assert.match(await works('wp_read', { type: 'site_health', id: 'authorization-header' }), /status: \w+\n/);
      });

      test('by address: what lives there, not what is called the same elsewhere', async () => {
        const make = (route, body) => rest(site, `/wp/v2/${route}`, { method: 'POST', body: { status: 'publish', content: 'x', ...body } });
        const east = await make('pages', { title: 'East' }), west = await make('pages', { title: 'West' });
        const post = await make('posts', { title: 'Team', slug: 'team' }), page = await make('pages', { title: 'Team', slug: 'team', parent: east.id });
        const twin = await make('pages', { title: 'Team', slug: 'team', parent: west.id });
        const draft = await make('posts', { title: 'Plans, not yet', slug: 'plans', status: 'draft' });
        const plans = await make('pages', { title: 'Plans', slug: 'plans' }), idea = await make('posts', { title: 'Idea', slug: 'idea', status: 'draft' });
        const foreign = await make('posts', { title: '日本', slug: '日本' });
        try {
          const reads = async (id, item, type) => assert.match(await works('wp_read', { id, ...(type && { type }) }), new RegExp(`\\nid: ${item.id}[,\\n]`), id);
          assert.match(page.link, /\/east\/team\/$/);
          assert.match(foreign.link, /%e6%97%a5/);
          await reads(post.link, post);
          await reads(page.link, page);
          await reads(twin.link.replace(/\/$/, ''), twin);
          await reads(`${twin.link}?utm_source=mail#top`, twin);
          await reads(plans.link, plans);
          await reads(`${site.url}/idea/`, idea);
          await reads(foreign.link, foreign);
          await reads(foreign.link.replace(/%../g, code => code.toUpperCase()), foreign);
          await reads(decodeURI(foreign.link), foreign);
          assert.match(await fails('wp_read', { id: `${site.url}/south/team/` }), /no post or page/);
          assert.match(await fails('wp_read', { type: 'post', id: page.link }), new RegExp(`no post at this address.*${post.link}`));
          assert.match(await fails('wp_edit', { type: 'post', id: page.link, set: { title: 'x' } }), /no post at this address/);
          assert.match(await fails('wp_delete', { ids: [`${site.url}/south/team/`] }), /no post http/);
          await works('wp_edit', { id: page.link, set: { title: 'Team East' } });
          const titles = await Promise.all([['posts', post], ['pages', page], ['pages', twin]].map(async ([route, { id }]) => (await rest(site, `/wp/v2/${route}/${id}`)).title.rendered));
          assert.deepEqual(titles, ['Team', 'Team East', 'Team']);
          const [image] = await rest(site, '/wp/v2/media?search=Picture+5');
          await reads(image.link, image, 'media');
          assert.match(await fails('wp_read', { type: 'media', id: image.source_url.replace('/2026/01/', '/2025/12/') }), /no media at this address/);
        } finally {
          for (const [route, item] of [['posts', post], ['posts', draft], ['posts', idea], ['posts', foreign], ['pages', page], ['pages', twin], ['pages', plans], ['pages', east], ['pages', west]]) await rest(site, `/wp/v2/${route}/${item.id}?force=true`, { method: 'DELETE' });
        }
      });

      test('by address: a site in a folder', async t => {
        const proxy = await startFakeSite(site, { prefix: '/blog' });
        t.after(() => proxy.stop());
        const { token: there } = await porteiro.addConnection(site, { as: 'admin', name: 'folder', url: proxy.url, rights: 'read' });
        const [page] = await rest(site, '/wp/v2/pages?slug=page-12');
        const inFolder = page.link.replace(site.url, proxy.url);
        assert.match(await works('wp_read', { id: inFolder }, there), new RegExp(`\\nid: ${page.id}[,\\n]`));
        assert.match(await fails('wp_read', { id: inFolder.replace('/blog/', '/') }, there), /no post or page/);
      });

      test('ids that try to be more are refused', async () => {
        for (const [type, id] of [
          ['template', '../../wp/v2/users/1'], ['template', 'x//../y'], ['plugin', 'akismet/akismet?_method=DELETE'], ['theme', 'a/b'],
          ['sidebar', 'sidebar-1#'], ['widget', 'block-2&force=true'], ['plugin', './akismet'], ['plugin', 'akismet/'], ['theme', '..'],
          ['comment', 'x'], ['media', '1?_method=DELETE'], ['site_health', 'a.b/c'], ['type', 'post%2f'],
        ]) {
          assert.match(await fails('wp_read', { type, id }), /no id|There is no|names no single/, `${type} ${id}`);
        }
      });

      test('what is not there', async () => {
        assert.match(await fails('wp_read', { type: 'category', id: '999999' }), /category 999999|no such term/i);
        assert.match(await fails('wp_read', { type: 'comment', id: '999999' }), /comment 999999/);
        assert.match(await fails('wp_read', { type: 'template', id: 'nosuch//nosuch' }), /template/);
        assert.match(await fails('wp_read', { type: 'pattern', id: 'core/nosuch' }), /pattern/);
      });
    });

    describe('wp_create and wp_edit', () => {
      test('a term: made, changed, found by its new name', async () => {
        const id = idOf(await works('wp_create', { type: 'category', title: 'Made here', content: 'About it.', set: { slug: 'made-here' } }, publishToken));
        const made = await rest(site, `/wp/v2/categories/${id}`);
        assert.deepEqual([made.name, made.slug, made.description], ['Made here', 'made-here', 'About it.']);
        const version = versionOf(await works('wp_read', { type: 'category', id: String(id) }));
        const edited = await works('wp_edit', { type: 'category', id: 'made-here', if_version: version, set: { name: 'Changed here', parent: 0 } }, publishToken);
        assert.equal((await rest(site, `/wp/v2/categories/${id}`)).name, 'Changed here');
        assert.equal(versionOf(edited), versionOf(await works('wp_read', { type: 'category', id: String(id) })), 'the version is that of the next reading');
        assert.match(await fails('wp_edit', { type: 'category', id: String(id), if_version: version, set: { name: 'No' } }), /changed since/);
        assert.match(await fails('wp_create', { type: 'tag', title: 'not by drafts' }, draftToken), /publish/);
        assert.match(await fails('wp_edit', { type: 'category', id: String(id), set: { name: 'No' } }, draftToken), /publish/);
        const post = idOf(await works('wp_create', { title: 'In it', content: 'x', terms: { category: ['Changed here'] } }));
        assert.deepEqual((await rest(site, `/wp/v2/posts/${post}?context=edit`)).categories, [id]);
      });

      test('comments: held, approved, marked, answered', async () => {
        const [{ id: post }] = await rest(site, '/wp/v2/posts?per_page=1');
        const held = idOf(await works('wp_create', { type: 'comment', content: 'By drafts', set: { post } }, draftToken));
        const status = async id => (await rest(site, `/wp/v2/comments/${id}?context=edit`)).status;
        assert.equal(await status(held), 'hold');
        assert.match(await fails('wp_edit', { type: 'comment', id: String(held), set: { status: 'approved' } }, draftToken), /publish/);
        await works('wp_edit', { type: 'comment', id: String(held), set: { content: 'Changed while held' } }, draftToken);
        await works('wp_edit', { type: 'comment', id: String(held), set: { status: 'approved' } }, publishToken);
        assert.equal(await status(held), 'approved');
        assert.match(await fails('wp_edit', { type: 'comment', id: String(held), set: { content: 'No' } }, draftToken), /publish/);
        const reply = idOf(await works('wp_create', { type: 'comment', content: 'Thank you.', set: { post, parent: held } }, publishToken));
        const answer = await rest(site, `/wp/v2/comments/${reply}?context=edit`);
        assert.deepEqual([answer.parent, answer.post, answer.content.raw, answer.status], [held, post, 'Thank you.', 'approved']);
        await works('wp_edit', { type: 'comment', id: String(reply), set: { status: 'spam' } }, publishToken);
        assert.equal(await status(reply), 'spam');
      });

      test('one field by two arguments is refused before anything is made, and both are named', async () => {
        const [image] = await rest(site, '/wp/v2/media?per_page=1'), [{ id: post }] = await rest(site, '/wp/v2/posts?per_page=1');
        const id = String(idOf(await works('wp_create', { title: 'Twice', content: 'x' })));
        const category = String(idOf(await works('wp_create', { type: 'category', title: 'Named twice' })));
        const comment = String(idOf(await works('wp_create', { type: 'comment', content: 'One word', set: { post } })));
        const featured = { featured_media: image.id, featured_image: image.id }, made = { tag: ['Made by a field given twice'] };
        for (const [name, args, ...words] of [
          ['wp_edit', { id, set: { status: 'publish', ...featured } }, 'featured_image', 'featured_media'],
          ['wp_edit', { id, set: { status: 'publish', tags: [], terms_add: made } }, 'tags', 'terms_add.post_tag'],
          ['wp_edit', { id, set: { tags: [], terms: made } }, 'tags', 'terms.post_tag'],
          ['wp_edit', { id, set: { tags: [], terms_remove: { tag: ['tag 1'] } } }, 'tags', 'terms_remove.post_tag'],
          ['wp_edit', { id, set: { terms: { ...made, post_tag: ['tag 1'] } } }, 'tag', 'post_tag'],
          ['wp_edit', { type: 'category', id: category, set: { title: 'A', name: 'B' } }, 'title', 'name'],
          ['wp_edit', { type: 'category', id: category, set: { content: 'A', description: 'B' } }, 'content', 'description'],
          ['wp_edit', { type: 'comment', id: comment, edits: [{ find: 'One', replace: 'Another' }], set: { content: 'B' } }, 'edits', 'set.content'],
          ['wp_create', { title: 'No', content: 'x', terms: made, set: { tags: [] } }, 'tags', 'terms.post_tag'],
          ['wp_create', { title: 'No', content: 'x', terms: { ...made, tags: ['tag 1'] } }, 'tag', 'tags'],
          ['wp_create', { title: 'No', content: 'x', featured_image: image.id, set: { featured_media: 0 } }, 'featured_image', 'set.featured_media'],
          ['wp_create', { type: 'category', title: 'No', content: 'A', set: { description: 'B' } }, 'content', 'set.description'],
          ['wp_bulk', { ids: [Number(id)], set: { status: 'publish', ...featured } }, 'featured_image', 'featured_media'],
        ]) {
          for (const as of [humanToken, token]) {
            const text = await fails(name, args, as);
            assert.match(text, /are the same/, text);
            for (const word of words) assert.ok(text.includes(word), `${word}: ${text}`);
          }
        }
        const now = await rest(site, `/wp/v2/posts/${id}?context=edit`);
        assert.deepEqual([now.status, now.featured_media], ['draft', 0]);
        assert.deepEqual(await rest(site, '/wp/v2/tags?search=Made+by+a+field'), []);
        assert.match(await works('wp_edit', { id, set: { status: 'publish', featured_image: image.id } }, humanToken), /approve/, 'by one argument a person is asked');
      });

      test('menu items come last in their menu, in order', async () => {
        const pages = await rest(site, '/wp/v2/pages?slug[]=page-7&slug[]=page-8&orderby=slug&order=asc');
        const menu = idOf(await works('wp_create', { type: 'menu', title: 'Footer here' }));
        for (const page of pages) await works('wp_create', { type: 'menu_item', set: { menus: 'Footer here', object_id: page.id } });
        await works('wp_create', { type: 'menu_item', title: 'Outside', set: { menus: menu, url: 'https://example.com/' } });
        const items = await rest(site, `/wp/v2/menu-items?menus=${menu}&orderby=menu_order&order=asc`);
        assert.deepEqual(items.map(item => item.title.rendered), ['Page 7', 'Page 8', 'Outside']);
        assert.deepEqual(items.map(item => item.menu_order), [1, 2, 3]);
        assert.deepEqual(items.map(item => item.type), ['post_type', 'post_type', 'custom']);
        assert.match(await fails('wp_create', { type: 'menu_item', title: 'x', set: { menus: menu, url: 'https://example.com/' } }, publishToken), /admin/);
        assert.match(await fails('wp_create', { type: 'menu_item', title: 'x', set: { menus: 'No such menu', url: 'https://example.com/' } }), /No such menu/);
      });

      test('settings', async () => {
        const before = await rest(site, '/wp/v2/settings');
        await works('wp_edit', { type: 'settings', set: { description: 'Set here', posts_per_page: 12 } });
        const now = await rest(site, '/wp/v2/settings');
        assert.deepEqual(now, { ...before, description: 'Set here', posts_per_page: 12 });
        await works('wp_edit', { type: 'settings', set: { description: before.description, posts_per_page: 10 } });
        assert.match(await fails('wp_edit', { type: 'settings', set: { description: 'No' } }, publishToken), /admin/);
        const { token: adminOnly } = await porteiro.addToken(1, '--rights', 'read,admin');
        await works('wp_edit', { type: 'settings', set: { description: before.description } }, adminOnly);
        assert.match(await fails('wp_create', { title: 'No', content: 'x' }, adminOnly), /draft/);
        assert.match(await fails('wp_edit', { type: 'settings', set: { nosuch: 1 } }), /nosuch/);
        assert.match(await fails('wp_edit', { type: 'settings', set: { users_can_register: true } }), /register/);
        assert.match(await fails('wp_edit', { type: 'settings', set: { default_role: 'administrator' } }), /register/);
      });

      test('people: what is harmless, with admin; never what makes somebody more', async () => {
        const [user] = await rest(site, '/wp/v2/users?slug=writer7&context=edit');
        await works('wp_edit', { type: 'user', id: 'writer7', set: { description: 'Writes.', nickname: 'Seven' } });
        const now = (await rest(site, '/wp/v2/users?slug=writer7&context=edit'))[0];
        assert.deepEqual([now.description, now.nickname, now.roles, now.email], ['Writes.', 'Seven', user.roles, user.email]);
        for (const set of [{ roles: ['administrator'] }, { Roles: ['administrator'] }, { password: 'x' }, { email: 'eve@example.test' }, { username: 'eve' }, { capabilities: { x: true } }, { meta: { x: 1 } }]) {
          await fails('wp_edit', { type: 'user', id: String(user.id), set });
        }
        await fails('wp_edit', { type: 'user', id: String(user.id), set: { description: 'No' } }, publishToken);
        assert.match(await fails('wp_create', { type: 'user', title: 'eve', set: { email: 'eve@example.test' } }), /credential/);
        assert.deepEqual((await rest(site, '/wp/v2/users?slug=writer7&context=edit'))[0], now);
      });

      test('media: alt text, caption', async () => {
        const [image] = await rest(site, '/wp/v2/media?search=Picture+7');
        await works('wp_edit', { type: 'media', id: String(image.id), set: { alt_text: 'A red square', caption: 'Seen “here”' } }, publishToken);
        const now = await rest(site, `/wp/v2/media/${image.id}?context=edit`);
        assert.deepEqual([now.alt_text, now.caption.raw, now.title.raw], ['A red square', 'Seen “here”', 'Picture 7']);
        assert.match(await fails('wp_create', { type: 'media', title: 'x' }), /wp_upload/);
      });

      test('templates and navigation: their blocks are edited like a post, with admin', async () => {
        const [template] = (await rest(site, '/wp/v2/templates?context=edit')).filter(item => item.slug === 'index' || item.slug === 'single');
        await works('wp_edit', { type: 'template', id: template.id, edits: [{ op: 'append', content: 'Put in here.' }] });
        const now = await rest(site, `/wp/v2/templates/${template.id}?context=edit`);
        assert.ok(now.content.raw.startsWith(template.content.raw.trimEnd().slice(0, 200)) && now.content.raw.includes('<p>Put in here.</p>'), now.content.raw);
        assert.match(await fails('wp_edit', { type: 'template', id: template.id, edits: [{ op: 'append', content: 'No' }] }, publishToken), /admin/);
        const [navigation] = await rest(site, '/wp/v2/navigation');
        assert.match(await fails('wp_edit', { type: 'navigation', id: String(navigation.id), set: { title: 'No' } }, publishToken), /admin/);
        await works('wp_edit', { type: 'navigation', id: String(navigation.id), set: { title: 'Main navigation' } });
      });

      test('a reusable block, a widget, a plugin, the order of an area', async () => {
        const block = idOf(await works('wp_create', { type: 'block', title: 'Shared', content: 'Once **here**.', status: 'publish' }, publishToken));
        assert.match((await rest(site, `/wp/v2/blocks/${block}?context=edit`)).content.raw, /<strong>here<\/strong>/);
        const made = await works('wp_create', { type: 'widget', set: { id_base: 'block', sidebar: 'wp_inactive_widgets', instance: { raw: { content: '<p>Widget</p>' } } } });
        const id = /^id (block-\d+)/.exec(made)[1];
        assert.equal((await rest(site, `/wp/v2/widgets/${id}?context=edit`)).instance.raw.content, '<p>Widget</p>');
        await works('wp_edit', { type: 'plugin', id: 'akismet/akismet', set: { status: 'active' } });
        assert.equal((await rest(site, '/wp/v2/plugins/akismet/akismet')).status, 'active');
        await works('wp_edit', { type: 'plugin', id: 'akismet/akismet', set: { status: 'inactive' } });
        assert.match(await fails('wp_edit', { type: 'plugin', id: 'akismet/akismet', set: { status: 'active' } }, publishToken), /admin/);
        assert.match(await fails('wp_edit', { type: 'theme', id: (await rest(site, '/wp/v2/themes?status=active'))[0].stylesheet, set: { status: 'active' } }), /not changed/);
      });

      test('the rest of them: a plugin\'s taxonomy, menus, parts, styles, areas, an autosave', async () => {
        const genre = idOf(await works('wp_create', { type: 'genre', title: 'Made genre' }, publishToken));
        await works('wp_edit', { type: 'genre', id: String(genre), set: { description: 'Told.' } }, publishToken);
        assert.equal((await rest(site, `/wp/v2/genres/${genre}`)).description, 'Told.');
        const menu = idOf(await works('wp_create', { type: 'menu', title: 'To rename' }));
        await works('wp_edit', { type: 'menu', id: String(menu), set: { name: 'Renamed' } });
        assert.equal((await rest(site, `/wp/v2/menus/${menu}`)).name, 'Renamed');
        const item = idOf(await works('wp_create', { type: 'menu_item', title: 'Out', set: { menus: menu, url: 'https://example.com/' } }));
        await works('wp_edit', { type: 'menu_item', id: String(item), set: { title: 'Outside' } });
        assert.equal((await rest(site, `/wp/v2/menu-items/${item}?context=edit`)).title.raw, 'Outside');
        const navigation = idOf(await works('wp_create', { type: 'navigation', title: 'Side', content: '<!-- wp:navigation-link {"label":"A","url":"/a"} /-->', format: 'blocks', status: 'publish' }));
        await works('wp_edit', { type: 'navigation', id: String(navigation), edits: [{ find: '"label":"A"', replace: '"label":"B"' }] });
        assert.match((await rest(site, `/wp/v2/navigation/${navigation}?context=edit`)).content.raw, /"label":"B"/);
        const [part] = await rest(site, '/wp/v2/template-parts?context=edit');
        await works('wp_edit', { type: 'template_part', id: part.id, edits: [{ op: 'append', content: 'In a part.' }] });
        assert.match((await rest(site, `/wp/v2/template-parts/${part.id}?context=edit`)).content.raw, /<p>In a part\.<\/p>/);
        const styles = rows(await works('wp_find', { type: 'global_styles' }))[1][0];
        const before = await rest(site, `/wp/v2/global-styles/${styles}?context=edit`);
        await works('wp_edit', { type: 'global_styles', id: styles, set: { styles: { color: { background: '#fff0f0' } } } });
        assert.deepEqual((await rest(site, `/wp/v2/global-styles/${styles}?context=edit`)).styles, { color: { background: '#fff0f0' } });
        assert.match(await fails('wp_edit', { type: 'global_styles', id: styles, set: { styles: {} } }, publishToken), /admin/);
        await works('wp_edit', { type: 'global_styles', id: styles, set: { styles: before.styles } });
        const [area] = (await rest(site, '/wp/v2/sidebars?context=edit')).filter(sidebar => sidebar.widgets.length > 1);
        await works('wp_edit', { type: 'sidebar', id: area.id, set: { widgets: area.widgets.toReversed() } });
        assert.deepEqual((await rest(site, `/wp/v2/sidebars/${area.id}`)).widgets, area.widgets.toReversed());
        await works('wp_edit', { type: 'sidebar', id: area.id, set: { widgets: area.widgets } });
        await works('wp_edit', { type: 'widget', id: area.widgets.find(id => id.startsWith('block-')), set: { instance: { raw: { content: '<p>Other</p>' } } } });
        const post = idOf(await works('wp_create', { title: 'Saved by itself', content: 'First.', status: 'publish' }, publishToken));
        const { id: autosave } = await rest(site, `/wp/v2/posts/${post}/autosaves`, { method: 'POST', body: { content: 'Half a sentence' } });
        assert.match(await works('wp_find', { type: `post/${post}/autosaves` }), new RegExp(`^${autosave}\\t`, 'm'));
        assert.match(await works('wp_read', { type: `post/${post}/autosaves`, id: String(autosave) }), /Half a sentence/);
      });

      test('an author by name, a date to come, a template', async () => {
        const id = idOf(await works('wp_create', { title: 'Later', content: 'x', status: 'future', set: { date: '2036-02-03 04:05', author: 'Writer 2' } }, publishToken));
        const [writer] = await rest(site, '/wp/v2/users?slug=writer2');
        const later = await rest(site, `/wp/v2/posts/${id}?context=edit`);
        assert.deepEqual([later.status, later.date, later.author], ['future', '2036-02-03T04:05:00', writer.id]);
        await works('wp_edit', { id: String(id), set: { date: '2036-03-04' } }, publishToken);
        assert.equal((await rest(site, `/wp/v2/posts/${id}?context=edit`)).date, '2036-03-04T00:00:00');
        assert.match(await fails('wp_edit', { id: String(id), set: { author: 'Nobody at all' } }), /Nobody at all/);
        assert.match(await fails('wp_create', { title: 'Later', content: 'x', status: 'future', set: { date: '2036-02-03' } }, draftToken), /publish/);
      });

      test('what WordPress altered is said', async () => {
        const first = idOf(await works('wp_create', { type: 'page', title: 'Twice', content: 'x', status: 'publish', set: { slug: 'taken-here' } }));
        const text = await works('wp_create', { type: 'page', title: 'Twice', content: 'x', status: 'publish', set: { slug: 'taken-here' } });
        assert.match(text, /stored slug as: taken-here-2/);
        assert.doesNotMatch(await works('wp_edit', { type: 'page', id: String(first), set: { excerpt: 'Short', menu_order: 3, slug: 'free-here' } }), /stored/);
        const author = await porteiro.addConnection(site, { as: 'author', name: 'author', rights: 'read,draft,publish' });
        const made = await works('wp_create', { title: 'Filtered', content: '<p onclick="x()">Kept <script>alert(1)</script></p>', format: 'html' }, author.token);
        const stored = (await rest(site, `/wp/v2/posts/${idOf(made)}?context=edit`)).content.raw;
        assert.ok(!stored.includes('<script>'));
        if (stored.includes('onclick')) assert.fail(stored);
      });

      test('SEO fields where the site offers none: said, nothing written', async () => {
        assert.match(await fails('wp_create', { title: 'No SEO here', content: 'x', seo: { title: 'T' } }), /no SEO fields/);
        assert.deepEqual(await rest(site, '/wp/v2/posts?status=any&search=No+SEO+here&_fields=id'), []);
      });
    });
  });
}
