// The tasks, in the numbers of the benchmark. Each: run() is the shortest right sequence of calls; check() looks into the database;
// touches: the rows that may differ afterwards; writes: the tool whose audit rows must be there.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { png, sha256 } from '../integration/lib/files.mjs';
import { RARE, SENTENCE } from './fixture.mjs';

const post = id => row => (row.table === 'wp_posts' && Number(row.ID) === id);
const anyOf = ids => row => row.table === 'wp_posts' && ids.includes(Number(row.ID));
const table = (...names) => row => names.includes(row.table);
const content = (sql, id) => sql('SELECT post_content, post_status, post_title, post_date FROM wp_posts WHERE ID = ?', id)[0];
const rows = text => text.split('\n').map(line => line.split('\t'));
const idOf = text => Number(/^id (\d+)/.exec(text)[1]);
const termsOf = (sql, id, taxonomy) => sql('SELECT t.name FROM wp_terms t JOIN wp_term_taxonomy x ON x.term_id = t.term_id JOIN wp_term_relationships r ON r.term_taxonomy_id = x.term_taxonomy_id WHERE r.object_id = ? AND x.taxonomy = ? ORDER BY t.name', id, taxonomy).map(row => row.name);
const made = ({ answers }) => idOf(answers[0]);

const picture = png(60), large = png(1000); // about 14 kB and 3 MB
export const files = { '/bench-src.png': picture };

// The new file's row, its address below uploads/, and its bytes on the disk.
function newFile(sql, site, before) {
  const [row] = sql("SELECT ID, post_parent FROM wp_posts WHERE post_type = 'attachment' AND ID > ? ORDER BY ID DESC LIMIT 1", before);
  const meta = name => sql('SELECT meta_value v FROM wp_postmeta WHERE post_id = ? AND meta_key = ?', row.ID, name)[0]?.v;
  return { id: row.ID, alt: meta('_wp_attachment_image_alt'), bytes: fs.readFileSync(path.join(site.dir, 'www/wp-content/uploads', meta('_wp_attached_file'))) };
}
const lastId = sql => sql('SELECT max(ID) n FROM wp_posts')[0].n;
const isFile = row => (row.table === 'wp_posts' && row.post_type === 'attachment') || (row.table === 'wp_postmeta' && /^(_wp_attach|_thumbnail_id)/.test(row.meta_key));

