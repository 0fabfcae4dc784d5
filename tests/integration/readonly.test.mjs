// Read-only really is: generated calls with a read token leave the WordPress database as it was. Judged there, not by
// HTTP verbs: WordPress turns a GET with _method=DELETE, or with another rest_route, into a write. PORTEIRO_TEST_CALLS: how many,
// half of them on each WordPress (./dev soak: 10,000).
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { changes, generator } from './lib/changes.mjs';
import { legacy } from './lib/mcp.mjs';
import './lib/fixtures.mjs';
import { Porteiro } from './lib/porteiro.mjs';
import { dump, rest, startWordPress } from './lib/wordpress.mjs';

const AT_ONCE = 4;
const CALLS = 2 * AT_ONCE * Math.ceil(Number(process.env.PORTEIRO_TEST_CALLS ?? 2000) / (2 * AT_ONCE)); // as many for each

const OVERRIDES = { _method: ['DELETE', 'POST', 'PUT', 'delete'], rest_route: ['/wp/v2/posts/1', '/wp/v2/users/1/application-passwords'], _envelope: ['1'], _jsonp: ['x'], 'X-HTTP-Method-Override': ['DELETE'], force: ['true'], title: ['gone'], status: ['trash', 'publish'], reassign: ['1'], name: ['evil'], password: ['x'], context: ['edit'] };

function* calls(seed, ids) {
  const { next, pick } = generator(seed);
  const types = ['post', 'page', 'book', 'media', 'comment', 'user', 'category', 'tag', 'genre', 'block', 'template', 'menu', 'plugin', 'theme', 'ticket', 'ledger', 'settings', 'post?_method=DELETE', 'posts/1', '../posts', 'wp/v2/posts', 'users/1/application-passwords', '%2e%2e/posts'];
  const suffixes = ['', '', '', '?_method=DELETE', '&_method=DELETE', '?force=true&_method=DELETE', '/../../users/1', '%3F_method=DELETE', '%2F..%2F', '#', '\0', '/autosaves', '/application-passwords', '?rest_route=/wp/v2/posts/1', '\r\nX-HTTP-Method-Override: DELETE', ';', ' ', '/revisions'];
  const overrides = () => {
    const filter = {};
    for (let i = next(3); i >= 0; i--) {
      const name = pick(Object.keys(OVERRIDES));
      filter[pick([name, name, name.toUpperCase(), `${name}[]`, `${name}[0]`, ` ${name}`, encodeURIComponent(`${name}=x&${name}`)])] = pick(OVERRIDES[name]);
    }
    return filter;
  };
  const generators = [
    () => ({ name: 'wp_find', arguments: { type: pick(types), filter: overrides(), limit: 1 + next(5) } }),
    () => ({ name: 'wp_find', arguments: { type: pick(['post', 'page', 'book']), q: pick(['a', '&_method=DELETE', '?rest_route=/wp/v2/posts/1', '%26_method%3DDELETE', 'x#y']), order: pick(['date', '-date', 'title&_method=DELETE', '_method']), status: pick(['publish', 'any', 'draft', 'trash', 'publish&_method=DELETE']) } }),
    () => ({ name: 'wp_find', arguments: { type: pick(['post', 'book']), terms: pick([{ category: ['Category 3'] }, { category: ['No such & _method=DELETE'] }, { _method: ['DELETE'] }, { 'category&_method': ['DELETE'] }]), author: pick(['writer5', '1&_method=DELETE', 'admin']), fields: pick([['excerpt'], ['_method=DELETE'], ['terms', 'words'], ['meta.isbn']]), cursor: pick([undefined, 'x', '?_method=DELETE']), after: pick([undefined, '2026-01-01', '2026-01-01&_method=DELETE']) } }),
    () => ({ name: 'wp_read', arguments: { type: pick(types), id: `${pick(ids)}${pick(suffixes)}`, format: pick(['markdown', 'blocks', 'outline', 'html', 'none']), include: pick([[], ['meta'], ['revisions'], ['comments'], ['terms', 'links']]) } }),
    () => ({ name: 'wp_read', arguments: { type: 'post', id: pick(['page-2', 'page-2?_method=DELETE', 'slug&_method=DELETE', '/wp-json/wp/v2/posts/1', '?p=1&_method=DELETE', 'http://127.0.0.1/?rest_route=/wp/v2/posts/1&_method=DELETE']), revision: pick([undefined, 1, -1]) } }),
    () => ({ name: 'wp_site', arguments: pick([{}, { include: ['limits'] }, { include: ['?_method=DELETE'] }]) }),
    // What an honest client sends, so that the sites really are read.
    () => ({ name: 'wp_find', arguments: { type: pick(['post', 'page', 'book']), limit: 1 + next(5), order: pick(['date', '-date', 'title', '-modified']), fields: pick([['excerpt'], ['terms', 'words'], ['author', 'url']]) } }),
    () => ({ name: 'wp_read', arguments: { id: String(pick(ids)), format: pick(['markdown', 'blocks', 'outline', 'html', 'none']), include: pick([[], ['meta'], ['revisions'], ['comments'], ['terms']]) } }),
    () => ({ name: 'wp_site', arguments: {} }),
    // Writing tools under a read token, and tools that may come later.
    () => ({ name: pick(['wp_create', 'wp_edit', 'wp_delete', 'wp_upload', 'wp_bulk', 'wp_call']), arguments: { type: 'post', id: String(pick(ids)), ids: [pick(ids)], title: 'evil', content: 'evil', name: 'DELETE /wp/v2/posts/1', edits: [{ find: 'a', replace: 'b' }], set: { title: 'evil', status: 'trash' }, permanent: true } }),
    () => ({ name: 'wp_get', arguments: { name: pick(['GET /wp/v2/settings', 'DELETE /wp/v2/posts/1', 'POST /wp/v2/posts', 'GET /wp/v2/posts/1?_method=DELETE', 'core/get-site-info']), args: overrides() } }),
    () => ({ name: 'wp_discover', arguments: { q: pick(['widgets', '?_method=DELETE']) } }),
  ];
  for (;;) yield pick(generators)();
}

