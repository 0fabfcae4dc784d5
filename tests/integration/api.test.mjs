// The REST API: what people do there, who may do what (made from the description of all routes, so that a new one cannot be
// forgotten), pages of others, and ten thousand generated requests.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Person, misfit } from './lib/api.mjs';
import { fixtures } from './lib/fixtures.mjs';
import { legacy } from './lib/mcp.mjs';
import { Porteiro } from './lib/porteiro.mjs';

const PASSWORD = 'correct horse battery staple';
const CANARY = 'canary-of-ana';

async function invited(porteiro, admin, { name, email, phone }) {
  const { link } = await admin.ok('POST', '/api/invitations', { email });
  const person = new Person(porteiro);
  await person.ok('POST', '/api/auth/register', { name, email, phone, password: PASSWORD, invitation: new URL(link).searchParams.get('token') });
  return person;
}

const connectionOf = (site, name = CANARY) => ({
  provider: 'wordpress', name, config: { url: site.url }, secrets: { username: 'editor', app_password: site.users.editor.app_password },
});

for (const database of ['sqlite', 'postgres']) {
  describe(`api (${database})`, () => {
    let porteiro, root, ana, bia, spec, connection;

    before(async () => {
      porteiro = await (await Porteiro.create({ database: database === 'sqlite' ? 'sqlite' : fixtures.postgres.port })).serve();
      const { link } = await porteiro.json(['setup-url']);
      root = new Person(porteiro);
      await root.ok('POST', '/api/auth/register', { name: 'Root', email: 'root@example.test', phone: '+1 415 555 2671', password: PASSWORD,
        invitation: new URL(link).searchParams.get('token') });
      ana = await invited(porteiro, root, { name: 'Ana', email: 'ana@example.test', phone: '+55 11 99999-0001' });
      bia = await invited(porteiro, root, { name: 'Bia', email: 'bia@example.test', phone: '+55 11 99999-0002' });
      spec = await root.ok('GET', '/api/openapi.json');
      connection = await ana.ok('POST', '/api/connections', connectionOf(fixtures.sites.new));
    });
    after(() => porteiro?.stop());

    test('the first administrator comes by the set-up address, once', async () => {
      assert.equal((await root.ok('GET', '/api/me')).admin, true);
      assert.equal((await ana.ok('GET', '/api/me')).admin, false);
      const { code, stderr } = await porteiro.cli(['setup-url', '--json']);
      assert.equal(code, 1);
      assert.match(stderr, /administrator already/);
    });

    test('the only administrator stays', async () => {
      const refused = await root.call('DELETE', '/api/me');
      assert.equal(refused.status, 409, refused.text);
      const { id } = await root.ok('GET', '/api/me');
      assert.deepEqual(refused.json, (await root.call('PATCH', `/api/users/${id}`, { admin: false })).json);
      const { code, stderr } = await porteiro.cli(['user', 'delete', 'root@example.test', '--json']);
      assert.equal(code, 1);
      assert.match(stderr, /only administrator/);
      assert.equal((await root.ok('GET', '/api/me')).admin, true);
    });

    test('nobody registers without an invitation, or twice with one', async () => {
      const stranger = new Person(porteiro);
      const person = { name: 'X', email: 'x@example.test', phone: '+5511999990009', password: PASSWORD };
      assert.equal((await stranger.call('POST', '/api/auth/register', person)).status, 403);
      const { link } = await root.ok('POST', '/api/invitations', { email: 'x@example.test' });
      const invitation = new URL(link).searchParams.get('token');
      assert.equal((await stranger.call('POST', '/api/auth/register', { ...person, email: 'y@example.test', invitation })).status, 403);
      await stranger.ok('POST', '/api/auth/register', { ...person, invitation });
      assert.equal((await stranger.call('POST', '/api/auth/register', { ...person, email: 'z@example.test', phone: '+5511999990010', invitation }, { headers: {} })).status, 403);
    });

    test('log in by e-mail or phone, see where, log out', async () => {
      const laptop = new Person(porteiro), phone = new Person(porteiro);
      await laptop.login('BIA@example.test', PASSWORD);
      await phone.login('+55 (11) 99999-0002', PASSWORD);
      assert.ok((await laptop.ok('GET', '/api/me/sessions')).items.length >= 3);
      assert.equal((await laptop.ok('GET', '/api/me/sessions')).items.filter(item => item.current).length, 1);
      await phone.ok('POST', '/api/auth/logout');
      assert.equal((await phone.call('GET', '/api/me')).status, 401);
      const wrong = await new Person(porteiro).call('POST', '/api/auth/login', { emailOrPhone: 'bia@example.test', password: 'not this one' });
      const unknown = await new Person(porteiro).call('POST', '/api/auth/login', { emailOrPhone: 'no@example.test', password: 'not this one' });
      assert.equal(wrong.status, 401);
      assert.deepEqual(unknown.json, wrong.json);
    });

    test('a connection: proved before it is kept, tested, renamed, its token works and ends', async () => {
      const refused = await ana.call('POST', '/api/connections', { ...connectionOf(fixtures.sites.new, 'wrong'), secrets: { username: 'editor', app_password: 'aaaa bbbb cccc dddd' } });
      assert.equal(refused.status, 422);
      assert.match(refused.json.error.code, /^[a-z_]+$/);
      assert.equal((await ana.ok('GET', '/api/connections')).items.length, 1);
      assert.equal((await ana.call('POST', '/api/connections', { ...connectionOf(fixtures.sites.new, 'x'), config: { link: 'https://x.example' } })).status, 400);
      assert.equal((await ana.ok('POST', `/api/connections/${connection.id}/test`)).ok, true);
      await ana.ok('PATCH', `/api/connections/${connection.id}`, { name: `${CANARY} 2` });
      const shown = await ana.ok('GET', `/api/connections/${connection.id}`);
      assert.equal(shown.name, `${CANARY} 2`);
      assert.ok(!JSON.stringify(shown).includes(fixtures.sites.new.users.editor.app_password));
      const works = async token => (await legacy(porteiro.url, token, 'tools/list')).status === 200;
      const { token, id } = await ana.ok('POST', `/api/connections/${connection.id}/tokens`, { name: 'laptop', rights: 'read' });
      assert.equal(await works(token), true);
      await ana.ok('POST', '/api/me/stop');
      const stopped = await legacy(porteiro.url, token, 'tools/list');
      assert.deepEqual([stopped.status, stopped.headers.get('www-authenticate')], [403, null]);
      assert.match(stopped.json.error.message, /stopped everything/);
      await ana.ok('POST', '/api/me/resume');
      assert.equal(await works(token), true);
      const { id: anasId } = await ana.ok('GET', '/api/me');
      await root.ok('PATCH', `/api/users/${anasId}`, { stopped: true });
      assert.equal((await ana.ok('GET', '/api/me')).stopped_by_admin, true);
      await ana.ok('POST', '/api/me/stop');
      const own = await ana.call('POST', '/api/me/resume');
      assert.equal(own.status, 403);
      assert.match(own.json.error.message, /Only an administrator/);
      assert.equal(await works(token), false);
      await root.ok('PATCH', `/api/users/${anasId}`, { stopped: false });
      assert.equal(await works(token), true);
      await ana.ok('POST', `/api/connections/${connection.id}/pause`);
      assert.equal(await works(token), false);
      await ana.ok('POST', `/api/connections/${connection.id}/resume`);
      await ana.ok('DELETE', `/api/tokens/${id}`);
      assert.equal(await works(token), false);
      const rotated = await ana.ok('POST', `/api/connections/${connection.id}/rotate-token`);
      assert.equal(await works(rotated.token), true);
      assert.equal(await works(connection.token), false);
    });

    test('many sites at once, each with its own result', async () => {
      const { items } = await bia.ok('POST', '/api/connections/import', { items: [
        connectionOf(fixtures.sites.new, 'new'), connectionOf(fixtures.sites.old, 'old'),
        { ...connectionOf(fixtures.sites.old, 'bad'), secrets: { username: 'editor', app_password: 'no' } },
      ] });
      assert.deepEqual(items.map(item => item.ok), [true, true, false]);
      assert.equal((await bia.ok('GET', '/api/connections')).items.length, 2);
    });

    test('a token over several sites, with options; what forms need of a provider', async () => {
      const [home, other] = (await bia.ok('GET', '/api/connections')).items.sort((a, b) => b.id - a.id);
      const made = await bia.ok('POST', `/api/connections/${home.id}/tokens`, { name: 'agency', rights: 'read,draft', options: 'research', sites: [{ connection_id: other.id, rights: 'read' }] });
      const token = (await bia.ok('GET', `/api/connections/${home.id}/tokens`)).items.find(item => item.id === made.id);
      assert.deepEqual(token.options, ['research']);
      assert.equal(token.sites.length, 2);
      assert.equal((await ana.call('POST', `/api/connections/${connection.id}/tokens`, { sites: [{ connection_id: other.id }] })).status, 404, 'of somebody else');
      assert.equal((await bia.call('POST', `/api/connections/${home.id}/tokens`, { options: 'magic' })).status, 400);
      const { items } = await bia.ok('GET', '/api/providers');
      const provider = items.find(({ key }) => key === 'wordpress');
      assert.equal(provider.authorize, true);
      assert.ok(provider.fields.every(field => field.label && field.label_pt && field.label !== field.label_pt));
    });

    test('what happened is in the audit, as a list and as files; usage counts it', async () => {
      const { items } = await ana.ok('GET', '/api/audit?action=connections.&limit=5');
      assert.ok(items.some(item => item.action.startsWith('connections.')));
      const page = await ana.ok('GET', '/api/audit?limit=1');
      assert.notEqual((await ana.ok('GET', `/api/audit?limit=1&before=${page.next_before}`)).items[0].id, page.items[0].id);
      const csv = await ana.call('GET', '/api/audit/export?format=csv');
      assert.match(csv.text, /^id,at,action,connection_id,token_id,data\r\n\d+,\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z,"/);
      assert.match(csv.text, /^\d+,[^,]+Z,"[a-z_.]+",,,"/m, 'an event without connection and token');
      assert.doesNotMatch(csv.text, /^\d+,[^,]+,"[a-z_.]+",(0,|\d*,0,)/m);
      const lines = (await ana.call('GET', '/api/audit/export?format=jsonl')).text.trim().split('\n').map(JSON.parse);
      assert.ok(lines.every(line => line.id && line.action));
      assert.ok(Array.isArray((await ana.ok('GET', '/api/usage?days=7')).items));
    });

    test('API tokens are for programs: no cookie, no approvals, nothing grave', async () => {
      const { token, id } = await ana.ok('POST', '/api/me/api-tokens', { name: 'script' });
      const script = new Person(porteiro, { bearer: token });
      assert.equal((await script.ok('GET', '/api/me')).email, 'ana@example.test');
      assert.equal((await script.call('POST', '/api/approvals/abc/approve')).status, 403);
      assert.equal((await script.call('DELETE', '/api/me')).status, 403);
      assert.equal((await ana.call('GET', '/api/me', undefined, { headers: { cookie: `porteiro=${token}` } })).status, 401);
      await ana.ok('DELETE', `/api/me/api-tokens/${id}`);
      assert.equal((await script.call('GET', '/api/me')).status, 401);
    });

    test('pages of others can do nothing with the cookie', async () => {
      const ours = ana.headers();
      const without = name => Object.fromEntries(Object.entries(ours).filter(([key]) => key !== name));
      const attacks = {
        'another origin': { ...ours, origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' },
        'the origin null': { ...ours, origin: 'null' },
        'no origin at all': { ...without('origin'), 'sec-fetch-site': 'none' },
        'a sister site': { ...ours, 'sec-fetch-site': 'same-site' },
        'no header of ours': without('x-porteiro'),
      };
      for (const [what, headers] of Object.entries(attacks)) assert.equal((await ana.call('POST', '/api/me/stop', undefined, { headers })).status, 403, what);
      assert.equal((await ana.ok('GET', '/api/me')).stopped, false);
      const form = await fetch(`${porteiro.origin}/api/auth/login`, { method: 'POST', headers: { 'content-type': 'text/plain' }, body: JSON.stringify({ emailOrPhone: 'a', password: 'b' }) });
      assert.equal(form.status, 400);
    });

    test('what is grave asks for the password again', async () => {
      const person = new Person(porteiro);
      await person.login('bia@example.test', PASSWORD);
      assert.equal((await person.call('POST', '/api/auth/prove', { password: 'wrong one' })).status, 401);
      await person.ok('POST', '/api/auth/prove', { password: PASSWORD });
      await person.ok('POST', '/api/me/email', { email: 'bia2@example.test' });
      assert.equal((await person.call('POST', '/api/me/email', { email: 'ANA@example.test' })).status, 409);
      await person.ok('POST', '/api/me/email', { email: 'bia@example.test' });
    });

    test('a forgotten password: the same answer for everybody, a link good once', async () => {
      const anyone = new Person(porteiro);
      const known = await anyone.call('POST', '/api/auth/request-reset', { emailOrPhone: 'bia@example.test' });
      const unknown = await anyone.call('POST', '/api/auth/request-reset', { emailOrPhone: 'nobody@example.test' });
      assert.deepEqual([known.status, known.json], [unknown.status, unknown.json]);
      const { link } = await porteiro.json(['user', 'reset-link', 'bia@example.test']);
      const token = new URL(link).searchParams.get('token');
      const script = new Person(porteiro, { bearer: (await bia.ok('POST', '/api/me/api-tokens', { name: 'script' })).token });
      await bia.ok('POST', '/api/me/password', { current: PASSWORD, password: `${PASSWORD} 1` });
      await bia.ok('POST', '/api/me/password', { current: `${PASSWORD} 1`, password: PASSWORD });
      assert.equal((await script.call('GET', '/api/me')).status, 200, 'a change by its person keeps programs');
      const { link: second } = await porteiro.json(['user', 'reset-link', 'bia@example.test']);
      assert.equal((await anyone.call('POST', '/api/auth/reset', { token, password: `${PASSWORD} 2` })).status, 403, 'voided by a new password');
      const token2 = new URL(second).searchParams.get('token');
      await anyone.ok('POST', '/api/auth/reset', { token: token2, password: `${PASSWORD} 2` });
      assert.equal((await script.call('GET', '/api/me')).status, 401, 'a link ends programs');
      assert.equal((await anyone.call('POST', '/api/auth/reset', { token: token2, password: PASSWORD })).status, 403);
      assert.equal((await bia.call('GET', '/api/me')).status, 401);
      await bia.login('bia@example.test', `${PASSWORD} 2`);
    });

    // ---- who may do what

    const operations = () => Object.entries(spec.paths).flatMap(([path, methods]) => Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })));
    const fill = (path, ids) => path.replace(/\{(\w+)\}/g, (_, name) => ids[name] ?? 'nothing');

    test('a program does not change its owner\'s password', async () => {
      const { token } = await ana.ok('POST', '/api/me/api-tokens', { name: 'program' });
      const answer = await new Person(porteiro, { bearer: token }).call('POST', '/api/me/password', { current: PASSWORD, password: `${PASSWORD} 9` });
      assert.equal(answer.status, 403, answer.text);
    });

    test('the matrix: every route and every kind of caller', async () => {
      const stale = new Person(porteiro), { token: pat } = await ana.ok('POST', `/api/connections/${connection.id}/tokens`, { rights: 'read' });
      await stale.login('ana@example.test', PASSWORD);
      const ended = stale.cookie;
      await stale.ok('POST', '/api/auth/logout');
      stale.cookie = ended;
      const mine = (await ana.ok('GET', '/api/me/sessions')).items[0].id;
      const ids = { id: connection.id, session: mine, approval: 'abcdefghjk', invitation: 'abcdefghjk', key: 'wordpress', number: 1 };
      const callers = { nobody: new Person(porteiro), ended: stale, 'a token for MCP': new Person(porteiro, { bearer: pat }), other: bia, administrator: root };
      let checked = 0;
      for (const { path, method, operation } of operations()) {
        const open = operation.security.length === 0, admin = operation['x-administrators-only'];
        for (const [who, caller] of Object.entries(callers)) {
          if (['meDelete', 'authLogout', 'sessionsEndOthers', 'providersChange', 'usersDelete', 'usersChange', 'meStop'].includes(operation.operationId) && ['other', 'administrator'].includes(who)) continue;
          const { cookie } = caller;
          const answer = await caller.call(method, fill(path, ids), operation.requestBody ? {} : undefined);
          caller.cookie = cookie;
          const at = `${method} ${path} by ${who}: ${answer.status} ${answer.text}`;
          assert.ok(answer.status < 500, at);
          assert.ok(!answer.text.includes(CANARY), at);
          if (open) assert.ok([200, 400, 403].includes(answer.status), at);
          else if (!['other', 'administrator'].includes(who)) assert.equal(answer.status, 401, at);
          else if (admin && who === 'other') assert.equal(answer.status, 403, at);
          else if (path.includes('{id}') && !admin) assert.ok([400, 404].includes(answer.status), at);
          checked++;
        }
      }
      assert.ok(checked > 200, `${checked}`);
      assert.equal((await ana.ok('GET', '/api/me/sessions')).items.some(item => item.id === mine), true);
      assert.equal((await ana.ok('GET', `/api/connections/${connection.id}`)).status, 'active');
    });

    test('ten thousand generated requests: none fails inside, every answer is as described', async () => {
      const slow = new Set(['authRegister', 'authLogin', 'authProve', 'authReset', 'authRequestReset', 'meChangePassword', 'connectionsTest']);
      const never = new Set(['meDelete', 'authLogout', 'sessionsEnd', 'sessionsEndOthers', 'connectionsAdd', 'connectionsImport', 'usersDelete', 'usersChange', 'meStop', 'meChangeEmail', 'meChange', 'secondFactorConfirm', 'providersChange']);
      let seed = 20261122, slowLeft = 40;
      const random = n => ((seed = (seed * 1103515245 + 12345) % 2147483648) >>> 8) % n;
      const odd = ['', 'x', 'ã'.repeat(50), '\u0000', "' OR 1=1 --", '<script>', '../..', -1, 0, 2 ** 40, 1.5, true, null, [], {}, [[[]]], 'a'.repeat(400), '90d', 'read', 'read,write', 'none'];
      const value = schema => (random(3) === 0 ? odd[random(odd.length)] : schema.type === 'integer' ? random(5) : schema.type === 'boolean' ? random(2) === 1 : schema.type === 'object' ? {} : schema.type === 'array' ? [] : ['blog', 'never', 'read', 'ana@example.test'][random(4)]);
      const all = operations().filter(({ operation }) => !never.has(operation.operationId));
      const counts = {};
      const one = async () => {
        const { path, method, operation } = all[random(all.length)];
        if (slow.has(operation.operationId) && slowLeft-- <= 0) return;
        const who = [ana, root, new Person(porteiro)][random(3)], { cookie } = who;
        let at = fill(path, { id: random(6), number: random(4), session: 'nothing', key: 'wordpress', approval: odd[random(8)] });
        const query = (operation.parameters ?? []).filter(p => p.in === 'query' && random(2)).map(p => `${p.name}=${encodeURIComponent(String(value(p.schema)))}`);
        if (random(10) === 0) query.push('_method=DELETE');
        if (query.length) at += `?${query.join('&')}`;
        const properties = operation.requestBody?.content['application/json'].schema.properties ?? {};
        let body = operation.requestBody ? Object.fromEntries(Object.entries(properties).filter(() => random(3)).map(([name, schema]) => [name, value(schema)])) : undefined;
        if (body && random(20) === 0) body = ['{', '[]', 'null', '{"a":1,"a":2}', `${'['.repeat(200)}`][random(5)];
        const answer = await who.call(method, encodeURI(decodeURI(at)), body);
        who.cookie = cookie;
        const said = `${method} ${at} ${JSON.stringify(body)}: ${answer.status} ${answer.text.slice(0, 300)}`;
        assert.ok(answer.status < 500, said);
        if (answer.json) {
          const response = operation.responses[answer.status] ?? operation.responses.default;
          assert.equal(misfit(response.content['application/json'].schema, answer.json), null, said);
        }
        counts[answer.status] = (counts[answer.status] ?? 0) + 1;
      };
      const total = database === 'sqlite' ? 10000 : 1000;
      for (let done = 0; done < total; done += 20) await Promise.all(Array.from({ length: 20 }, one));
      assert.ok(counts[200] > total / 20 && counts[400] > total / 20 && counts[401] > total / 20, JSON.stringify(counts));
    });
  });
}
