// Prompts of the WordPress provider and the completion of their arguments with what a real site has.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { PAIRS } from './lib/fixtures.mjs';
import { MODERN, callTool, connectClient2, connectSdk1, legacy, modern } from './lib/mcp.mjs';
import { Porteiro } from './lib/porteiro.mjs';
import { rest } from './lib/wordpress.mjs';

const CLIENTS = [
  ['sdk 1.x', connectSdk1],
  ['client 2.x, pinned', (url, token) => connectClient2(url, token, { pin: MODERN })],
  ['client 2.x, legacy', (url, token) => connectClient2(url, token, 'legacy')],
];
const textOf = ({ messages }) => messages.map(({ content }) => content.text ?? content.resource.text).join('\n');

for (const pair of PAIRS) {
  describe(`prompts: ${pair.name}`, () => {
    const { site } = pair;
    let porteiro, token, reader, subscriber, page, post, draft, made;
    before(async () => {
      porteiro = await (await Porteiro.create(pair)).serve();
      await porteiro.addUser();
      const connection = await porteiro.addConnection(site, { rights: 'read,draft,publish' });
      ({ token } = connection);
      ({ token: reader } = await porteiro.addToken(connection.id, '--rights', 'read'));
      ({ token: subscriber } = await porteiro.addConnection(site, { as: 'subscriber', name: 'subscriber', rights: 'read,draft' }));
      [page] = await rest(site, '/wp/v2/pages?per_page=1&context=edit');
      [post] = await rest(site, '/wp/v2/posts?per_page=1&status=publish&context=edit');
      draft = await rest(site, '/wp/v2/pages', { method: 'POST', body: { title: 'Sketch of a page', content: 'Only a sketch.', status: 'draft' } });
      made = await rest(site, '/wp/v2/tags', { method: 'POST', body: { name: 'R&D "quoted"' } });
    });
    after(async () => {
      if (draft) await rest(site, `/wp/v2/pages/${draft.id}?force=true`, { method: 'DELETE' });
      if (made) await rest(site, `/wp/v2/tags/${made.id}?force=true`, { method: 'DELETE' });
      await porteiro?.stop();
    });

    for (const [name, connect] of CLIENTS) {
      describe(name, () => {
        let client;
        const complete = async (prompt, argument, value) =>
          (await client.complete({ ref: { type: 'ref/prompt', name: prompt }, argument: { name: argument, value } })).completion;
        before(async () => {
          client = await connect(porteiro.url, token);
        });
        after(() => client?.close());

        test('the list', async () => {
          const { prompts } = await client.listPrompts();
          assert.deepEqual(prompts.map(prompt => prompt.name), ['write_article', 'edit_page', 'weekly_report', 'moderate_comments', 'seo_check']);
          for (const prompt of prompts) {
            assert.ok(prompt.title && prompt.description);
            for (const argument of prompt.arguments) assert.ok(argument.description, `${prompt.name} ${argument.name}`);
          }
        });

        test('write an article', async () => {
          const text = textOf(await client.getPrompt({ name: 'write_article', arguments: { topic: 'Bees & "hives"', category: 'News', tags: 'a, b' } }));
          for (const word of ['Topic: Bees & "hives"', 'Category: News', 'Tags: a, b', 'status=draft', 'wp_create']) assert.ok(text.includes(word), `${word} in ${text}`);
          assert.ok(!text.includes('Wishes'));
        });

        test('edit a page: the page is in it, apart from the job, with the version to edit', async () => {
          for (const page_ of [page.slug, String(page.id), page.link]) {
            const { messages } = await client.getPrompt({ name: 'edit_page', arguments: { page: page_, change: 'the opening hours' } });
            assert.equal(messages.length, 2);
            assert.equal(messages[0].content.type, 'resource');
            assert.equal(messages[0].content.resource.uri, `wp://pages/${page.id}`);
            const version = /version (\w+)/.exec(messages[0].content.resource.text)[1];
            assert.ok(messages[1].content.text.includes(`if_version="${version}"`));
            assert.ok(messages[1].content.text.includes('the opening hours'));
          }
        });

        test('weekly report: from the right day, by the author', async () => {
          const day = days => new Date(Date.now() - days * 86400_000).toISOString().slice(0, 10);
          assert.ok(textOf(await client.getPrompt({ name: 'weekly_report', arguments: {} })).includes(`after=${day(7)}`));
          const text = textOf(await client.getPrompt({ name: 'weekly_report', arguments: { days: '30', author: 'Writer 1' } }));
          assert.ok(text.includes(`after=${day(30)}, author="Writer 1"`), text);
        });

        test('moderate comments, SEO check', async () => {
          assert.match(textOf(await client.getPrompt({ name: 'moderate_comments', arguments: { rules: 'be kind' } })), /type=comment, status=hold[^]*wait for a yes/);
          const { messages } = await client.getPrompt({ name: 'seo_check', arguments: { item: post.slug, keyword: 'bees' } });
          assert.equal(messages[0].content.resource.uri, `wp://posts/${post.id}`);
          assert.ok(messages[1].content.text.includes('Keyword: bees'));
          const other = await client.getPrompt({ name: 'seo_check', arguments: { item: page.slug } });
          assert.equal(other.messages[0].content.resource.uri, `wp://pages/${page.id}`);
        });

        test('categories, tags, authors and slugs are those of the site', async () => {
          // (the oldest: other test files make some meanwhile)
          const categories = await rest(site, '/wp/v2/categories?per_page=20&orderby=id&_fields=name');
          const all = await complete('write_article', 'category', '');
          assert.ok(all.total >= categories.length && all.total === all.values.length, `${all.total}`);
          for (const { name } of categories) assert.ok(all.values.includes(name.replaceAll('&amp;', '&')), `${name} in ${all.values}`);
          const tags = (await complete('write_article', 'tags', 'tag 1')).values;
          assert.ok(tags.length >= 10 && tags.every(tag => tag.startsWith('tag 1')), tags.join());
          assert.ok((await complete('write_article', 'tags', 'tag 1,tag 2')).values.includes('tag 1, tag 22'));
          assert.ok((await complete('write_article', 'tags', 'R&D')).values.includes('R&D "quoted"'), 'as people write it');
          assert.ok((await complete('weekly_report', 'author', 'Writer 1')).values.includes('Writer 1'));
          assert.ok((await complete('edit_page', 'page', page.slug)).values.includes(page.slug));
          assert.ok((await complete('edit_page', 'page', 'Sketch')).values.includes(String(draft.id)), 'a draft without a slug by its id');
          assert.ok((await complete('seo_check', 'item', post.slug)).values.includes(post.slug));
          assert.deepEqual((await complete('weekly_report', 'days', '1')).values, ['14']);
          assert.deepEqual((await complete('moderate_comments', 'status', 'h')).values, ['hold']);
          assert.deepEqual((await complete('write_article', 'topic', 'x')).values, []);
          assert.deepEqual((await complete('write_article', 'category', 'no such thing at all')).values, []);
        });

        test('never more than 100 values, and how many there are', async () => {
          const total = (await rest(site, '/wp/v2/posts?status=any&per_page=100&page=1&_fields=id', { user: 'editor' })).length;
          const { values, total: said, hasMore } = await complete('seo_check', 'item', '');
          assert.equal(values.length, 100);
          assert.ok(said > total, `${said} posts and pages`);
          assert.equal(hasMore, true);
        });

        test('what is wrong is refused as the protocol wants it', async () => {
          const get = (name_, args) => client.getPrompt({ name: name_, arguments: args });
          const bad = error => error.code === -32602;
          await assert.rejects(get('no_such_prompt', {}), bad);
          await assert.rejects(get('write_article', {}), bad);
          await assert.rejects(get('edit_page', { page: 'no-such-page-anywhere', change: 'x' }), bad);
          await assert.rejects(get('edit_page', { page: '../users', change: 'x' }), bad);
          await assert.rejects(get('edit_page', { page: 'http://elsewhere.example/about/', change: 'x' }), bad);
          await assert.rejects(get('weekly_report', { days: '0' }), bad);
          await assert.rejects(get('weekly_report', { days: '7; DROP' }), bad);
          await assert.rejects(get('moderate_comments', { status: 'all","x":"' }), bad);
          await assert.rejects(complete('write_article', 'no_such_argument', ''), bad);
        });
      });
    }

    test('the calls that the prompts name do their work: comments, the report', async t => {
      const [{ id: on }] = await rest(site, '/wp/v2/posts?per_page=1&status=publish');
      const comment = await rest(site, '/wp/v2/comments', { method: 'POST', body: { post: on, content: 'Held <b>back</b>.', status: 'hold', author_name: 'Zed', author_email: 'z@example.test', author_url: 'https://z.example' } });
      t.after(() => rest(site, `/wp/v2/comments/${comment.id}?force=true`, { method: 'DELETE' }));
      const works = async (name, args) => {
        const { isError, text } = await callTool(porteiro.url, token, name, args);
        assert.ok(!isError, text);
        return text;
      };
      const held = await works('wp_find', { type: 'comment', status: 'hold', fields: ['author_url'], limit: 50 });
      assert.match(held, new RegExp(`^${comment.id}\t.*\tHeld back\\.\thttps://z\\.example$`, 'm'));
      await works('wp_edit', { type: 'comment', id: String(comment.id), set: { status: 'approved' } });
      assert.equal((await rest(site, `/wp/v2/comments/${comment.id}?context=edit`)).status, 'approved');
      assert.match(await works('wp_find', { type: 'comment', after: '2026-01-01', limit: 100 }), /Held back/);
      await works('wp_find', { type: 'post', after: '2020-01-01', fields: ['author', 'terms', 'words', 'url'], limit: 100, author: 'Writer 1' });
      await works('wp_find', { status: 'draft,pending,future', order: '-modified', fields: ['author', 'modified', 'words'], limit: 50 });
    });

    test('a token that may only read has only the prompts it could carry out', async () => {
      const { json } = await modern(porteiro.url, reader, 'prompts/list');
      assert.deepEqual(json.result.prompts.map(prompt => prompt.name), ['weekly_report', 'seo_check']);
      for (const call of [modern, legacy]) {
        const refused = await call(porteiro.url, reader, 'prompts/get', { name: 'edit_page', arguments: { page: page.slug, change: 'x' } });
        assert.equal(refused.json.error.code, -32602);
        const hidden = await call(porteiro.url, reader, 'completion/complete', { ref: { type: 'ref/prompt', name: 'write_article' }, argument: { name: 'tags', value: '' } });
        assert.equal(hidden.json.error.code, -32602);
      }
    });

    test('drafts are not offered, nor put into a prompt, for those who may not see them', async () => {
      const { json } = await modern(porteiro.url, subscriber, 'completion/complete', { ref: { type: 'ref/prompt', name: 'edit_page' }, argument: { name: 'page', value: 'Sketch' } });
      assert.deepEqual(json.result.completion.values, []);
      const { json: got, text } = await modern(porteiro.url, subscriber, 'prompts/get', { name: 'edit_page', arguments: { page: String(draft.id), change: 'x' } });
      assert.ok(got.error, text);
      assert.ok(!text.includes('Only a sketch'), text);
    });
  });
}
