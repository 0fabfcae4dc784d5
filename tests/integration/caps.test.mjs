// No answer is longer than about 20,000 characters unless more was asked for, and what was cut says so and how to go on.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { fixtures } from './lib/fixtures.mjs';
import { callTool } from './lib/mcp.mjs';
import { Porteiro } from './lib/porteiro.mjs';
import { rest } from './lib/wordpress.mjs';

const CAP = 20_000 + 500; // and the line that says how to go on

describe('capped answers', () => {
  let porteiro, token, long;
  before(async () => {
    porteiro = await (await Porteiro.create()).serve();
    await porteiro.addUser();
    ({ token } = await porteiro.addConnection(fixtures.sites.new, { as: 'admin', rights: 'read,draft' }));
    const words = 'harbour garden river winter ledger copper signal market '.repeat(25);
    long = (await rest(fixtures.sites.new, '/wp/v2/posts', { method: 'POST', body: {
      title: 'Long', status: 'draft', excerpt: words.repeat(20),
      content: Array.from({ length: 80 }, () => `<!-- wp:paragraph -->\n<p>${words}</p>\n<!-- /wp:paragraph -->`).join('\n\n'),
    } })).id;
  });
  after(() => porteiro?.stop());

  for (const [name, args] of [
    ['wp_site', () => ({ include: ['all'] })],
    ['wp_find', () => ({ type: 'post', status: 'any', limit: 100, fields: ['content', 'excerpt'] })],
    ['wp_find', () => ({ type: 'comment', limit: 100 })], ['wp_find', () => ({ type: 'user', limit: 100 })],
    ['wp_read', () => ({ id: String(long) })], ['wp_read', () => ({ id: String(long), format: 'blocks' })],
    ['wp_read', () => ({ id: String(long), format: 'html' })], ['wp_read', () => ({ id: String(long), format: 'outline' })],
    ['wp_read', () => ({ id: String(long), format: 'none', include: ['excerpt', 'meta', 'comments', 'revisions'] })],
    ['wp_discover', () => ({ q: 'posts' })], ['wp_discover', () => ({ name: 'POST /wp/v2/posts' })],
    ['wp_get', () => ({ name: 'GET /wp/v2/posts', args: { per_page: 100 } })],
    ['wp_history', () => ({})],
  ]) {
    test(`${name} ${JSON.stringify(args()).replaceAll('"undefined"', 'LONG')}`, async () => {
      const { text } = await callTool(porteiro.url, token, name, args());
      assert.ok(text.length <= CAP, `${text.length} characters`);
      if (text.length > 15_000) assert.match(text.slice(-500), /cursor|part|more|cut|max_chars/i);
    });
  }

  test('the cursor of a cut list goes on behind the last row, and misses none', async () => {
    const seen = [];
    for (let cursor, pages = 0; pages < 40; pages++) {
      const { text } = await callTool(porteiro.url, token, 'wp_find', { type: 'post', status: 'any', limit: 100, fields: ['content'], ...(cursor && { cursor }) });
      seen.push(...[...text.matchAll(/^(\d+)\t/gm)].map(([, id]) => Number(id)));
      cursor = /next cursor: (\d+)/.exec(text)?.[1];
      if (!cursor) break;
    }
    const total = (await rest(fixtures.sites.new, '/wp/v2/posts?status=any&context=edit&per_page=100&_fields=id')).length;
    assert.equal(new Set(seen).size, seen.length, 'none twice');
    assert.ok(seen.length >= total, `${seen.length} of ${total}`);
  });
});
