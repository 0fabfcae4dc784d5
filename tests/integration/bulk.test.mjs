// The same change to many items: previewed, confirmed, done in the background, taken back as one; and not lost, nor done twice,
// when the process that does it is killed. Judged by WordPress's own database.
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { workersOf } from '../workers/help.mjs';
import { startFakeSite } from './lib/fake-site.mjs';
import { PAIRS } from './lib/fixtures.mjs';
import { callTool } from './lib/mcp.mjs';
import { Porteiro } from './lib/porteiro.mjs';
import { query } from './lib/postgres.mjs';
import { sleep, waitFor } from './lib/process.mjs';
import { openSqlite } from './lib/sqlite.mjs';
import { differences } from './lib/undone.mjs';
import { dump, rest, startWordPress } from './lib/wordpress.mjs';

const KILLS = Number(process.env.PORTEIRO_TEST_KILLS ?? 4); // while it is done, and as many while it is taken back; 50 in ./dev soak
const ENV = { PORTEIRO_JOB_LEASE: '1', PORTEIRO_TOKEN_WRITES_PER_MINUTE: '0', PORTEIRO_TOKEN_CALLS_PER_MINUTE: '0' };
const PARAGRAPH = '<!-- wp:paragraph -->\n<p>One tide and no more.</p>\n<!-- /wp:paragraph -->';
const RIGHTS = 'read,draft,publish,delete';

const sql = (porteiro, text) =>
  porteiro.database ? query(porteiro.database.url, text) : openSqlite(path.join(porteiro.dir, 'porteiro.db'), { readOnly: true }).prepare(text).all();