for (const wp of ['new', 'old']) {
  describe(`read-only on ${wp}`, { timeout: 1_200_000 }, () => {
    let site, porteiro, token;
    before(async () => {
      site = await startWordPress(wp); // its own, for nobody else may write here
      porteiro = await (await Porteiro.create()).serve();
      await porteiro.addUser();
      // As the administrator: WordPress would allow everything, so only the token's rights stand in the way.
      ({ token } = await porteiro.addConnection(site, { as: 'admin', rights: 'read' }));
    });
    after(() => Promise.all([site?.stop(), porteiro?.stop()]));

    test('the comparison sees a write', async () => {
      const before = dump(site);
      await rest(site, '/wp/v2/posts/1', { method: 'POST', body: { title: 'Seen' } });
      assert.ok(changes(before, dump(site)).length > 0);
    });

    test(`${CALLS / 2} calls change nothing`, async () => {
      const posts = await rest(site, '/wp/v2/posts?per_page=20&_fields=id');
      const list = calls(wp === 'new' ? 20260728 : 20251125, posts.map(item => item.id));
      const before = dump(site);
      let done = 0, answered = 0;
      await Promise.all(
        Array.from({ length: AT_ONCE }, async () => {
          for (let i = 0; i < CALLS / 2 / AT_ONCE; i++) {
            const params = list.next().value;
            const answer = await legacy(porteiro.url, token, 'tools/call', params);
            done++;
            assert.ok([200, 400, 403].includes(answer.status), `${answer.status} for ${JSON.stringify(params)}`);
            if (answer.json?.result && !answer.json.result.isError) answered++;
            if (params.name === 'wp_create' || params.name === 'wp_edit') assert.ok(!answer.json?.result || answer.json.result.isError, answer.text);
          }
        }),
      );
      assert.equal(done, CALLS / 2);
      assert.ok(answered > done / 10, `only ${answered} of ${done} calls read anything: the test would prove nothing`);
      assert.deepEqual(changes(before, dump(site)), []);
    });
  });
}
