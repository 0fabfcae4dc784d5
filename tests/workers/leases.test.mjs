// Two nodes of one worker on one PostgreSQL change one item: also while one of them waits for a file, longer than its call might last when it
// began, nobody's edit is lost.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { png, startSource } from '../integration/lib/files.mjs';
import { fixtures } from '../integration/lib/fixtures.mjs';
import { callTool } from '../integration/lib/mcp.mjs';
import { mustRun, sleep, waitFor } from '../integration/lib/process.mjs';
import { rest } from '../integration/lib/wordpress.mjs';
import { startWith } from './help.mjs';

const LATE_MS = 10_000, SECOND_MS = 8_000; // the first one's lease was until 7 s

describe('an edit that waits for a file', () => {
  const site = fixtures.sites.new;
  let nodes = [], token, post, source;
  before(async () => {
    source = await startSource({ '/slow.png': (request, response) => setTimeout(() => response.end(png()), LATE_MS) });
    const settings = ['workers = 1', 'access_log = off', 'request_timeout_s = 5'];
    const one = await startWith(settings, { database: fixtures.postgres.port });
    nodes.push(one);
    nodes.push(await startWith(settings, { database: fixtures.postgres.port, connection: false, env: { DATABASE_URL: one.database.url, PORTEIRO_SECRET_KEY_FILE: `${one.dir}/master.key` } }));
    ({ token } = await one.addToken(one.connection, '--rights', 'read,draft,publish,fetch'));
    post = await rest(site, '/wp/v2/posts', { user: 'editor', method: 'POST', body: { title: 'Held', content: '<!-- wp:paragraph -->\n<p>One two three.</p>\n<!-- /wp:paragraph -->', status: 'draft' } });
  });
  after(async () => {
    if (post) await rest(site, `/wp/v2/posts/${post.id}?force=true`, { method: 'DELETE' });
    await source?.stop();
    await Promise.all(nodes.map(node => node.stop()));
  });

  const edit = (node, find, replace, set) =>
    callTool(node.url, token, 'wp_edit', { id: String(post.id), edits: [{ find, replace }], ...(set && { set }) });
  const said = ({ isError, text }) => `${isError ? 'error' : 'ok'}: ${text}`;
  const now = async () => (await rest(site, `/wp/v2/posts/${post.id}?context=edit`, { user: 'editor' })).content.raw;

  test("keeps others off, or does not write over what they wrote", { timeout: 60_000 }, async () => {
    const first = edit(nodes[0], 'One', 'Uno', { featured_image: `${source.url}/slow.png` });
    await sleep(SECOND_MS);
    const second = edit(nodes[1], 'two', 'due');
    const results = [await first, await second].map(said), text = await now();
    results.forEach((result, i) => {
      if (result.startsWith('ok')) assert.match(text, [/Uno/, /due/][i], `${results} but: ${text}`);
      else assert.match(result, /Somebody else/);
    });
    assert.ok(results.some(result => result.startsWith('ok')), `${results}`);
  });

  test('gives way when its lease is not its own any more', { timeout: 60_000 }, async () => {
    const before_ = await now(), asked = source.requests.length;
    const late = edit(nodes[0], 'three', 'lost', { featured_image: `${source.url}/slow.png` });
    await waitFor('the file to be fetched', () => source.requests.length > asked);
    await mustRun('psql', ['-qX', '-v', 'ON_ERROR_STOP=1', nodes[0].database.url, '-c', 'DELETE FROM mcp_leases']); // taken and given back
    assert.match(said(await late), /^error: Somebody else has changed this item/);
    assert.equal(await now(), before_);
  });
});
