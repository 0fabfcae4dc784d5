// Mistakes that somebody made who used the WordPress tools as a model would: half-right arguments, other spellings, few rights.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { PAIRS } from './lib/fixtures.mjs';
import { callTool } from './lib/mcp.mjs';
import { Porteiro } from './lib/porteiro.mjs';
import { rest } from './lib/wordpress.mjs';

const ALL = 'read,draft,publish,delete,fetch,admin';

for (const pair of PAIRS) {
  describe(`half-right use: ${pair.name}`, () => {
    const { site } = pair;
    let porteiro, token, readToken, authorToken;
    before(async () => {
      porteiro = await (await Porteiro.create(pair)).serve();
      await porteiro.addUser();
      const admin = await porteiro.addConnection(site, { as: 'admin', rights: ALL });
      ({ token } = admin);
      ({ token: readToken } = await porteiro.addToken(admin.id, '--rights', 'read'));
      ({ token: authorToken } = await porteiro.addConnection(site, { as: 'author', name: 'author', rights: ALL }));
    });
    after(() => porteiro?.stop());

    const call = (name, args, as = token) => callTool(porteiro.url, as, name, args);
    async function works(name, args, as = token) {
      const { isError, text } = await call(name, args, as);
      assert.ok(!isError, `${name} ${JSON.stringify(args)}: ${text}`);
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
  });
}