for (const pair of PAIRS) {
  describe(`bulk: ${pair.name}`, { timeout: 200_000 + KILLS * 20_000 }, () => {
    let site, porteiro, token, connection;
    before(async () => {
      site = await startWordPress(pair.site.wp);
      porteiro = await (await Porteiro.create({ ...pair, env: ENV })).serve();
      await porteiro.addUser();
      connection = await porteiro.addConnection(site, { as: 'admin', rights: RIGHTS });
      ({ token } = connection);
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
    const codeOf = text => /confirm_code "(\w+)"/.exec(text)?.[1] ?? assert.fail(`no code in ${text}`);
    const undoOf = text => /undo (\d+)/.exec(text)?.[1] ?? assert.fail(`no undo in ${text}`);
    const make = async (count, extra = {}) => {
      const ids = [];
      for (let i = 0; i < count; i++) ids.push((await rest(site, '/wp/v2/posts', { method: 'POST', body: { title: `Many ${i}`, content: PARAGRAPH, status: 'publish', ...extra } })).id);
      return ids;
    };
    // Both calls: what the preview said, and what came of it.
    async function bulk(args) {
      const preview = await works('wp_bulk', args);
      return { preview, text: await works('wp_bulk', { ...args, confirm_code: codeOf(preview) }) };
    }

    test('a client that cannot follow jobs is told, after a while, that this one goes on, and how to ask for it', async () => {
      const slow = await startFakeSite(site);
      const impatient = await (await Porteiro.create({ env: { ...ENV, PORTEIRO_JOB_WAIT: '1' } })).serve();
      try {
        await impatient.addUser();
        const { token: as } = await impatient.addConnection(slow, { as: 'admin', rights: RIGHTS });
        const ids = await make(5);
        const ask = async args => {
          const { isError, text } = await callTool(impatient.url, as, 'wp_bulk', args);
          assert.ok(!isError, text);
          return text;
        };
        const args = { ids, set: { comment_status: 'closed' } };
        const preview = await ask(args);
        let held = [];
        slow.answer = (request, response, pass) => (request.method === 'POST' && held ? new Promise(resolve => held.push(() => resolve(pass()))) : pass());
        const text = await ask({ ...args, confirm_code: codeOf(preview) });
        const [, id] = /^Job (\S+) goes on in the background: 0 of 5 so far\. Call wp_bulk with job "\1"\.$/.exec(text) ?? assert.fail(text);
        assert.match(await ask({ job: id }), /is under way: 0 of 5 so far/);
        const waiting = held;
        held = null;
        for (const go of waiting) go();
        await waitFor('the end of the job', async () => /^5 of 5 changed, undo \d+$/.test(await ask({ job: id })), 20_000);
        for (const one of ids) assert.equal((await rest(site, `/wp/v2/posts/${one}?context=edit`)).comment_status, 'closed');
      } finally {
        await Promise.all([impatient.stop(), slow.stop()]);
      }
    });

    test('a preview with count and sample changes nothing; its code does it, once', async () => {
      const ids = await make(7), before = dump(site);
      const args = { ids, set: { terms_add: { tag: ['tag 5'] }, comment_status: 'closed' } };
      const preview = await works('wp_bulk', args);
      assert.deepEqual(differences(before, dump(site)), []);
      assert.match(preview, /Nothing was done yet/);
      assert.match(preview, /change 7 of type post/);
      assert.match(preview, new RegExp(`: ${ids[0]} "Many 0", ${ids[1]} "Many 1"`));
      assert.match(preview, /, \+2 \[/);
      const text = await works('wp_bulk', { ...args, confirm_code: codeOf(preview) });
      assert.match(text, /^7 of 7 changed, undo \d+$/);
      const parts = async () => (await sql(porteiro, "SELECT data FROM mcp_audit_logs WHERE action = 'job.item' ORDER BY id"))
        .map(({ data }) => (typeof data === 'string' ? JSON.parse(data) : data))
        .filter(data => String(data.part_of) === undoOf(text));
      await waitFor('an audit row for each', async () => (await parts()).length === 7);
      assert.deepEqual((await parts()).map(({ id, type, outcome }) => [id, type, outcome]), ids.map(id => [id, 'post', 'ok']));
      const [tag] = await rest(site, '/wp/v2/tags?slug=tag-5');
      for (const id of ids) {
        const post = await rest(site, `/wp/v2/posts/${id}?context=edit`);
        assert.ok(post.tags.includes(tag.id));
        assert.equal(post.comment_status, 'closed');
      }
      assert.match(await works('wp_bulk', { ...args, confirm_code: codeOf(preview) }), /not one for these arguments|Nothing was done yet/);
      await works('wp_edit', { undo: undoOf(text) });
      assert.deepEqual(differences(before, dump(site)), []);
    });

    test('by a query: the code is for exactly the items that were shown', async () => {
      const ids = await make(3, { slug: 'queried', categories: [9] });
      const args = { query: { q: 'Many', terms: { category: [9] } }, edits: [{ find: 'tide', replace: 'ebb' }] };
      const preview = await works('wp_bulk', args);
      assert.match(preview, /tide/, 'the lines of the first');
      const [late] = await make(1, { categories: [9] });
      const between = dump(site);
      const again = await works('wp_bulk', { ...args, confirm_code: codeOf(preview) });
      assert.match(again, /Nothing was done yet/);
      assert.deepEqual(differences(between, dump(site)), []);
      assert.match(await works('wp_bulk', { ...args, confirm_code: codeOf(again) }), /^4 of 4 changed/);
      for (const id of [...ids, late]) assert.match((await rest(site, `/wp/v2/posts/${id}?context=edit`)).content.raw, /One ebb/);
    });

    test('per item: what could not be done is named with its reason, the rest is done', async () => {
      const ids = await make(4);
      await rest(site, `/wp/v2/posts/${ids[1]}`, { method: 'POST', body: { content: PARAGRAPH.replace('tide', 'calm') } });
      const before = dump(site);
      const { text } = await bulk({ ids, edits: [{ find: 'tide', replace: 'ebb' }] });
      assert.match(text, /^3 of 4 changed, undo \d+\n/);
      assert.match(text, new RegExp(`^${ids[1]}: .*tide`, 'm'));
      const undone = await works('wp_edit', { undo: undoOf(text) });
      assert.match(undone, /^3 of 3 taken back, undo \d+$/);
      assert.deepEqual(differences(before, dump(site)), []);
      // The reversal of all is a change, and can be reversed.
      await works('wp_edit', { undo: undoOf(undone) });
      assert.match((await rest(site, `/wp/v2/posts/${ids[0]}?context=edit`)).content.raw, /One ebb/);
    });

    test('to the trash, and back; what moved on stays, and is said', async () => {
      const ids = await make(4), before = dump(site);
      const { preview, text } = await bulk({ ids, delete: true });
      assert.match(preview, /put into the trash 4 of type post/);
      assert.match(text, /^4 of 4 in the trash, undo \d+$/);
      for (const id of ids) assert.equal((await rest(site, `/wp/v2/posts/${id}?context=edit`)).status, 'trash');
      assert.match(await works('wp_edit', { undo: undoOf(text), dry_run: true }), /take back 4 changes/);
      assert.match(await works('wp_edit', { undo: undoOf(text) }), /^4 of 4 taken back/);
      assert.deepEqual(differences(before, dump(site)), []);
      const again = await bulk({ ids, set: { comment_status: 'closed' } });
      await rest(site, `/wp/v2/posts/${ids[2]}`, { method: 'POST', body: { title: 'By hand' } });
      const partly = await works('wp_edit', { undo: undoOf(again.text) });
      assert.match(partly, /^3 of 4 taken back/);
      assert.match(partly, /moved on/);
    });

    // A site made up, so that hundreds take seconds: each item gets a term that has to be made.
    test('taken back are all items, also when they have more parts than a list holds', { timeout: 300_000 }, async t => {
      const COUNT = 260, posts = new Map(Array.from({ length: COUNT }, (_, i) => [8_000_001 + i, { tags: [], saves: 0 }]));
      const fake = await startFakeSite(site);
      t.after(() => fake.stop());
      const { token: as } = await porteiro.addConnection(fake, { as: 'admin', name: 'hundreds', rights: RIGHTS });
      let terms = 0;
      const shown = id => ({ id, date: '2026-01-31T12:00:00', slug: `made-up-${id}`, status: 'publish', link: `${fake.url}/?p=${id}`, title: { raw: `Made up ${id}`, rendered: 'x' }, content: { raw: PARAGRAPH, rendered: PARAGRAPH }, tags: posts.get(id).tags });
      const answer = (response, value, total = 1) => response.writeHead(200, { 'Content-Type': 'application/json', 'X-WP-Total': String(total) }).end(JSON.stringify(value));
      fake.answer = (request, response, pass) => {
        const url = decodeURIComponent(request.url), [, id] = /wp\/v2\/posts\/(\d+)/.exec(url) ?? [];
        if (/wp\/v2\/tags/.test(url)) return request.method === 'POST' ? answer(response, { id: 900 + ++terms }) : request.method === 'GET' ? answer(response, [], 0) : pass();
        if (id && request.method === 'POST') Object.assign(posts.get(Number(id)), { tags: JSON.parse(fake.requests.at(-1).body).tags, saves: posts.get(Number(id)).saves + 1 });
        if (id) return answer(response, shown(Number(id)));
        if (!/wp\/v2\/posts/.test(url) || request.method !== 'GET') return pass();
        const wanted = [...url.matchAll(/include\[[^\]]*\]=(\d+)/g)].map(([, one]) => Number(one));
        const [, offset = 0] = /[?&]offset=(\d+)/.exec(url) ?? [], [, size = 10] = /per_page=(\d+)/.exec(url) ?? [];
        return answer(response, wanted.slice(Number(offset), Number(offset) + Number(size)).map(shown), wanted.length);
      };
      const ended = async text => {
        const [, job] = /Job (\S+) goes on/.exec(text) ?? [];
        for (; job && !/ of \d+ (changed|taken back)/.test(text); await sleep(300)) text = await works('wp_bulk', { job }, as);
        return text;
      };
      const args = { ids: [...posts.keys()], set: { terms_add: { tag: ['not there yet'] } } };
      const text = await ended(await works('wp_bulk', { ...args, confirm_code: codeOf(await works('wp_bulk', args, as)) }, as));
      assert.match(text, new RegExp(`^${COUNT} of ${COUNT} changed`));
      assert.equal(terms, COUNT, 'two parts for each');
      assert.match(await works('wp_edit', { undo: undoOf(text), dry_run: true }, as), new RegExp(`take back ${COUNT} changes`));
      assert.match(await ended(await works('wp_edit', { undo: undoOf(text) }, as)), new RegExp(`^${COUNT} of ${COUNT} taken back`));
      for (const [id, { tags, saves }] of posts) assert.deepEqual([tags, saves], [[], 2], `${id}`);
    });

    test('wp_history has it as one, and its parts', async () => {
      const ids = await make(3);
      const { text } = await bulk({ ids, set: { comment_status: 'closed' } });
      const number = undoOf(text), list = await works('wp_history', { limit: 3 });
      assert.match(list, new RegExp(`^${number}\\t.*bulk post "3 items": comment_status`, 'm'));
      assert.equal(list.split('\n').filter(line => /edit post/.test(line)).length, 0, 'not each of its parts');
      const parts = await works('wp_history', { diff: number });
      for (const id of ids) assert.match(parts, new RegExp(`edit post ${id} `));
      assert.match(await works('wp_history', { id: ids[0] }), /edit post/);
    });

    test('refused before anybody is asked', async () => {
      const [id] = await make(1), before = dump(site);
      const { token: drafts } = await porteiro.addToken(connection.id, '--rights', 'read,draft');
      for (const [args, words, as] of [
        [{ ids: [id] }, /What is to be done/],
        [{ set: { title: 'x' } }, /Which items/],
        [{ ids: [id], query: { q: 'x' }, set: { title: 'x' } }, /not both/],
        [{ ids: [id], set: { title: 'x' }, delete: true }, /not both/],
        [{ ids: [id, 999999], set: { title: 'x' } }, /no post 999999/],
        [{ ids: [id], set: { no_such_field: 'x' } }, /no_such_field/],
        [{ ids: [id], edits: [{ find: 'not there', replace: 'x' }] }, /not there/],
        [{ ids: [id], set: { title: 'x' } }, /publish/, drafts],
        [{ ids: [id], delete: true }, /delete/, drafts],
        [{ type: 'category', ids: [1], delete: true }, /delete|trash/],
        [{ query: { _method: 'DELETE' }, set: { title: 'x' } }, /./],
        [{ query: { filter: { _method: 'DELETE' } }, set: { title: 'x' } }, /_method/],
        [{ type: 'page', query: { filter: { categories: [1] } }, delete: true }, /categories/],
        [{ query: { parent: 1 }, delete: true }, /parent/],
        [{ type: 'page', query: { parent: '1' }, delete: true }, /query\.parent must be/],
        [{ type: 'page', query: { parent: 1.5 }, delete: true }, /query\.parent must be/],
        [{ query: { status: ['draft'] }, delete: true }, /query\.status must be/],
        [{ query: { author: 3 }, delete: true }, /query\.author must be/],
        [{ query: { filter: [{ sticky: true }] }, delete: true }, /query\.filter must be/],
        [{ query: { ids: [] }, delete: true }, /query\.ids is empty/],
        [{ query: { filter: {} }, delete: true }, /query\.filter is empty/],
        [{ query: { filter: { categories: [] } }, delete: true }, /no value for 'categories'/],
        [{ query: { terms: { category: [] } }, delete: true }, /no term of category/],
        [{ ids: Array.from({ length: 501 }, (_, i) => i + 1), set: { title: 'x' } }, /500/],
        [{ job: 'nonsense' }, /./],
      ]) {
        assert.match(await fails('wp_bulk', args, as), words);
      }
      assert.deepEqual(differences(before, dump(site)), []);
    });

    // The site behind a proxy that kills the working process at chosen points of a write: before the request reaches WordPress,
    // after WordPress has done it, with the answer, and when the item is read.
    test(`killed ${KILLS} times: each item is changed once, or said to be unknown`, async t => {
      const count = Math.ceil(KILLS * 1.25), ids = await make(count);
      const proxy = await startFakeSite(site);
      t.after(() => proxy.stop());
      const second = await porteiro.addConnection(site, { as: 'admin', name: 'proxied', url: proxy.url, rights: RIGHTS });
      const start = dump(site);
      const args = { ids, edits: [{ block: '1', op: 'after', content: 'Added.' }] };
      const preview = await works('wp_bulk', args, second.token);
      let writes = 0, reads = 0, kills = 0;
      const seen = []; // what the site was asked, for a failure's text
      const kill = () => {
        const pid = workersOf(porteiro)[1];
        if (pid) process.kill(pid, 'SIGKILL'), kills++;
      };
      const killing = async (request, response, pass) => {
        const isWrite = request.method === 'POST', point = isWrite ? writes++ : reads++;
        const phase = point % 4;
        seen.push(`${request.method} ${/\d+(?=\?)/.exec(request.url)?.[0] ?? request.url.slice(0, 40)} ${kills < KILLS && (isWrite || phase === 3) ? phase : '-'}`);
        if (kills >= KILLS || (!isWrite && phase !== 3)) return pass();
        if (isWrite && phase === 0) return kill(), response.destroy();
        if (isWrite && phase === 1) {
          const destroyed = { writeHead: () => ({ end: () => {} }) };
          await pass({ to: destroyed }).catch(() => {});
          return kill(), response.destroy();
        }
        await pass();
        if (isWrite && phase === 2) kill();
        if (!isWrite) kill();
      };
      const ended = async job => {
        let text = '';
        // A worker that dies again and again is started ever more slowly, and what it had taken on is left to it for a while.
        for (const end = Date.now() + 10_000 + KILLS * 12_000; ; await sleep(300)) {
          assert.ok(Date.now() < end, `not finished: ${text}`);
          ({ text } = await callTool(porteiro.url, second.token, 'wp_bulk', { job }).catch(() => ({ text: '' })));
          if (/ of \d+ (changed|taken back)/.test(text) || /failed|stopped/.test(text)) return text;
        }
      };
      proxy.answer = killing;
      await callTool(porteiro.url, second.token, 'wp_bulk', { ...args, confirm_code: codeOf(preview) }).catch(() => {});
      const [{ id: job }] = await sql(porteiro, 'SELECT id FROM mcp_jobs ORDER BY created_at DESC LIMIT 1');
      const text = await ended(job);
      proxy.answer = null;
      assert.ok(kills >= KILLS, `${kills} kills`);
      const [, done] = /^(\d+) of \d+ changed/.exec(text).map(Number);
      const unknown = [...text.matchAll(/^(\d+): not known/gm)].map(([, id]) => Number(id));
      assert.equal(done + unknown.length, count, text);
      for (const id of ids) {
        const added = (await rest(site, `/wp/v2/posts/${id}?context=edit`)).content.raw.split('Added.').length - 1;
        assert.ok(unknown.includes(id) ? added <= 1 : added === 1, `${id}: ${added} times, ${unknown.includes(id) ? 'unknown' : 'done'}; ${seen.join(', ')}`);
      }
      // The history is complete: each item once, and what is not known is marked.
      const number = undoOf(text);
      const parts = (await works('wp_history', { diff: number }, second.token)).split('\n').filter(line => /edit post/.test(line));
      assert.deepEqual(parts.map(line => Number(/edit post (\d+)/.exec(line)[1])).sort((a, b) => a - b), ids.toSorted((a, b) => a - b));
      for (const line of parts) assert.equal(unknown.includes(Number(/edit post (\d+)/.exec(line)[1])), /outcome unknown|under way/.test(line), line);
      console.log(`    ${kills} kills, ${count} items: ${done} done, ${unknown.length} unknown`);
      // A look changes nothing, also when its process is killed meanwhile.
      const changed = dump(site);
      proxy.answer = async (request, response, pass) => (proxy.answer = null, await pass(), kill());
      await callTool(porteiro.url, second.token, 'wp_edit', { undo: number, dry_run: true }).catch(() => {});
      proxy.answer = async (request, response, pass) => (proxy.answer = null, await pass(), kill());
      await callTool(porteiro.url, second.token, 'wp_edit', { id: String(ids[0]), edits: [{ find: 'Added.', replace: 'x' }], dry_run: true }).catch(() => {});
      proxy.answer = null;
      await waitFor('a worker', async () => (await callTool(porteiro.url, second.token, 'wp_find', { limit: 1 }).catch(() => ({ isError: true }))).isError !== true, 20_000);
      assert.deepEqual(differences(changed, dump(site)), []);
      // And all of it goes back, over as many killed processes: each is taken back, or said to be unknown.
      writes = reads = kills = 0;
      proxy.answer = killing;
      await callTool(porteiro.url, second.token, 'wp_edit', { undo: number }).catch(() => {});
      const [{ id: undoJob }] = await sql(porteiro, 'SELECT id FROM mcp_jobs ORDER BY created_at DESC LIMIT 1');
      const taken = await ended(undoJob);
      proxy.answer = null;
      assert.ok(undoJob !== job && kills >= KILLS, `${kills} kills`);
      const lost = [...taken.matchAll(/^change (\d+): not known/gm)].length;
      // What was cut off before it was written at all: the first part of this test said that it is not known.
      const never = [...taken.matchAll(/^change \d+: There is nothing to take back.* is as it was before/gm)].length;
      assert.ok(never <= unknown.length, taken);
      assert.equal(Number(/^(\d+) of \d+ taken back/.exec(taken)?.[1]) + lost + never, count, taken);
      const left = [];
      for (const id of ids) if ((await rest(site, `/wp/v2/posts/${id}?context=edit`)).content.raw !== PARAGRAPH) left.push(id);
      assert.ok(left.length <= lost, `${left}; ${taken}`);
      console.log(`    ${kills} kills while it was taken back: ${lost} unknown, ${left.length} of them still changed`);
      if (!left.length) assert.deepEqual(differences(start, dump(site)), []);
    });
  });
}
