// What no tool was made for: operations are found by words, read with wp_get and run with wp_call, on a real site; judged by
// what WordPress itself then says.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { changes, generator } from './lib/changes.mjs';
import { PAIRS } from './lib/fixtures.mjs';
import { callTool, legacy } from './lib/mcp.mjs';
import { Porteiro } from './lib/porteiro.mjs';
import { dump, rest, startWordPress } from './lib/wordpress.mjs';

const ALL = 'read,draft,publish,delete,fetch,admin';

for (const pair of PAIRS) {
  describe(`other operations: ${pair.name}`, () => {
    const { site } = pair;
    let porteiro, token, readToken, draftToken, editorToken;
    before(async () => {
      porteiro = await (await Porteiro.create(pair)).serve();
      await porteiro.addUser();
      const admin = await porteiro.addConnection(site, { as: 'admin', rights: ALL });
      ({ token } = admin);
      ({ token: readToken } = await porteiro.addToken(admin.id, '--rights', 'read'));
      ({ token: draftToken } = await porteiro.addToken(admin.id, '--rights', 'read,draft'));
      ({ token: editorToken } = await porteiro.addConnection(site, { as: 'editor', name: 'editor', rights: ALL }));
    });
    after(() => porteiro?.stop());

    async function works(name, args, as = token) {
      const { isError, text } = await callTool(porteiro.url, as, name, args);
      assert.ok(!isError, `${name} ${JSON.stringify(args)}: ${text}`);
      return text;
    }
    async function fails(name, args, as = token) {
      const { isError, text } = await callTool(porteiro.url, as, name, args).catch(error => {
        if (!error.rpc && error.status !== 403) throw error;
        return { isError: true, text: error.message };
      });
      assert.ok(isError, `${name} ${JSON.stringify(args)} should fail: ${text}`);
      return text;
    }

    describe('wp_discover', () => {
      test('finds routes of plugins from words', async () => {
        assert.match(await works('wp_discover', { q: 'echo' }), /^GET \/test\/v1\/echo \(msg\*\)\nPOST \/test\/v1\/echo \(msg\*\)/);
        assert.match(await works('wp_discover', { q: 'helpdesk' }), /^GET \/helpdesk\/v1\/tickets .*\nPOST \/helpdesk\/v1\/tickets .*title/);
        assert.match(await works('wp_discover', { q: 'delete a ticket' }), /^DELETE \/helpdesk\/v1\/tickets\/\{id\} \(force\)/);
        assert.match(await works('wp_discover', { q: 'msg' }), /\/test\/v1\/echo/, 'an argument');
      });

      test('eight hits cost little', async () => {
        for (const q of ['widgets', 'posts', 'menu item', 'users', 'templates']) {
          const text = await works('wp_discover', { q });
          assert.equal(text.split('\n').filter(line => !line.startsWith('+')).length, 8, text);
          assert.ok(text.length < 560, `${text.length} characters for ${q}: ${text}`);
        }
        assert.equal((await works('wp_discover', { q: 'posts', limit: 2 })).split('\n').length, 3);
      });

      test('one operation in full', async () => {
        const text = await works('wp_discover', { name: 'POST /wp/v2/widgets' });
        assert.match(text, /\nsidebar\* string .*: The sidebar the widget belongs to\./);
        assert.match(text, /\n {2}encoded string/);
        assert.doesNotMatch(text, /_method|context/);
        assert.match(await fails('wp_discover', { name: 'POST /no/such' }), /wp_discover/);
      });

      test('shows only what the token may do', async () => {
        for (const q of ['posts', 'widgets', 'settings', 'echo', '']) {
          const text = await works('wp_discover', { q, limit: 50 }, readToken);
          assert.doesNotMatch(text, /^(POST|PUT|PATCH|DELETE) /m, text);
        }
        assert.doesNotMatch(await works('wp_discover', { q: 'application passwords users', limit: 50 }), /application-passwords/);
        assert.match(await works('wp_discover', { q: 'posts', limit: 50 }, draftToken), /^POST \/wp\/v2\/posts /m);
        assert.doesNotMatch(await works('wp_discover', { q: 'posts', limit: 50 }, draftToken), /^DELETE /m);
        assert.doesNotMatch(await works('wp_discover', { q: 'settings', limit: 50 }, draftToken), /^POST \/wp\/v2\/settings/m);
        assert.match(await fails('wp_discover', { name: 'POST /wp/v2/settings' }, draftToken), /admin/);
      });
    });

    describe('wp_get', () => {
      test('settings, as WordPress has them, for those whom WordPress lets', async () => {
        const settings = await rest(site, '/wp/v2/settings');
        const text = await works('wp_get', { name: 'GET /wp/v2/settings' }, readToken);
        for (const name of ['title', 'timezone', 'posts_per_page']) assert.ok(text.includes(`${name}: ${settings[name]}`), text);
        assert.equal(await works('wp_get', { name: 'GET /wp/v2/settings', fields: ['timezone'] }), `timezone: ${settings.timezone}`);
        assert.match(await fails('wp_get', { name: 'GET /wp/v2/settings' }, editorToken), /does not allow/);
      });

      test('lists are rows', async () => {
        const [newest] = await rest(site, '/wp/v2/books?per_page=1');
        const text = await works('wp_get', { name: 'GET /wp/v2/books', args: { per_page: 1 }, fields: ['id', 'title', 'slug'] });
        assert.equal(text, `id\ttitle\tslug\n${newest.id}\t${newest.title.rendered}\t${newest.slug}\n1 of 60`);
        assert.match(await works('wp_get', { name: 'GET /wp/v2/statuses', fields: ['name', 'public'] }), /^key\tname\tpublic\npublish\tPublished\ttrue/);
      });

      test('the path is filled in', async () => {
        const [{ id, slug }] = await rest(site, '/wp/v2/books?per_page=1');
        assert.equal(await works('wp_get', { name: 'GET /wp/v2/books/{id}', args: { id }, fields: ['slug'] }), `slug: ${slug}`);
        assert.equal(await works('wp_get', { name: `GET /wp/v2/books/${id}`, fields: ['slug'] }), `slug: ${slug}`);
        const [template] = await rest(site, '/wp/v2/templates');
        assert.equal(await works('wp_get', { name: 'GET /wp/v2/templates/{id}', args: { id: template.id }, fields: ['id'] }), `id: ${template.id}`);
        await fails('wp_get', { name: 'GET /wp/v2/books/{id}', args: { id: `${id}/revisions` } });
        await fails('wp_get', { name: 'GET /wp/v2/books/{id}' });
      });

      test('an answer is cut where it was asked to be, and says so', async () => {
        const text = await works('wp_get', { name: 'GET /test/v1/bytes/{n}', args: { n: 5000 }, max_chars: 400 });
        assert.match(text, /\[cut: 400 of 5,0\d\d characters shown/);
        assert.ok(text.length < 500);
      });

      test('refuses what writes', async () => {
        assert.match(await fails('wp_get', { name: 'POST /test/v1/echo', args: { msg: 'x' } }), /wp_call/);
        await fails('wp_get', { name: 'GET /test/v1/echo', args: { msg: 'x', _method: 'DELETE' } });
        await fails('wp_get', { name: 'GET /test/v1/echo?_method=DELETE', args: { msg: 'x' } });
        assert.match(await works('wp_get', { name: 'GET /test/v1/echo', args: { msg: '&_method=DELETE' } }, readToken), /^method: GET\nmsg: &_method=DELETE/);
        await fails('wp_get', { name: 'GET /wp/v2/users/me/application-passwords' });
        await fails('wp_get', { name: 'GET /oembed/1.0/proxy', args: { url: 'https://example.com/' } }, readToken);
      });
    });

    describe('wp_call', () => {
      test('a route never seen before', async () => {
        assert.match(await works('wp_call', { name: 'POST /test/v1/echo', args: { msg: 'olá' } }), /^method: POST\nmsg: olá\n/);
        assert.match(await works('wp_call', { name: 'PUT /test/v1/echo', args: { msg: 'x' } }), /^method: PUT\n/);
        assert.match(await fails('wp_call', { name: 'POST /test/v1/echo', args: { message: 'x' } }), /It has: msg/);
        assert.match(await fails('wp_call', { name: 'POST /test/v1/echo', args: {} }), /msg/);
        assert.match(await fails('wp_call', { name: 'GET /test/v1/echo', args: { msg: 'x' } }), /wp_get/);
      });

      test('a dry run sends nothing', async () => {
        const before = await rest(site, '/wp/v2/settings');
        assert.match(await works('wp_call', { name: 'POST /wp/v2/settings', args: { title: 'Other' }, dry_run: true }), /POST \/wp\/v2\/settings\n\{"title":"Other"\}/);
        assert.deepEqual(await rest(site, '/wp/v2/settings'), before);
      });

      test('settings change with admin, and only with it', async () => {
        const { description } = await rest(site, '/wp/v2/settings');
        await works('wp_call', { name: 'POST /wp/v2/settings', args: { description: 'Changed here' }, fields: ['description'] });
        assert.equal((await rest(site, '/wp/v2/settings')).description, 'Changed here');
        await works('wp_call', { name: 'POST /wp/v2/settings', args: { description } });
        assert.match(await fails('wp_call', { name: 'POST /wp/v2/settings', args: { description: 'No' } }, draftToken), /admin/);
        assert.equal((await rest(site, '/wp/v2/settings')).description, description);
      });

      test('drafts with draft, what is public with publish', async () => {
        const id = Number(/^id: (\d+)/.exec(await works('wp_call', { name: 'POST /helpdesk/v1/tickets', args: { title: 'Help' } }, draftToken))[1]);
        const ticket = () => rest(site, `/helpdesk/v1/tickets/${id}?context=edit`);
        assert.equal((await ticket()).status, 'draft');
        await works('wp_call', { name: 'POST /helpdesk/v1/tickets/{id}', args: { id, title: 'Help!' } }, draftToken);
        assert.equal((await ticket()).title.raw, 'Help!');
        assert.match(await fails('wp_call', { name: 'POST /helpdesk/v1/tickets/{id}', args: { id, status: 'publish' } }, draftToken), /publish/);
        await works('wp_call', { name: `PATCH /helpdesk/v1/tickets/${id}`, args: { status: 'publish' } });
        assert.match(await fails('wp_call', { name: 'POST /helpdesk/v1/tickets/{id}', args: { id, title: 'No' } }, draftToken), /publish/);
        assert.match(await fails('wp_call', { name: `POST /helpdesk/v1/tickets/${id}`, args: { id: id + 1, title: 'No' } }), /path/);
        assert.equal((await ticket()).title.raw, 'Help!');
        assert.match(await fails('wp_call', { name: `DELETE /helpdesk/v1/tickets/${id}` }, draftToken), /delete/);
        await works('wp_call', { name: 'DELETE /helpdesk/v1/tickets/{id}', args: { id } });
        assert.equal((await ticket()).status, 'trash');
      });

      test('no credential, no role, no batch, whatever the rights', async () => {
        const before = [await rest(site, '/wp/v2/users?context=edit&per_page=100'), await rest(site, '/wp/v2/users/me/application-passwords')];
        const [{ id }] = await rest(site, '/wp/v2/users?search=subscriber');
        for (const [name, args] of [
          ['POST /wp/v2/users', { username: 'eve', email: 'eve@example.test', password: 'x', roles: ['administrator'] }],
          ['POST /wp/v2/users/{id}', { id, roles: ['administrator'] }],
          ['PUT /WP/v2/Users/{id}', { id, roles: ['editor'] }],
          ['POST /wp/v2/users/me', { password: 'x' }],
          ['PATCH /wp/v2/users/me', { email: 'eve@example.test' }],
          ['POST /wp/v2/users/me/application-passwords', { name: 'eve' }],
          ['POST /wp/v2/users/1/Application-Passwords', { name: 'eve' }],
          ['DELETE /wp/v2/users/me/application-passwords', {}],
          ['POST /batch/v1', { requests: [{ path: '/wp/v2/users/me', body: { password: 'x' } }] }],
          ['POST /wp/v2/settings', { title: 'x', users_can_register: true }],
        ]) {
          await fails('wp_call', { name, args });
          await fails('wp_call', { name, args, dry_run: true });
        }
        const withoutUse = list => list.map(({ last_used, last_ip, _links, ...rest }) => rest);
        const after = [await rest(site, '/wp/v2/users?context=edit&per_page=100'), await rest(site, '/wp/v2/users/me/application-passwords')];
        assert.deepEqual(after[0], before[0]);
        assert.deepEqual(withoutUse(after[1]), withoutUse(before[1]));
      });
    });

    describe('abilities', { skip: site.version.startsWith('6.1') && 'WordPress 6.9 and later have them' }, () => {
      test('are found, described and read', async () => {
        assert.match(await works('wp_discover', { q: 'environment info' }), /^core\/get-environment-info/);
        assert.match(await works('wp_discover', { name: 'core/get-site-info' }), /\nfields array of string/);
        assert.match(await works('wp_get', { name: 'core/get-environment-info' }, readToken), /^environment: local\nphp_version: 8/);
        assert.equal(await works('wp_get', { name: 'core/get-site-info', args: { fields: ['version'] } }), `version: ${site.version}`);
        assert.match(await fails('wp_get', { name: 'core/get-site-info', args: { nosuch: 1 } }), /It has: fields/);
        assert.match(await fails('wp_call', { name: 'core/get-site-info' }), /wp_get/);
        await fails('wp_get', { name: 'GET /wp-abilities/v1/abilities/core/get-site-info/run' });
      });
    });

    test('a read token lists and may call only the reading ones', async () => {
      const { json } = await legacy(porteiro.url, readToken, 'tools/list');
      const names = json.result.tools.map(tool => tool.name);
      assert.ok(names.includes('wp_discover') && names.includes('wp_get') && !names.includes('wp_call'), names.join());
      assert.match(await fails('wp_call', { name: 'POST /test/v1/echo', args: { msg: 'x' } }, readToken), /right/);
    });
  });
}

const CALLS = 500;
const AT_ONCE = 4;

// Every reading operation of the site, with arguments that fit and that do not, and names that try to be more than they are.
function* reads(seed, names, ids) {
  const { next, pick } = generator(seed);
  const tails = ['?_method=DELETE', '&_method=DELETE', '/', '/../users/1', '%3F_method=DELETE', '#', ' HTTP/1.1', '\r\nX-HTTP-Method-Override: DELETE', '?rest_route=/wp/v2/posts/1', '/application-passwords'];
  const overrides = { _method: 'DELETE', rest_route: '/wp/v2/posts/1', _envelope: '1', 'X-HTTP-Method-Override': 'DELETE', '_method[]': 'DELETE', context: 'edit', force: true, status: 'trash', title: 'gone', input: { _method: 'DELETE' }, password: 'x', _locale: 'user' };
  const words = ['core', 'paragraph', 'core/paragraph', 'nav_menu', 'twentytwentyfive', 'twentytwentyfive//home', 'page', 'classic', 'site', 'me', '../1', '1?_method=DELETE', '1/autosaves'];
  for (let i = 0; ; i++) {
    const name = i < names.length ? names[i] : pick(names);
    const args = {};
    for (const [, parameter] of name.matchAll(/\{(\w+)\}/g)) args[parameter] = /id$|^parent$/.test(parameter) && next(4) ? pick(ids) : pick(words);
    if (i >= names.length && next(4) === 0) {
      const key = pick(Object.keys(overrides));
      args[key] = overrides[key];
    }
    yield { name: i < names.length ? name : name + (next(2) ? '' : pick(tails)), args, ...(next(3) === 0 && { fields: [pick(['id', 'name', 'title', 'x.y'])] }) };
  }
}

for (const wp of ['new', 'old']) {
  describe(`wp_get reads only, on ${wp}`, { timeout: 600_000 }, () => {
    let site, porteiro, token;
    before(async () => {
      site = await startWordPress(wp); // its own, for nobody else may write here
      porteiro = await (await Porteiro.create()).serve();
      await porteiro.addUser();
      ({ token } = await porteiro.addConnection(site, { as: 'admin', rights: 'read' }));
    });
    after(() => Promise.all([site?.stop(), porteiro?.stop()]));

    test(`${CALLS} calls change nothing`, async () => {
      const index = await rest(site, '/');
      const names = Object.entries(index.routes)
        .filter(([path, route]) => route.methods.includes('GET') && !/\/(sleep|fatal|bytes)\b/.test(path))
        .map(([path]) => `GET ${path.replace(/\(\?P<(\w+)>(?:[^()]|\([^()]*(?:\([^()]*\)[^()]*)*\))*\)/g, '{$1}')}`);
      assert.ok(names.length > 60 && names.some(name => name.endsWith('/posts/{id}')), names.join('\n'));
      const ids = (await rest(site, '/wp/v2/posts?per_page=10&_fields=id')).map(item => item.id).concat(1, 2);
      const list = reads(wp === 'new' ? 7 : 11, names, ids);
      const before = dump(site);
      let answered = 0;
      await Promise.all(
        Array.from({ length: AT_ONCE }, async () => {
          for (let i = 0; i < CALLS / AT_ONCE; i++) {
            const params = { name: 'wp_get', arguments: list.next().value };
            const answer = await legacy(porteiro.url, token, 'tools/call', params);
            assert.ok([200, 400, 403].includes(answer.status), `${answer.status} for ${JSON.stringify(params)}`);
            if (answer.json?.result && !answer.json.result.isError) answered++;
          }
        }),
      );
      assert.ok(answered > CALLS / 10, `only ${answered} of ${CALLS} calls read anything: the test would prove nothing`);
      assert.deepEqual(changes(before, dump(site)), []);
    });
  });
}
