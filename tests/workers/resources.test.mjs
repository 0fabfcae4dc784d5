// What a tool wrote through one worker of one node is heard by listeners on every worker of both nodes within a second, and by
// nobody else.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { fixtures } from '../integration/lib/fixtures.mjs';
import { callTool } from '../integration/lib/mcp.mjs';
import { query } from '../integration/lib/postgres.mjs';
import { sleep, waitFor } from '../integration/lib/process.mjs';
import { rest } from '../integration/lib/wordpress.mjs';
import { countWorkers, listen, startWith } from './help.mjs';

const HEARD_MS = 1000;
const WORKERS = 4;

describe('a change of a resource, two nodes of two workers on one PostgreSQL', () => {
  const site = fixtures.sites.new;
  let nodes = [], token, other, post, streams, strangers;
  before(async () => {
    const one = await startWith(['workers = 2', 'access_log = off'], { database: fixtures.postgres.port });
    nodes.push(one);
    nodes.push(await startWith(['workers = 2', 'access_log = off'], {
      database: fixtures.postgres.port, connection: false,
      env: { DATABASE_URL: one.database.url, PORTEIRO_SECRET_KEY_FILE: `${one.dir}/master.key` },
    }));
    for (const node of nodes) await waitFor('two workers', () => countWorkers(node) === 2);
    ({ token } = await one.addToken(one.connection, '--rights', 'read,draft,publish,delete'));
    ({ token: other } = await one.addConnection(site, { name: 'another', as: 'author' }));
    post = await rest(site, '/wp/v2/posts', { user: 'editor', method: 'POST', body: { title: 'Watched', content: '<!-- wp:paragraph -->\n<p>One two.</p>\n<!-- /wp:paragraph -->', status: 'draft' } });
    const wishes = { resourcesListChanged: true, resourceSubscriptions: [`wp://posts/${post.id}`, 'wp://site'] };
    streams = [];
    strangers = nodes.map(node => listen(node, other, wishes));
    // Every worker has listeners, and itself listens at the database.
    await waitFor('all workers to listen', async () => {
      const added = nodes.map(node => listen(node, token, wishes));
      streams.push(...added);
      for (const stream of [...added, ...strangers]) assert.equal(await stream.begun, 200);
      await sleep(50);
      return (await query(one.database.url, "SELECT pid FROM pg_stat_activity WHERE query = 'LISTEN porteiro' AND datname = current_database()")).length === WORKERS;
    });
  });
  after(async () => {
    if (post) await rest(site, `/wp/v2/posts/${post.id}?force=true`, { method: 'DELETE' });
    const ends = await Promise.allSettled(nodes.map(node => node.stop()));
    for (const { reason } of ends) if (reason) throw reason;
  });

  const writes = [
    ['wp_edit of the text', () => ['wp_edit', { id: String(post.id), edits: [{ find: 'two', replace: 'three' }] }], ['updated']],
    ['wp_edit of the title', () => ['wp_edit', { id: String(post.id), set: { title: 'Watched on' } }], ['updated', 'list_changed']],
    ['wp_create', () => ['wp_create', { title: 'New one', content: 'x' }], ['list_changed']],
    ['wp_call', () => ['wp_call', { name: 'POST /wp/v2/posts/{id}', args: { id: post.id, excerpt: 'Short.' } }], ['updated', 'list_changed']],
  ];
  for (const [name, write, expected] of writes) {
    for (const from of [0, 1]) {
      test(`${name} through node ${from + 1}`, async t => {
        const seen = streams.map(stream => stream.messages.length);
        const [tool, args] = write();
        if (tool === 'wp_edit' && from === 1) {
          if (args.edits) args.edits = [{ find: 'three', replace: 'two' }];
          else args.set.title += ' and on';
        }
        const { isError, text } = await callTool(nodes[from].url, token, tool, args);
        const written = performance.now();
        assert.ok(!isError, text);
        if (tool === 'wp_create') t.after(() => rest(site, `/wp/v2/posts/${/\d+/.exec(text)[0]}?force=true`, { method: 'DELETE' }));
        const news = () => streams.map((stream, i) => stream.messages.slice(seen[i]));
        await waitFor('everybody to hear', () => news().every(messages => messages.length >= expected.length));
        await sleep(200);
        let slowest = -Infinity;
        for (const messages of news()) {
          assert.deepEqual(messages.map(({ method }) => method.split('/').at(-1)).sort(), expected.toSorted());
          for (const { method, params, at } of messages) {
            slowest = Math.max(slowest, at - written);
            assert.equal(params._meta['io.modelcontextprotocol/subscriptionId'], 7);
            if (method.endsWith('updated')) assert.equal(params.uri, `wp://posts/${post.id}`);
          }
        }
        console.log(`${name} through node ${from + 1}: the last of ${streams.length} listeners heard of it ${slowest.toFixed(1)} ms after the tool's answer`);
        assert.ok(slowest <= HEARD_MS, `after ${slowest} ms`);
        for (const { messages } of strangers) assert.equal(messages.length, 1, 'another connection hears nothing');
      });
    }
  }

  test('what was refused, or only tried, is not told', async () => {
    const seen = streams.map(stream => stream.messages.length);
    for (const args of [{ edits: [{ find: 'not there', replace: 'x' }] }, { if_version: '0000000000', set: { title: 'y' } }]) {
      assert.ok((await callTool(nodes[0].url, token, 'wp_edit', { id: String(post.id), ...args })).isError);
    }
    await callTool(nodes[0].url, token, 'wp_edit', { id: String(post.id), set: { title: 'z' }, dry_run: true });
    await sleep(500);
    assert.deepEqual(streams.map(stream => stream.messages.length), seen);
  });
});
