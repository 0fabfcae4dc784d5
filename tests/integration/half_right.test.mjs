// Mistakes that somebody made who used the WordPress tools as a model would: half-right arguments, other spellings, few rights.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { PAIRS } from './lib/fixtures.mjs';
import { callTool, modern } from './lib/mcp.mjs';
import { Porteiro } from './lib/porteiro.mjs';
import { rest } from './lib/wordpress.mjs';

const ALL = 'read,draft,publish,delete,fetch,admin';

for (const pair of PAIRS) {
  describe(`half-right use: ${pair.name}`, () => {
    const { site } = pair;
    let porteiro, token, readToken, authorToken, connection;
    before(async () => {
      porteiro = await (await Porteiro.create(pair)).serve();
      await porteiro.addUser();
      connection = await porteiro.addConnection(site, { as: 'admin', rights: ALL });
      ({ token } = connection);
      ({ token: readToken } = await porteiro.addToken(connection.id, '--rights', 'read'));
      ({ token: authorToken } = await porteiro.addConnection(site, { as: 'author', name: 'author', rights: ALL }));
    });
    after(() => porteiro?.stop());

    const call = (name, args, as = token) => callTool(porteiro.url, as, name, args);
    async function works(name, args, as = token) {
      const { isError, text } = await call(name, args, as);
      assert.ok(!isError, `${name} ${JSON.stringify(args)}: ${text}`);
      return text;
    }
    async function refused(name, args, words, as = token) {
      const { isError, text } = await call(name, args, as);
      assert.ok(isError, `${name} ${JSON.stringify(args)}: ${text}`);
      assert.match(text, words);
      return text;
    }
    const idOf = text => Number(/^id (\d+)/.exec(text)[1]);

    test('the comments of an item have their text', async () => {
      const post = await rest(site, '/wp/v2/posts', { method: 'POST', body: { title: 'Talk', status: 'publish', content: 'x' } });
      await rest(site, '/wp/v2/comments', { method: 'POST', body: { post: post.id, content: 'Said in a comment.' } });
      assert.match(await works('wp_read', { id: String(post.id), format: 'none', include: ['comments'] }), /: Said in a comment\./);
    });

    test('dates as wp_read shows them, without seconds', async () => {
      const id = idOf(await works('wp_create', { title: 'Date', set: { date: '2031-03-01T09:00' } }));
      assert.equal((await rest(site, `/wp/v2/posts/${id}?context=edit`)).date, '2031-03-01T09:00:00');
      await works('wp_edit', { id: String(id), set: { date: '2031-03-02T09:00Z' } });
      assert.equal((await rest(site, `/wp/v2/posts/${id}?context=edit`)).date_gmt, '2031-03-02T09:00:00');
      assert.match(await works('wp_find', { status: 'draft', after: '2031-03-01T00:00', before: '2031-03-03 00:00' }), /\tDate/);
    });

    test('terms without their taxonomy are refused, not passed over', async () => {
      const id = String(idOf(await works('wp_create', { title: 'Terms' })));
      for (const set of [{ terms_add: ['News'] }, { terms: 'News' }, { terms_remove: ['News'] }]) {
        const { isError, text } = await call('wp_edit', { id, set });
        assert.ok(isError && /by taxonomy/.test(text), text);
      }
    });

    test('a featured image that is none is said', async () => {
      const [image] = await rest(site, '/wp/v2/media?media_type=image&per_page=1');
      const made = await works('wp_create', { title: 'Image', featured_image: '999999' });
      assert.match(made, /did not take 999999 as featured image/);
      const id = String(idOf(made));
      assert.doesNotMatch(await works('wp_edit', { id, set: { featured_image: image.id } }), /did not take/);
      assert.match(await works('wp_edit', { id, set: { featured_image: id } }), /did not take \d+ as featured image.*There is none now/);
    });

    test('what a type does not have is refused before an edit, and said after a creation', async () => {
      const [post] = await rest(site, '/wp/v2/posts?per_page=1'), [page] = await rest(site, '/wp/v2/pages?per_page=1');
      const [block] = await rest(site, '/wp/v2/blocks?per_page=1'), [image] = await rest(site, '/wp/v2/media?media_type=image&per_page=1');
      const [ticket] = await rest(site, '/helpdesk/v1/tickets?per_page=1');
      for (const [type, id, set, words] of [
        ['post', post.id, { parent: 5, menu_order: 3 }, /no field 'parent'/],
        ['post', post.id, { title: 'Not this either', menu_order: 3 }, /no field 'menu_order'/],
        ['post', post.id, { Title: 'X' }, /no field 'Title'/],
        ['post', post.id, { Featured_Image: image.id }, /no field 'Featured_Image'/],
        ['page', page.id, { sticky: true }, /no field 'sticky'/],
        ['ticket', ticket.id, { excerpt: 'x' }, /no field 'excerpt'/],
        ['ticket', ticket.id, { author: 1 }, /no field 'author'/],
        ['ticket', ticket.id, { featured_image: image.id }, /no field 'featured_media'/],
        ['block', block.id, { featured_image: image.id }, /no field 'featured_media'/],
        ['category', 1, { Slug: 'x' }, /no field 'Slug'/],
      ]) {
        await refused('wp_edit', { type, id: String(id), set }, words);
        await refused('wp_edit', { type, id: String(id), set, dry_run: true }, words);
      }
      await refused('wp_bulk', { type: 'post', ids: [post.id], set: { parent: 5 } }, /no field 'parent'/);
      await refused('wp_create', { type: 'block', title: 'Pattern', content: 'x', featured_image: String(image.id) }, /no field 'featured_media'/);
      assert.equal((await rest(site, `/wp/v2/posts/${post.id}`)).title.rendered, post.title.rendered);
      const made = await works('wp_create', { type: 'ticket', title: 'Bare', featured_image: String(image.id), set: { excerpt: 'x', author: '1', slug: 'bare' } });
      for (const name of ['excerpt', 'author', 'featured_image']) assert.match(made, new RegExp(`^${name} was not set: WordPress shows no such field of type ticket\\.$`, 'm'));
      assert.doesNotMatch(made, /slug was not set/);
      assert.doesNotMatch(await works('wp_create', { type: 'page', title: 'All there', featured_image: String(image.id), set: { parent: page.id, menu_order: 2, excerpt: 'x', author: '1', date: '2031-03-01' } }), /not set/);
      await works('wp_edit', { type: 'page', id: String(page.id), set: { menu_order: page.menu_order, parent: page.parent } });
    });

    test('passwords of posts are not shown', async () => {
      const { isError, text } = await call('wp_find', { fields: ['password', 'email'] }, readToken);
      assert.ok(isError && /Passwords/.test(text), text);
    });

    test('pages whose rows are not for this user: not "none", and none twice', async () => {
      const mine = await rest(site, '/wp/v2/posts', { user: 'author', method: 'POST', body: { title: 'An old draft of mine', date: '2001-01-01T00:00:00' } });
      const seen = [];
      let cursor = '', pages = 0;
      do {
        const text = await works('wp_find', { status: 'draft', limit: 3, cursor }, authorToken);
        for (const line of text.split('\n')) if (/^\d+\t/.test(line)) seen.push(Number(line.split('\t')[0]));
        cursor = /next cursor: (\d+)/.exec(text)?.[1] ?? '';
      } while (cursor && ++pages < 200);
      assert.ok(seen.includes(mine.id));
      assert.equal(new Set(seen).size, seen.length);
    });

    const stored = async id => (await rest(site, `/wp/v2/posts/${id}?context=edit`)).content.raw;
    const P = text => `<!-- wp:paragraph -->\n<p>${text}</p>\n<!-- /wp:paragraph -->`;
    const post = async (...blocks) => String((await rest(site, '/wp/v2/posts', { method: 'POST', body: { title: 'Blocks', content: blocks.join('\n\n') } })).id);
    async function refused(name, args, wanted) {
      const { isError, text } = await call(name, args);
      assert.ok(isError && wanted.test(text), text);
    }

    test('what was read as Markdown is written back with its stand-ins, and nothing is lost without a word', async () => {
      const group = `<!-- wp:group -->\n<div class="wp-block-group">${P('inside')}</div>\n<!-- /wp:group -->`;
      const id = await post(P('one'), group, '<!-- wp:shortcode -->\n[gallery]\n<!-- /wp:shortcode -->', P('four'));
      const before = await stored(id);
      await refused('wp_edit', { id, edits: [{ block: '1-4', op: 'replace', content: 'All new' }] },
        /lacks 2 stand-ins .*\[\[block 2 core\/group\]\], \[\[block 3 core\/shortcode\]\].*"allow_loss": true/);
      assert.equal(await stored(id), before);
      const markdown = (await works('wp_read', { id })).split('\n\n').slice(1).join('\n\n');
      assert.match(markdown, /^one\n\n\[\[block 2 core\/group\]\]/);
      await works('wp_edit', { id, edits: [{ block: '1-4', op: 'replace', content: markdown.replace('inside', 'within').replace('four', '**4**') }] });
      assert.equal(await stored(id), before.replace('inside', 'within').replace('four', '<strong>4</strong>'));
      await works('wp_edit', { id, edits: [{ block: '1-4', op: 'replace', content: 'All new', allow_loss: true }] });
      assert.equal(await stored(id), P('All new'));
    });

    test('the JSON in a block\'s comment stays JSON', async () => {
      const id = await post('<!-- wp:separator {"className":"old"} -->\n<hr class="wp-block-separator has-alpha-channel-opacity"/>\n<!-- /wp:separator -->');
      const before = await stored(id);
      await refused('wp_edit', { id, edits: [{ find: 'old', replace: 'a "quoted" word' }] }, /attributes of block 1 .*valid JSON/);
      assert.equal(await stored(id), before);
      await works('wp_edit', { id, edits: [{ find: 'old', replace: 'rule--big' }] });
      assert.match(await stored(id), /\{"className":"rule\\u002d\\u002dbig"\}/);
    });

    test('a find that matches nothing is told what to find instead', async () => {
      const id = await post('<!-- wp:heading {"level":3} -->\n<h3 class="wp-block-heading">Left</h3>\n<!-- /wp:heading -->',
        P('Left text with a <a href="http://x.test/">link</a> and new line.'), P('Un cafe\u0301 noir'));
      await refused('wp_edit', { id, edits: [{ find: '### Left', replace: '### Right' }] }, /Find "Left", which is in block 1/);
      const { text } = await call('wp_edit', { id, edits: [{ find: 'Left text with a link', replace: 'x' }] });
      const find = /in Markdown: (.*)\n/.exec(text)[1];
      assert.equal(find, 'Left text with a [link](http://x.test/)');
      await works('wp_edit', { id, edits: [{ find, replace: 'Right text' }, { find: 'Un caf\u00e9', replace: 'Un th\u00e9' }] });
      assert.match(await stored(id), /<p>Right text and new line\.<\/p>[^]*<p>Un th\u00e9 noir<\/p>/);
    });

    test('Markdown that replaces plain text: said when it is taken literally, markup when asked for', async () => {
      const id = await post(P('Line one'));
      const edit = { find: 'Line one', replace: '**Line** [one](http://x.test/)' };
      assert.match(await works('wp_edit', { id, edits: [edit], dry_run: true }), /taken literally.*"format": "markdown"/);
      assert.match(await works('wp_edit', { id, edits: [edit] }), /\nThe replacement was taken literally/);
      assert.equal(await stored(id), P(edit.replace));
      const text = await works('wp_edit', { id, edits: [{ ...edit, find: edit.replace, format: 'markdown' }] });
      assert.doesNotMatch(text, /literally/);
      assert.equal(await stored(id), P('<strong>Line</strong> <a href="http://x.test/">one</a>'));
    });

    test('the outline has the numbers of inner blocks, and wp_edit takes them', async () => {
      const image = '<!-- wp:image -->\n<figure class="wp-block-image"><img src="/a.jpg" alt=""/></figure>\n<!-- /wp:image -->';
      const column = inner => `<!-- wp:column -->\n<div class="wp-block-column">${inner}</div>\n<!-- /wp:column -->`;
      const columns = `<!-- wp:columns -->\n<div class="wp-block-columns">${column(`${image}\n\n${P('a')}\n\n${P('b')}`)}\n\n${column('')}</div>\n<!-- /wp:columns -->`;
      const id = await post(`<!-- wp:group -->\n<div class="wp-block-group">${columns}</div>\n<!-- /wp:group -->`, P('c'));
      assert.match(await works('wp_read', { id, format: 'outline' }),
        /\n1 group \(\.1 columns \(\.1 column \(\.1 image, \.2-3 paragraph\), \.2 column\)\), 2 paragraph$/);
      const before = await stored(id);
      await works('wp_edit', { id, edits: [{ block: '1.1.1.3', content: 'B' }] });
      assert.equal(await stored(id), before.replace('<p>b</p>', '<p>B</p>'));
    });

    test('notes of Markdown are text, not links', async () => {
      const id = String(idOf(await works('wp_create', { title: 'Notes', content: 'See[^1].\n\n[^1]: note' })));
      assert.equal(await stored(id), `${P('See[^1].')}\n\n${P('[^1]: note')}`);
      assert.match(await works('wp_read', { id }), /\n\nSee\\?\[\^1\]\.\n\n\\?\[\^1\]: note/);
    });

    test('white space between arguments is nothing a code depends on', async () => {
      const id = idOf(await works('wp_create', { title: 'Spaces' }));
      const send = async args => {
        const response = await fetch(porteiro.url, {
          method: 'POST',
          headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json', Accept: 'application/json, text/event-stream', 'MCP-Protocol-Version': '2025-06-18' },
          body: `{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "wp_bulk", "arguments": ${args}}}`,
        });
        return (await response.json()).result.content[0].text;
      };
      const args = `{"ids": [${id}], "set": {"terms_add": {"tag": ["spaced", "out"]}}`;
      const [, code] = /confirm_code "([a-z0-9]+)"/.exec(await send(`${args}}`));
      assert.doesNotMatch(await send(`${args}, "confirm_code": "${code}"}`), /That code is not one/);
    });

    test("the site's address and its administrator's e-mail are not changed", async () => {
      const before = await rest(site, '/wp/v2/settings');
      for (const set of [{ url: 'https://evil.test' }, { email: 'evil@evil.test' }, { title: 'x', url: 'https://evil.test' }]) {
        await refused('wp_edit', { type: 'settings', id: 'settings', set }, /in WordPress itself/);
        await refused('wp_call', { name: 'POST /wp/v2/settings', args: set }, /in WordPress itself/);
      }
      await refused('wp_call', { name: 'PUT /wp/v2/settings', args: { email: 'evil@evil.test' } }, /in WordPress itself/);
      await refused('wp_bulk', { type: 'settings', ids: [1], set: { url: 'https://evil.test' } }, /not changed in bulk/);
      assert.deepEqual(await rest(site, '/wp/v2/settings'), before);
    });

    test('status future without a date to come is refused, for it would publish at once', async () => {
      const naive = minutes => new Date(Date.now() + 60000 * minutes).toISOString().slice(0, 19);
      const status = async id => (await rest(site, `/wp/v2/posts/${id}?context=edit`)).status;
      const words = /date to come.*publish at once.*Now it is \d{4}-\d\d-\d\dT\d\d:\d\d at the site/;
      await refused('wp_create', { title: 'Later', status: 'future' }, words);
      await refused('wp_create', { title: 'Later', status: 'future', set: { date: '2020-01-01' } }, /2020-01-01 WordPress/);
      await refused('wp_create', { title: 'Later', status: 'future', set: { date: '2031-03-01', date_gmt: null } }, words);
      // The site's clock is Berlin's: what is to come there must be more than an hour ahead of UTC.
      await refused('wp_create', { title: 'Later', status: 'future', set: { date: naive(30) } }, words);
      await refused('wp_create', { title: 'Later', status: 'future', set: { date: `${naive(90)}+02:00` } }, words);
      for (const set of [{ date: `${naive(30)}Z` }, { date_gmt: naive(30) }, { date: naive(180) }, { date: '2031-03-01' }]) {
        assert.equal(await status(idOf(await works('wp_create', { title: 'Later', status: 'future', set }))), 'future', JSON.stringify(set));
      }
      const id = idOf(await works('wp_create', { title: 'Draft for later' }));
      await refused('wp_edit', { id: String(id), set: { status: 'future' } }, words);
      await refused('wp_edit', { id: String(id), set: { status: 'future', date: '2020-01-01 10:00' }, dry_run: true }, words);
      await refused('wp_bulk', { ids: [id], set: { status: 'future' } }, words);
      assert.equal(await status(id), 'draft');
      await works('wp_edit', { id: String(id), set: { date: '2031-03-01' } });
      const [, undo] = /undo (\d+)/.exec(await works('wp_edit', { id: String(id), set: { status: 'future' } }));
      assert.equal(await status(id), 'future');
      await works('wp_edit', { undo });
      assert.equal(await status(id), 'draft');
    });

    test("comments' statuses as rows show them, and as people say them", async () => {
      const post = await rest(site, '/wp/v2/posts', { method: 'POST', body: { title: 'Said', status: 'publish', content: 'x' } });
      const { id } = await rest(site, '/wp/v2/comments', { method: 'POST', body: { post: post.id, content: 'Word by word.' } });
      const has = async status => (await works('wp_find', { type: 'comment', status, filter: { post: post.id } })).startsWith('id\t');
      const status = async () => (await rest(site, `/wp/v2/comments/${id}?context=edit`)).status;
      assert.deepEqual([await has('approved'), await has('approve'), await has('pending'), await has('hold')], [true, true, false, false]);
      for (const [given, stored] of [['pending', 'hold'], ['approved', 'approved'], ['hold', 'hold'], ['approve', 'approved']]) {
        const text = await works('wp_edit', { type: 'comment', id: String(id), set: { status: given } });
        assert.doesNotMatch(text, /stored status/);
        assert.equal(await status(), stored);
        assert.equal(await has('pending'), stored === 'hold');
      }
      const waiting = idOf(await works('wp_create', { type: 'comment', content: 'Not yet.', status: 'pending', set: { post: post.id } }));
      assert.equal((await rest(site, `/wp/v2/comments/${waiting}?context=edit`)).status, 'hold');
      assert.match(await works('wp_bulk', { type: 'comment', query: { status: 'pending', filter: { post: post.id } }, set: { status: 'approved' } }), new RegExp(`1 of type comment.*${waiting}`));
    });

    test('files of the media library are changed in bulk, and found with status any', async () => {
      const images = (await rest(site, '/wp/v2/media?media_type=image&per_page=2')).map(({ id }) => id);
      const args = { type: 'media', ids: images, set: { alt_text: `Told in bulk ${pair.name}` } };
      const [, code] = /confirm_code "(\w+)"/.exec(await works('wp_bulk', args));
      assert.match(await works('wp_bulk', { ...args, confirm_code: code }), new RegExp(`^${images.length} of ${images.length} changed`));
      for (const id of images) assert.equal((await rest(site, `/wp/v2/media/${id}`)).alt_text, args.set.alt_text);
      assert.match(await works('wp_find', { type: 'media', status: 'any', ids: images }), new RegExp(`\\n${images[0]}\\t`));
    });

    test('what is not deleted because it is of another type, or not for this user, is not said to be gone', async () => {
      const page = await rest(site, '/wp/v2/pages', { method: 'POST', body: { title: 'A page' } });
      const theirs = await rest(site, '/wp/v2/posts', { method: 'POST', body: { title: "An admin's draft" } });
      const mine = await rest(site, '/wp/v2/posts', { user: 'author', method: 'POST', body: { title: 'Mine' } });
      const text = await works('wp_delete', { ids: [String(page.id), String(mine.id), String(theirs.id)] }, authorToken);
      for (const { id } of [page, theirs]) assert.match(text, new RegExp(`${id}: not done: no post ${id} that this WordPress user may edit; for other types give type`));
      assert.match(await works('wp_delete', { type: 'page', ids: [String(page.id), String(theirs.id)] }), new RegExp(`${theirs.id}: not done: no page ${theirs.id} that this WordPress user may edit$`, 'm'));
    });

    test('what WordPress clearly refused is no change of unknown outcome', async () => {
      const [image] = await rest(site, '/wp/v2/media?per_page=1');
      const history = await works('wp_history', {});
      await refused('wp_delete', { type: 'media', ids: [String(image.id)] }, /it has no trash here/);
      assert.equal(await works('wp_history', {}), history);
    });

    test('featured_image null removes it, and undo brings it back', async () => {
      const [image] = await rest(site, '/wp/v2/media?media_type=image&per_page=1');
      const id = String(idOf(await works('wp_create', { title: 'Image away', featured_image: String(image.id) })));
      const featured = async () => (await rest(site, `/wp/v2/posts/${id}?context=edit`)).featured_media;
      const [, undo] = /undo (\d+)/.exec(await works('wp_edit', { id, set: { featured_image: null } }));
      assert.equal(await featured(), 0);
      await works('wp_edit', { undo });
      assert.equal(await featured(), image.id);
    });

    test("a file's url is its own; columns that no row has are named", async () => {
      const [image] = await rest(site, '/wp/v2/media?media_type=image&per_page=1');
      assert.match(await works('wp_find', { type: 'media', ids: [image.id], fields: ['url'] }), new RegExp(`\\t${image.source_url}$`));
      assert.match(await works('wp_find', { limit: 2, fields: ['bogus', 'slug', 'meta.no_such'] }), /\nnote: no row has bogus, meta\.no_such\n2 of/);
      assert.doesNotMatch(await works('wp_find', { limit: 2, fields: ['slug', 'modified', 'words', 'url', 'terms', 'author', 'excerpt'] }), /note:/);
      assert.match(await works('wp_find', { type: 'category', limit: 1, fields: ['url'] }), /\thttp\S+\n/);
      assert.doesNotMatch(await works('wp_find', { limit: 1, q: 'nothing-has-this-word', fields: ['bogus'] }), /note:/);
    });

    test('ids and versions as numbers and as texts', async () => {
      const id = idOf(await works('wp_create', { title: 'Numbered' }));
      assert.match(await works('wp_read', { id }), /Numbered/);
      const [, version] = /version (\d+)/.exec(await works('wp_read', { id: String(id) }));
      await works('wp_edit', { id, if_version: Number(version), set: { title: 'Numbered twice' } });
      assert.match(await works('wp_find', { status: 'draft', ids: [String(id)], limit: '5' }), /Numbered twice/);
      assert.match(await works('wp_bulk', { ids: [String(id)], set: { title: 'x' } }), /change 1 of type post/);
      const [, undo] = /undo (\d+)/.exec(await works('wp_delete', { ids: [id] }));
      await works('wp_edit', { undo: Number(undo) });
      // What a client keeps for its next request is bound to what it sent, not to what was made of it.
      const ask = more => modern(porteiro.url, token, 'tools/call', { name: 'wp_delete', arguments: { permanent: true, ids: [id] }, _meta: { 'io.modelcontextprotocol/clientCapabilities': { elicitation: { form: {} } } }, ...more });
      const { inputRequests, requestState } = (await ask({})).json.result;
      const inputResponses = Object.fromEntries(Object.keys(inputRequests).map(key => [key, { action: 'accept', content: { confirm: true } }]));
      assert.match((await ask({ inputResponses, requestState })).json.result?.content[0].text, /deleted for good/);
      await refused('wp_delete', { ids: [id], permanent: 'true' }, /permanent/);
      await refused('wp_read', { id: 1.5 }, /id/);
    });

    test('the same arguments in another order are the same request, for a person and for a code', async () => {
      const { token: humanToken } = await porteiro.addToken(connection.id, '--rights', ALL, '--confirm', 'human');
      const id = String(idOf(await works('wp_create', { title: 'Order' })));
      const reversed = value => (Array.isArray(value) || typeof value !== 'object' || value === null ? value : Object.fromEntries(Object.entries(value).reverse().map(([k, v]) => [k, reversed(v)])));
      const bulk = { ids: [Number(id)], set: { title: 'In order', excerpt: 'y', terms_add: { tag: ['a b'] } } };
      const [, code] = /confirm_code "([a-z0-9]+)"/.exec(await works('wp_bulk', bulk));
      assert.doesNotMatch(await works('wp_bulk', { confirm_code: code, ...reversed(bulk) }), /That code is not one/);
      for (const [name, args] of [
        ['wp_edit', { id, set: { title: 'Ordered', status: 'publish' } }],
        ['wp_call', { name: 'POST /wp/v2/tags', args: { name: `Ordered ${pair.name}`, description: 'x' } }],
      ]) {
        assert.match((await call(name, args, humanToken)).text, /has to approve it first/);
        const waiting = async () => (await porteiro.json(['approval', 'list'])).items.filter(({ state }) => state === 'pending').map(item => item.id);
        const [one, ...others] = await waiting();
        assert.deepEqual(others, []);
        assert.match((await call(name, reversed(args), humanToken)).text, /has to approve it first/);
        assert.deepEqual(await waiting(), [one]);
        await porteiro.json(['approval', 'approve', one]);
        await works(name, reversed(args), humanToken);
      }
    });

    test("WordPress's refusals say each thing once; what is not done in bulk has its whole reason", async () => {
      const { text } = await call('wp_create', { type: 'page', title: 'Child', set: { parent: 'none' } });
      assert.match(text, /WordPress refused this \(HTTP 400\): parent is not of type integer\.$/);
      const id = idOf(await works('wp_create', { title: 'Undone in bulk' }));
      const args = { ids: [id], set: { title: 'Done in bulk' } };
      const [, code] = /confirm_code "(\w+)"/.exec(await works('wp_bulk', args));
      const [, undo] = /undo (\d+)/.exec(await works('wp_bulk', { ...args, confirm_code: code }));
      await works('wp_edit', { id, set: { title: 'Moved on' } });
      await refused('wp_edit', { undo }, /take that back first, or edit the item\.$/);
    });

    test('an id beside undo must be that of the change', async () => {
      const [one, other] = [idOf(await works('wp_create', { title: 'One', set: { slug: `one-${pair.name.length}-undone` } })), idOf(await works('wp_create', { title: 'Other' }))];
      const edit = async () => /undo (\d+)/.exec(await works('wp_edit', { id: String(one), set: { title: `One ${Math.random()}` } }))[1];
      const undo = await edit();
      await refused('wp_edit', { undo, id: String(other) }, new RegExp(`Change ${undo} is of post ${one} "[^"]*", not of ${other}\\. Nothing was written`));
      await refused('wp_edit', { undo, id: String(other), dry_run: true }, /not of/);
      await works('wp_edit', { undo, id: String(one) });
      const { slug } = await rest(site, `/wp/v2/posts/${one}?context=edit`);
      await works('wp_edit', { undo: await edit(), id: slug });
    });

    test('a text behind a password is said to be so, to who may not edit it', async () => {
      const { id } = await rest(site, '/wp/v2/posts', { method: 'POST', body: { title: 'Behind', status: 'publish', content: 'Secret words.', password: 'pw' } });
      const hidden = await works('wp_read', { id }, authorToken);
      assert.match(hidden, /note: protected by a password/);
      assert.doesNotMatch(hidden, /Secret words/);
      const shown = await works('wp_read', { id });
      assert.match(shown, /Secret words/);
      assert.doesNotMatch(shown, /note:/);
    });

    test('an autosave is judged by what it belongs to', async () => {
      const { token: draftToken } = await porteiro.addToken(connection.id, '--rights', 'read,draft');
      const make = async status => (await rest(site, '/wp/v2/posts', { method: 'POST', body: { title: 'Saved by itself', status, content: 'x' } })).id;
      const save = async (id, args) => call('wp_call', { name: `POST /wp/v2/posts/${id}/autosaves`, args }, draftToken);
      const [draft, published] = [await make('draft'), await make('publish')];
      const done = await save(draft, { content: 'Half a sentence' });
      assert.ok(!done.isError, done.text);
      for (const [id, args] of [[published, { content: 'y' }], [draft, { content: 'y', status: 'publish' }]]) {
        const { isError, text } = await save(id, args);
        assert.ok(isError && /Status 'publish' is public/.test(text), text);
      }
      assert.equal((await rest(site, `/wp/v2/posts/${draft}?context=edit`)).status, 'draft');
    });
  });
}