export const tasks = [
  {
    id: 1,
    name: 'ten newest posts',
    run: ({ call }) => call('wp_find', {}),
    check({ answers, sql }) {
      const newest = sql("SELECT ID, post_title FROM wp_posts WHERE post_type = 'post' AND post_status = 'publish' ORDER BY post_date DESC LIMIT 10");
      const shown = rows(answers[0]).slice(1, 11);
      assert.deepEqual(shown.map(row => [Number(row[0]), row[2]]).sort(), newest.map(row => [row.ID, row.post_title]).sort());
    },
  },
  {
    id: 2,
    name: 'read the long article whole',
    run: ({ call, fx }) => call('wp_read', { id: String(fx.long) }),
    check({ answers, fx }) {
      const words = fx.raw.replace(/<!--[^]*?-->/g, ' ').replace(/<[^>]+>/g, ' ').replaceAll('&amp;', '&').split(/\s+/).filter(Boolean);
      const read = answers[0].replace(/\*\*/g, '').split(/\s+/);
      let at = 0;
      for (const word of words) {
        while (at < read.length && read[at] !== word) at++;
        assert.ok(at++ < read.length, `${word} is missing`);
      }
    },
  },
  {
    id: 3,
    name: 'read only its 4th section',
    async run({ call, fx }) {
      const outline = await call('wp_read', { id: String(fx.long), format: 'outline' });
      assert.equal([...outline.matchAll(/^\d+ ## (.*)$/gm)][3][1], fx.headings[3]);
      await call('wp_read', { id: String(fx.long), part: fx.headings[3] });
    },
    check({ answers, fx }) {
      assert.ok(answers[1].includes(SENTENCE) && answers[1].includes(fx.headings[3]));
      for (const other of [fx.headings[2], fx.headings[4]]) assert.ok(!answers[1].includes(other), other);
    },
  },
  {
    id: 4,
    name: 'change one sentence',
    prepare: ({ sql, fx }) => (fx.revisions = sql("SELECT count(*) n FROM wp_posts WHERE post_type = 'revision' AND post_parent = ?", fx.long)[0].n),
    run: ({ call, fx }) => call('wp_edit', { id: String(fx.long), edits: [{ find: 'counted seven ships', replace: 'counted nine ships' }] }),
    check({ sql, fx }) {
      assert.equal(content(sql, fx.long).post_content, fx.raw.replace('counted seven ships', 'counted nine ships'));
      assert.equal(sql("SELECT count(*) n FROM wp_posts WHERE post_type = 'revision' AND post_parent = ?", fx.long)[0].n, fx.revisions + 1, 'one revision more');
    },
    touches: [(row, { fx }) => post(fx.long)(row)],
    writes: 'wp_edit',
  },
  {
    id: 5,
    name: 'insert a paragraph after a heading',
    async run({ call, fx }) {
      const outline = await call('wp_read', { id: String(fx.long), format: 'outline' });
      const block = new RegExp(`^(\\d+) ## ${fx.headings[2]}$`, 'm').exec(outline)[1];
      await call('wp_edit', { id: String(fx.long), edits: [{ block, op: 'after', content: 'They were found in a **tin box**.' }] });
    },
    check({ sql, fx, blocks }) {
      const now = content(sql, fx.long).post_content;
      const heading = `<h2 class="wp-block-heading">${fx.headings[2]}</h2>\n<!-- /wp:heading -->\n\n`;
      assert.equal(now, fx.raw.replace(heading, `${heading}<!-- wp:paragraph -->\n<p>They were found in a <strong>tin box</strong>.</p>\n<!-- /wp:paragraph -->\n\n`));
      const parsed = blocks(now);
      assert.ok(parsed.same && !parsed.nested_p && !parsed.names.includes('freeform'));
    },
    touches: [(row, { fx }) => post(fx.long)(row)],
    writes: 'wp_edit',
  },
  {
    id: 6,
    name: 'replace a word in 12 places',
    run: ({ call, fx }) => call('wp_edit', { id: String(fx.long), edits: [{ find: RARE, replace: 'granite', count: 12 }] }),
    check({ sql, fx }) {
      assert.equal(fx.raw.split(RARE).length - 1, 12);
      assert.equal(content(sql, fx.long).post_content, fx.raw.replaceAll(RARE, 'granite'));
    },
    touches: [(row, { fx }) => post(fx.long)(row)],
    writes: 'wp_edit',
  },
  {
    id: 7,
    name: 'an image from an address as featured image, with alt text',
    prepare: ({ sql, fx }) => (fx.last = lastId(sql)),
    run: ({ call, fx, source }) => call('wp_upload', { url: `${source.url}/bench-src.png`, alt: 'The harbour at dusk', featured_for: fx.later }),
    check({ sql, fx, site }) {
      const file = newFile(sql, site, fx.last);
      assert.equal(sha256(file.bytes), sha256(picture));
      assert.equal(file.alt, 'The harbour at dusk');
      assert.equal(Number(sql("SELECT meta_value v FROM wp_postmeta WHERE post_id = ? AND meta_key = '_thumbnail_id'", fx.later)[0].v), file.id);
    },
    touches: [isFile, (row, { fx }) => post(fx.later)(row)],
    writes: 'wp_upload',
  },
  {
    id: 8,
    name: 'a local image of 3 MB into the media library',
    prepare: ({ sql, fx }) => (fx.last = lastId(sql)),
    async run({ call }) {
      const link = /https?:\/\/\S+/.exec(await call('wp_upload', {}))[0];
      // Done by the client's own shell, which costs the model its command line; that is not counted for any server.
      const { status } = await fetch(`${link}large.png`, { method: 'PUT', body: large });
      assert.ok(status < 300, String(status));
    },
    check: ({ sql, fx, site }) => assert.equal(sha256(newFile(sql, site, fx.last).bytes), sha256(large)),
    touches: [isFile],
  },
  {
    id: 9,
    name: 'a draft with 2 categories and 3 tags by name, one of them new',
    run: ({ call }) => call('wp_create', { title: 'Harbour notes', content: 'A short text.', terms: { category: ['News', 'Guides'], tag: ['alpha', 'beta', 'gamma'] } }),
    check({ sql, answers }) {
      const id = made({ answers });
      assert.deepEqual(termsOf(sql, id, 'category'), ['Guides', 'News']);
      assert.deepEqual(termsOf(sql, id, 'post_tag'), ['alpha', 'beta', 'gamma']);
      assert.deepEqual([content(sql, id).post_status, content(sql, id).post_title], ['draft', 'Harbour notes']);
      assert.equal(sql("SELECT count(*) n FROM wp_terms WHERE name = 'gamma'")[0].n, 1);
    },
    touches: [(row, context) => post(made(context))(row), table('wp_terms', 'wp_term_taxonomy', 'wp_term_relationships')],
    writes: 'wp_create',
  },
  {
    id: 10,
    name: 'a Markdown article with list, table, code and image',
    run: ({ call, site }) =>
      call('wp_create', {
        title: 'All kinds',
        content: `## First\n\nSome *words* and a [link](https://example.com/).\n\n- one\n- two\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n\`\`\`\nif (a < b) {}\n\`\`\`\n\n![A square](${site.url}/wp-content/uploads/2026/01/picture-1.jpg)\n\nThe end.`,
      }),
    check({ sql, answers, blocks }) {
      const now = content(sql, made({ answers })).post_content, parsed = blocks(now);
      assert.deepEqual(parsed.names, ['core/heading', 'core/paragraph', 'core/list', 'core/list-item', 'core/list-item', 'core/table', 'core/code', 'core/image', 'core/paragraph']);
      assert.ok(parsed.same && !parsed.nested_p);
      assert.ok(now.includes('if (a &lt; b) {}') && now.includes('alt="A square"'), now);
    },
    touches: [(row, context) => post(made(context))(row), table('wp_term_relationships')],
    writes: 'wp_create',
  },
  {
    id: 11,
    name: 'schedule, then move the date',
    async run({ call, fx }) {
      await call('wp_edit', { id: String(fx.later), set: { status: 'future', date: '2036-05-04 09:00' } });
      await call('wp_edit', { id: String(fx.later), set: { date: '2036-05-11 09:00' } });
    },
    check({ sql, fx }) {
      const now = content(sql, fx.later);
      assert.deepEqual([now.post_status, now.post_date], ['future', '2036-05-11 09:00:00']);
    },
    touches: [(row, { fx }) => post(fx.later)(row), table('wp_term_relationships', 'wp_term_taxonomy')],
    writes: 'wp_edit',
  },
  {
    id: 12,
    name: 'an item of a custom type by title: read 2 fields, change 1',
    async run({ call }) {
      const found = await call('wp_find', { type: 'book', q: 'Book 60', fields: ['meta.isbn', 'meta.price'], limit: 1 });
      await call('wp_edit', { type: 'book', id: rows(found)[1][0], set: { meta: { price: 12.5 } } });
    },
    check({ sql, answers }) {
      const [{ ID }] = sql("SELECT ID FROM wp_posts WHERE post_type = 'book' AND post_title = 'Book 60'");
      const meta = name => sql('SELECT meta_value FROM wp_postmeta WHERE post_id = ? AND meta_key = ?', ID, name)[0].meta_value;
      assert.equal(Number(meta('price')), 12.5);
      assert.deepEqual(rows(answers[0])[1].slice(3), [meta('isbn'), '69.5']);
    },
    touches: [row => row.table === 'wp_postmeta' && row.meta_key === 'price', row => row.table === 'wp_posts' && row.post_title === 'Book 60'],
    writes: 'wp_edit',
  },
  {
    id: 13,
    name: 'drafts older than 30 days without a featured image',
    run: ({ call }) => call('wp_find', { status: 'draft', before: new Date(Date.now() - 30 * 86_400_000).toISOString().slice(0, 10), fields: ['featured'], limit: 100 }),
    check({ sql, answers, fx }) {
      const wanted = sql("SELECT ID FROM wp_posts p WHERE post_type = 'post' AND post_status = 'draft' AND post_date < datetime('now', '-30 days') AND NOT EXISTS (SELECT 1 FROM wp_postmeta m WHERE m.post_id = p.ID AND meta_key = '_thumbnail_id')").map(row => row.ID).sort();
      assert.deepEqual(wanted, fx.oldDrafts.toSorted());
      assert.deepEqual(rows(answers[0]).slice(1).filter(row => row[3] === '0').map(row => Number(row[0])).sort(), wanted);
    },
  },
  {
    id: 14,
    name: 'add a tag to 20 posts',
    async run({ call, fx }) {
      const args = { ids: fx.tagged, set: { terms_add: { tag: ['alpha'] } } };
      const [, code] = /confirm_code "(\w+)"/.exec(await call('wp_bulk', args));
      await call('wp_bulk', { ...args, confirm_code: code });
    },
    check({ sql, fx }) {
      assert.equal(fx.tagged.length, 20);
      for (const id of fx.tagged) assert.ok(termsOf(sql, id, 'post_tag').includes('alpha'), `${id}`);
    },
    touches: [(row, { fx }) => anyOf(fx.tagged)(row), table('wp_term_taxonomy', 'wp_term_relationships')],
    writes: 'wp_bulk',
  },
  {
    id: 15,
    name: 'trash 3 posts and bring one back',
    async run({ call, fx }) {
      await call('wp_delete', { ids: fx.trash.map(String) });
      await call('wp_edit', { id: String(fx.trash[1]), set: { status: 'publish' } });
    },
    check({ sql, fx }) {
      assert.deepEqual(fx.trash.map(id => content(sql, id).post_status), ['trash', 'publish', 'trash']);
    },
    touches: [(row, { fx }) => anyOf(fx.trash)(row), row => row.table === 'wp_postmeta' && /^_wp_(trash_meta|desired)/.test(row.meta_key), table('wp_term_taxonomy')],
    writes: 'wp_delete',
  },
  {
    id: 16,
    name: "undo the last change of another's post: refused without the right, done with it",
    async prepare(context) {
      await context.uncounted('wp_edit', { id: String(context.fx.long), edits: [{ find: SENTENCE, replace: 'Gone.' }] });
      ({ token: context.draftToken } = await context.addToken('--rights', 'read,draft'));
    },
    async run({ call, draftToken }) {
      const undo = rows(await call('wp_history', { limit: 1 }))[1][0];
      await call('wp_edit', { undo }, { token: draftToken, fails: true });
      await call('wp_edit', { undo });
    },
    check: ({ sql, fx }) => assert.equal(content(sql, fx.long).post_content, fx.raw),
    touches: [(row, { fx }) => post(fx.long)(row)],
    writes: 'wp_edit',
  },
  {
    id: 17,
    name: 'approve 5 comments, mark 2 spam, reply to 1',
    async run({ call, fx }) {
      for (const [i, id] of fx.comments.entries()) await call('wp_edit', { type: 'comment', id: String(id), set: { status: i < 5 ? 'approved' : 'spam' } });
      await call('wp_create', { type: 'comment', content: 'Thank you!', set: { post: fx.long, parent: fx.comments[0] } });
    },
    check({ sql, fx, answers }) {
      const state = id => sql('SELECT comment_approved a, comment_parent p, comment_content c FROM wp_comments WHERE comment_ID = ?', id)[0];
      assert.deepEqual(fx.comments.map(id => String(state(id).a)), ['1', '1', '1', '1', '1', 'spam', 'spam']);
      const reply = state(idOf(answers[7]));
      assert.deepEqual([String(reply.a), Number(reply.p), reply.c], ['1', fx.comments[0], 'Thank you!']);
    },
    touches: [table('wp_comments', 'wp_commentmeta'), (row, { fx }) => post(fx.long)(row)],
    writes: 'wp_edit',
  },
  {
    id: 18,
    name: 'add a page to the main menu',
    run: ({ call, fx }) => call('wp_create', { type: 'menu_item', set: { menus: 'Main', object_id: fx.page } }),
    check({ sql, answers, fx }) {
      const id = made({ answers });
      const meta = Object.fromEntries(sql('SELECT meta_key, meta_value FROM wp_postmeta WHERE post_id = ?', id).map(row => [row.meta_key, row.meta_value]));
      assert.deepEqual([meta._menu_item_type, meta._menu_item_object, Number(meta._menu_item_object_id)], ['post_type', 'page', fx.page]);
      assert.deepEqual(termsOf(sql, id, 'nav_menu'), ['Main']);
      const last = sql("SELECT p.ID FROM wp_posts p JOIN wp_term_relationships r ON r.object_id = p.ID JOIN wp_term_taxonomy x ON x.term_taxonomy_id = r.term_taxonomy_id WHERE p.post_type = 'nav_menu_item' AND x.term_id = ? ORDER BY menu_order DESC, p.ID DESC LIMIT 1", fx.menu)[0].ID;
      assert.equal(last, id, 'it comes last');
    },
    touches: [(row, context) => post(made(context))(row), (row, context) => row.table === 'wp_postmeta' && Number(row.post_id) === made(context), table('wp_term_relationships', 'wp_term_taxonomy')],
    writes: 'wp_create',
  },
  {
    id: 19,
    name: 'read and set the time zone and the front page',
    async run({ call, fx }) {
      await call('wp_find', { type: 'settings' });
      await call('wp_edit', { type: 'settings', set: { timezone: 'America/Sao_Paulo', show_on_front: 'page', page_on_front: fx.page } });
    },
    check({ sql, fx, answers }) {
      const option = name => sql('SELECT option_value v FROM wp_options WHERE option_name = ?', name)[0].v;
      assert.deepEqual([option('timezone_string'), option('show_on_front'), Number(option('page_on_front'))], ['America/Sao_Paulo', 'page', fx.page]);
      assert.match(answers[0], /timezone\tEurope\/Berlin/);
    },
    touches: [row => row.table === 'wp_options' && /^(timezone_string|show_on_front|page_on_front)$/.test(row.option_name)],
    writes: 'wp_edit',
  },
  {
    id: 20,
    name: "a plugin's route never seen before",
    async run({ call }) {
      const found = await call('wp_discover', { q: 'create helpdesk ticket', limit: 3 });
      assert.match(found, /POST \/helpdesk\/v1\/tickets /);
      await call('wp_call', { name: 'POST /helpdesk/v1/tickets', args: { title: 'Printer on fire', status: 'publish' }, fields: ['id'] });
    },
    check: ({ sql }) => assert.equal(sql("SELECT count(*) n FROM wp_posts WHERE post_type = 'ticket' AND post_title = 'Printer on fire' AND post_status = 'publish'")[0].n, 1),
    touches: [row => row.table === 'wp_posts' && row.post_title === 'Printer on fire'],
    writes: 'wp_call',
  },
];
