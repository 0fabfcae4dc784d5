// OAuth from end to end, by hand: metadata, challenges, the three kinds of clients, consent, tokens, step-up, the person's list.
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Person } from '../integration/lib/api.mjs';
import { fixtures } from '../integration/lib/fixtures.mjs';
import { LEGACY, envelope, legacy, post } from '../integration/lib/mcp.mjs';
import { Porteiro } from '../integration/lib/porteiro.mjs';
import { mustRun } from '../integration/lib/process.mjs';
import { openSqlite } from '../integration/lib/sqlite.mjs';
import { Flow, PASSWORD, REDIRECT, pkce } from './flow.mjs';

for (const database of ['sqlite', 'postgres']) {
  describe(`OAuth (${database})`, () => {
    let porteiro, flow, ana, api, connection;
    const call = (token, method = 'tools/list', params = {}, url = porteiro.url) => legacy(url, token, method, params);

    before(async () => {
      porteiro = await (await Porteiro.create({ database: database === 'sqlite' ? 'sqlite' : fixtures.postgres.port })).serve();
      await porteiro.addUser();
      await porteiro.json(['user', 'add', '--name', 'Root', '--email', 'root@example.test', '--phone', '+14155552671', '--admin', '--password-stdin'], { stdin: `${PASSWORD}\n` });
      connection = await porteiro.addConnection(fixtures.sites.new);
      flow = new Flow(porteiro);
      ana = await flow.person();
      api = new Person(porteiro);
      await api.login('ana@example.test', PASSWORD);
    });
    after(() => porteiro?.stop());

    test('what is served without a token leads to the login', async () => {
      const refused = await call(undefined);
      assert.equal(refused.status, 401);
      assert.equal(refused.headers.get('www-authenticate'),
        `Bearer realm="porteiro", resource_metadata="${porteiro.origin}/.well-known/oauth-protected-resource/mcp", scope="read draft"`);
      for (const path of ['/mcp', '/mcp/wordpress', '/api/mcp', '/api/mcp/wordpress']) {
        const { status, json, headers } = await flow.json(`/.well-known/oauth-protected-resource${path}`);
        assert.equal(status, 200);
        assert.deepEqual(json, { resource: porteiro.origin + path, authorization_servers: [porteiro.origin], scopes_supported: ['read', 'draft'],
          bearer_methods_supported: ['header'], resource_name: 'porteiro' });
        assert.equal(headers.get('access-control-allow-origin'), '*');
        assert.deepEqual((await flow.json(`/.well-known/oauth-protected-resource${path}/`)).json, json, 'with the slash that people paste');
      }
      assert.equal((await flow.json('/.well-known/oauth-protected-resource')).json.resource, porteiro.url);
      for (const path of ['/mcp/bearer', '/mcp/nothing', '/api', '/mcp//', '/mcp/nothing/', '/mcp/bearer/', '/', '//mcp']) {
        assert.equal((await flow.json(`/.well-known/oauth-protected-resource${path}`)).status, 404, path);
      }
      const { json } = await flow.json('/.well-known/oauth-authorization-server');
      assert.equal(json.issuer, porteiro.origin);
      assert.deepEqual(json.code_challenge_methods_supported, ['S256']);
      assert.ok(json.client_id_metadata_document_supported && json.authorization_response_iss_parameter_supported);
      for (const name of ['authorization', 'token', 'registration', 'revocation']) assert.ok(json[`${name}_endpoint`].startsWith(`${porteiro.origin}/oauth/`));
      assert.equal((await flow.json('/.well-known/openid-configuration')).status, 404);
    });

    test('/mcp/bearer never speaks of OAuth', async () => {
      const refused = await post(`${porteiro.origin}/mcp/bearer`, undefined, { jsonrpc: '2.0', id: 1, method: 'tools/list' });
      assert.deepEqual([refused.status, refused.headers.get('www-authenticate')], [401, 'Bearer realm="porteiro"']);
      assert.equal((await call(connection.token, 'tools/list', {}, `${porteiro.origin}/mcp/bearer`)).status, 200);
    });

    test('who gave the password more than ten minutes ago gives it again, as for other tokens', async () => {
      const person = await flow.person();
      const client = await flow.dynamic();
      const asks = page => /type="password"/.test(page.html);
      const address = () => flow.address(client, { challenge: pkce().challenge });
      assert.ok(!asks(await person.request('GET', address())));
      await porteiro.stop();
      const sql = "UPDATE mcp_sessions SET proved_at = '2026-01-01 00:00:00.000' WHERE kind = 'session'";
      if (porteiro.database) await mustRun('psql', ['-qX', porteiro.database.url, '-c', sql]);
      else openSqlite(path.join(porteiro.dir, 'porteiro.db')).exec(sql);
      await porteiro.serve();
      const page = await person.request('GET', address());
      assert.ok(asks(page));
      for (const password of ['', 'not the password']) {
        const refused = await flow.decide(person, page, { password });
        assert.equal(refused.status, 401);
        assert.ok(asks(refused));
      }
      assert.match((await flow.decide(person, page, { decision: 'deny', password: '' })).headers.get('location'), /error=access_denied/);
      assert.match((await flow.decide(person, page)).headers.get('location'), /[?&]code=/);
      await api.login('ana@example.test', PASSWORD);
      ana = await flow.person();
    });

    test('a dynamic client logs in, works, refreshes and logs out', async () => {
      const client = await flow.dynamic();
      const { verifier, challenge } = pkce();
      const page = await ana.request('GET', flow.address(client, { challenge }));
      assert.equal(page.status, 200);
      for (const shown of ['Test app', 'app.example', 'blog', 'ana@example.test', 'registered itself']) assert.ok(page.text.includes(shown), shown);
      const policy = page.headers.get('content-security-policy');
      assert.match(policy, /default-src 'none'/);
      assert.match(policy, /frame-ancestors 'none'/);
      assert.match(policy, /form-action 'self' https:\/\/app\.example/);
      assert.doesNotMatch(policy, /script-src/);
      assert.doesNotMatch(page.html, /<script/i);
      const back = new URL((await flow.decide(ana, page)).headers.get('location'));
      assert.equal(back.origin + back.pathname, REDIRECT);
      assert.equal(back.searchParams.get('state'), 's t/+&=ä');
      assert.equal(back.searchParams.get('iss'), porteiro.origin);
      const answer = await flow.token({ grant_type: 'authorization_code', code: back.searchParams.get('code'), code_verifier: verifier, redirect_uri: REDIRECT,
        client_id: client, resource: porteiro.url });
      assert.equal(answer.status, 200, answer.text);
      assert.equal(answer.headers.get('cache-control'), 'no-store');
      const { access_token, refresh_token, ...rest } = answer.json;
      assert.deepEqual(rest, { token_type: 'Bearer', expires_in: 3600, scope: 'read draft' });
      assert.match(access_token, /^prt_oat_[0-9A-Za-z]{49}$/);
      assert.match(refresh_token, /^prt_ort_[0-9A-Za-z]{49}$/);
      assert.equal((await call(access_token)).status, 200);

      const begun = await call(access_token, 'initialize', { protocolVersion: LEGACY, capabilities: { elicitation: {} }, clientInfo: { name: 'asked', version: '1' } });
      const again = await flow.refresh(client, refresh_token);
      assert.equal(again.status, 200, again.text);
      const inSession = token => legacy(porteiro.url, token, 'tools/list', {}, { 'Mcp-Session-Id': begun.headers.get('mcp-session-id') });
      assert.equal((await inSession(access_token)).status, 200);
      assert.equal((await inSession(again.json.access_token)).status, 200, 'a session goes on after a refresh');
      assert.equal((await inSession((await flow.login(ana, client)).access_token)).status, 404, 'another agreement has its own');
      assert.equal((await inSession(connection.token)).status, 404);
      assert.notEqual(again.json.refresh_token, refresh_token);
      assert.equal((await call(again.json.access_token)).status, 200);
      assert.equal((await call(access_token)).status, 200, 'the one before lives on until it expires');

      assert.equal((await flow.revoke({ token: again.json.access_token, client_id: client })).status, 200);
      assert.equal((await call(again.json.access_token)).status, 401);
      assert.equal((await flow.revoke({ token: again.json.refresh_token, client_id: client })).status, 200);
      assert.equal((await call(access_token)).status, 401, 'with the refresh token all of the family ends');
      assert.equal((await flow.refresh(client, again.json.refresh_token)).json.error, 'invalid_grant');
    });

    test('the resource is the same with its scheme and host in any case', async () => {
      const client = await flow.dynamic();
      for (const resource of [porteiro.url.replace('http:', 'HTTP:'), `${porteiro.url.replace('http:', 'Http:')}/`]) {
        const { access_token } = await flow.login(ana, client, { resource });
        assert.equal((await call(access_token, 'tools/list', {}, porteiro.url)).status, 200, resource);
      }
      for (const resource of [porteiro.url.replace('/mcp', '/MCP'), porteiro.url.replace('/mcp', '/./mcp'), porteiro.url.replace('/mcp', '/%6dcp'), `${porteiro.url}//`]) {
        assert.equal((await flow.consent(ana, flow.address(client, { resource }))).error, 'invalid_target', resource);
      }
    });

    test('a token is good at the address it was made for, and nowhere else', async () => {
      const client = await flow.dynamic();
      const resource = `${porteiro.origin}/mcp/wordpress`;
      const { access_token } = await flow.login(ana, client, { resource: `${resource}/` });
      assert.equal((await call(access_token, 'tools/list', {}, resource)).status, 200);
      for (const other of ['/mcp', '/api/mcp', '/api/mcp/wordpress', '/mcp/bearer']) {
        const refused = await call(access_token, 'tools/list', {}, porteiro.origin + other);
        assert.equal(refused.status, 401, other);
        assert.match(refused.headers.get('www-authenticate'), /error="invalid_token"/);
      }
      assert.equal((await call(access_token, 'tools/list', {}, `${resource}/`)).status, 200, 'the same resource');
      for (const [pasted, name] of [['/mcp/', '/mcp'], ['/api/mcp/', '/api/mcp'], ['/api/mcp/wordpress/', '/api/mcp/wordpress']]) {
        const refused = await call(access_token, 'tools/list', {}, porteiro.origin + pasted);
        assert.equal(refused.status, 401, pasted);
        assert.ok(refused.headers.get('www-authenticate').includes(`/.well-known/oauth-protected-resource${name}"`), refused.headers.get('www-authenticate'));
      }
      const absent = await flow.login(ana, client, { resource: null });
      assert.equal((await call(absent.access_token, 'tools/list', {}, `${porteiro.url}/`)).status, 200);
      for (const nowhere of ['/mcp//', '/mcp/wordpress//', '//mcp/']) assert.equal((await call(absent.access_token, 'tools/list', {}, porteiro.origin + nowhere)).status, 404, nowhere);
      assert.equal((await call(connection.token, 'tools/list', {}, `${porteiro.origin}/mcp/bearer/`)).status, 200);
      assert.equal((await call(absent.access_token)).status, 200, 'clients from before resource mean /mcp');
    });

    test('what the person unticks is not granted, and no is no', async () => {
      const client = await flow.dynamic();
      const { scope, access_token } = await flow.login(ana, client, { scope: 'read draft publish delete admin', choice: { tick: { right_admin: false, right_delete: false } } });
      assert.equal(scope, 'read draft publish');
      assert.equal((await call(access_token)).status, 200);
      const page = await ana.request('GET', flow.address(await flow.dynamic()));
      const back = new URL((await flow.decide(ana, page, { decision: 'deny' })).headers.get('location'));
      assert.deepEqual([back.searchParams.get('error'), back.searchParams.get('code'), back.searchParams.get('iss')], ['access_denied', null, porteiro.origin]);
      const none = await flow.decide(ana, await ana.request('GET', flow.address(client)), { tick: { [`connection_${connection.id}`]: false } });
      assert.equal(none.status, 400);
      assert.match(none.text, /at least one connection/);
    });

    test('a login that ends while the page is open leads back to the same question', async () => {
      const person = await flow.person();
      const { client_id } = await porteiro.json(['oauth-client', 'add', '--name', 'Open page', '--redirect', REDIRECT]);
      const address = flow.address(client_id);
      const page = await person.request('GET', address);
      const jar = new Map(person.jar);
      await person.submit(await person.open('/logout'));
      person.jar = jar; // as in another window, which knows nothing of it
      const answer = await flow.decide(person, page);
      assert.equal(answer.status, 303, answer.text);
      const login = new URL(answer.headers.get('location'), porteiro.origin);
      assert.equal(login.pathname, '/login');
      const next = new URL(login.searchParams.get('next'), porteiro.origin), asked = new URL(address, porteiro.origin);
      assert.deepEqual([next.pathname, [...next.searchParams]], [asked.pathname, [...asked.searchParams]]);
    });

    test('more connections than an app may have are refused, not left out', async () => {
      const before = (await api.ok('GET', '/api/connections')).items.length, row = { provider: 'wordpress', config: { url: fixtures.sites.new.url },
        secrets: { username: 'editor', app_password: fixtures.sites.new.users.editor.app_password } };
      const { items } = await api.ok('POST', '/api/connections/import', { items: Array.from({ length: 21 - before }, (_, i) => ({ ...row, name: `many ${i}` })) });
      assert.ok(items.every(item => item.ok), JSON.stringify(items));
      const { client_id } = await porteiro.json(['oauth-client', 'add', '--name', 'Many', '--redirect', REDIRECT]);
      const page = await ana.request('GET', flow.address(client_id));
      const boxes = page.tags.filter(tag => tag.name?.startsWith('connection_')).map(tag => tag.name);
      assert.equal(boxes.length, 21);
      const all = Object.fromEntries(boxes.map(name => [name, true]));
      const refused = await flow.decide(ana, page, { tick: all });
      assert.equal(refused.status, 400, refused.headers.get('location'));
      assert.match(refused.text, /1 to 20 connections/);
      assert.match((await flow.decide(ana, page, { tick: { ...all, [boxes[0]]: false } })).headers.get('location'), /[?&]code=/);
      for (const { id } of items) await api.ok('DELETE', `/api/connections/${id}`);
    });

    test('a tool that needs more says so, and the page asks for that only', async () => {
      const { client_id, client_secret } = await porteiro.json(['oauth-client', 'add', '--name', 'Agency app', '--redirect', REDIRECT]);
      const { access_token } = await flow.login(ana, client_id, { secret: client_secret });
      const refused = await call(access_token, 'tools/call', { name: 'wp_create', arguments: { type: 'post', title: 'x', content: 'y', status: 'publish' } });
      assert.equal(refused.status, 403, refused.text);
      const challenge = refused.headers.get('www-authenticate');
      assert.match(challenge, /error="insufficient_scope", error_description="[^"]+"/);
      assert.match(challenge, /scope="read draft publish"/);
      assert.match(challenge, /resource_metadata="/);
      const page = await ana.request('GET', flow.address(client_id, { scope: 'read draft publish' }));
      assert.match(page.text, /already/);
      assert.deepEqual(page.tags.filter(tag => tag.type === 'checkbox').map(tag => tag.name), ['right_publish']);
      for (const prompt of [null, 'login']) {
        const asked = flow.address(client_id, { scope: 'read draft publish', ...(prompt && { prompt }) });
        const link = (await ana.request('GET', asked)).tags.find(tag => tag.href?.includes('prompt=consent'));
        const anew = await ana.request('GET', link.href);
        assert.equal(anew.status, 200, 'everything is asked anew, whatever the app said before');
        assert.ok(anew.tags.some(tag => tag.name === `connection_${connection.id}`));
      }
      const more = await flow.login(ana, client_id, { secret: client_secret, scope: 'read draft publish' });
      assert.equal(more.scope, 'read draft publish');
      const done = await call(more.access_token, 'tools/call', { name: 'wp_create', arguments: { type: 'post', title: 'By OAuth', content: 'y', status: 'publish' } });
      assert.equal(done.status, 200);
      assert.ok(!done.json.result.isError, done.text);
    });

    test('a personal token that lacks a right reads why, and is not sent to log in', async () => {
      const answer = await call(connection.token, 'tools/call', { name: 'wp_create', arguments: { type: 'post', title: 'x', content: 'y', status: 'publish' } });
      assert.equal(answer.status, 200);
      assert.ok(answer.json.result.isError);
    });

    test('what was agreed to is remembered for a client that proves who it is, never for a dynamic one', async () => {
      const { client_id, client_secret } = await porteiro.json(['oauth-client', 'add', '--name', 'Known app', '--redirect', REDIRECT]);
      await flow.login(ana, client_id, { secret: client_secret });
      const silent = await ana.request('GET', flow.address(client_id));
      assert.equal(silent.status, 303);
      assert.ok(new URL(silent.headers.get('location')).searchParams.get('code'));
      assert.equal((await ana.request('GET', flow.address(client_id, { prompt: 'consent' }))).status, 200);
      assert.equal((await ana.request('GET', flow.address(client_id, { scope: 'read draft publish' }))).status, 200, 'more is asked for');
      const dynamic = await flow.dynamic();
      await flow.login(ana, dynamic);
      assert.equal((await ana.request('GET', flow.address(dynamic))).status, 200);
    });

    test('connected apps are listed, and ended, by their owner only', async () => {
      const client = await flow.dynamic();
      const { access_token, refresh_token } = await flow.login(ana, client);
      await call(access_token);
      const { items } = await api.ok('GET', '/api/oauth/grants');
      const mine = items.find(item => item.client.id === client);
      assert.deepEqual({ ...mine, id: null, created_at: null, last_used_at: null, expires_at: null },
        { id: null, client: { id: client, name: 'Test app', kind: 'dynamic' }, host: 'app.example', connections: [connection.id], connection_name: 'blog', rights: ['read', 'draft'],
          resource: porteiro.url, created_at: null, last_used_at: null, expires_at: null });
      const root = new Person(porteiro);
      await root.login('root@example.test', PASSWORD);
      assert.equal((await root.call('DELETE', `/api/oauth/grants/${mine.id}`)).status, 404);
      assert.equal((await call(access_token)).status, 200);
      await api.ok('DELETE', `/api/oauth/grants/${mine.id}`);
      assert.equal((await call(access_token)).status, 401);
      assert.equal((await flow.refresh(client, refresh_token)).json.error, 'invalid_grant');
      assert.ok(!(await api.ok('GET', '/api/oauth/grants')).items.some(item => item.id === mine.id));
    });

    test('an access token in the list of tokens ends its app', async () => {
      const client = await flow.dynamic();
      const { access_token, refresh_token } = await flow.login(ana, client);
      const { items } = await api.ok('GET', '/api/tokens');
      const mine = items.find(item => item.last4 === access_token.slice(-4));
      assert.equal(mine.name, 'Test app');
      await api.ok('DELETE', `/api/tokens/${mine.id}`);
      assert.equal((await call(access_token)).status, 401);
      assert.equal((await flow.refresh(client, refresh_token)).json.error, 'invalid_grant');
    });

    test('client credentials: one connection, its rights, no person', async () => {
      const made = await porteiro.json(['oauth-client', 'add', '--name', 'CI', '--connection', String(connection.id), '--rights', 'read']);
      const basic = { authorization: `Basic ${Buffer.from(`${made.client_id}:${made.client_secret}`).toString('base64')}` };
      const answer = await flow.token({ grant_type: 'client_credentials' }, basic);
      assert.equal(answer.status, 200, answer.text);
      assert.equal(answer.json.scope, 'read');
      assert.equal(answer.json.refresh_token, undefined);
      assert.equal((await call(answer.json.access_token)).status, 200);
      assert.equal((await flow.token({ grant_type: 'client_credentials', client_id: made.client_id, client_secret: made.client_secret })).status, 200);
      assert.equal((await flow.token({ grant_type: 'client_credentials', scope: 'read publish' }, basic)).json.error, 'invalid_scope');
      assert.equal((await flow.token({ grant_type: 'client_credentials', client_id: made.client_id })).status, 401);
      const listed = (await porteiro.json(['oauth-client', 'list'])).items.find(client => client.client_id === made.client_id);
      assert.deepEqual(listed.rights, ['read']);
      await porteiro.json(['oauth-client', 'delete', made.client_id]);
      assert.equal((await call(answer.json.access_token)).status, 401);
      assert.equal((await flow.token({ grant_type: 'client_credentials' }, basic)).json.error, 'invalid_client');
    });

    test('an administrator makes, lists and deletes clients; nobody else', async () => {
      const root = new Person(porteiro);
      await root.login('root@example.test', PASSWORD);
      assert.equal((await api.call('POST', '/api/oauth/clients', { name: 'x', redirect_uris: [REDIRECT] })).status, 403);
      const made = await root.ok('POST', '/api/oauth/clients', { name: 'Web app', redirect_uris: [REDIRECT], public: true });
      assert.equal(made.client_secret, null);
      const { access_token } = await flow.login(ana, made.client_id);
      assert.equal((await call(access_token)).status, 200);
      assert.ok((await root.ok('GET', '/api/oauth/clients')).items.some(item => item.client_id === made.client_id));
      assert.equal((await root.call('POST', '/api/oauth/clients', { name: 'x', connection_id: connection.id })).status, 404, 'not of other people');
      await root.ok('DELETE', `/api/oauth/clients/${made.client_id}`);
      assert.equal((await call(access_token)).status, 401);
    });

    test('a revoked connection ends what came of it', async () => {
      const other = await porteiro.addConnection(fixtures.sites.new, { name: 'second' });
      const client = await flow.dynamic();
      const { access_token, refresh_token } = await flow.login(ana, client, { choice: { tick: { [`connection_${connection.id}`]: false, [`connection_${other.id}`]: true } } });
      assert.equal((await call(access_token)).status, 200);
      const both = await flow.login(ana, client, { choice: { tick: { [`connection_${connection.id}`]: true, [`connection_${other.id}`]: true } } });
      const tools = await call(both.access_token);
      assert.match(JSON.stringify(tools.json.result.tools[0].inputSchema), /"site"/, 'a token over several connections');
      await api.ok('POST', `/api/connections/${other.id}/revoke`);
      assert.equal((await call(access_token)).status, 401);
      assert.equal((await flow.refresh(client, refresh_token)).json.error, 'invalid_grant');
      const alone = await flow.refresh(client, both.refresh_token);
      assert.equal(alone.status, 200, 'the others go on');
      assert.equal((await call(alone.json.access_token)).status, 200);
    });

    test('every step is in the audit log, and no token', async () => {
      const { items: rows } = await porteiro.json(['audit', 'list', '--limit', '500']);
      const actions = new Set(rows.map(row => row.action));
      for (const action of ['oauth.register', 'oauth.consent', 'oauth.token', 'oauth.end', 'oauth.client.create', 'oauth.client.delete']) assert.ok(actions.has(action), action);
      assert.doesNotMatch(JSON.stringify(rows), /prt_(oat|ort|oac|ocs)_[0-9A-Za-z]{10}/);
      assert.doesNotMatch(porteiro.logTail(100000), /prt_(oat|ort|oac|ocs)_[0-9A-Za-z]{10}/);
    });
  });
}

describe('server/discover without a token', () => {
  const discover = { jsonrpc: '2.0', id: 1, method: 'server/discover', params: { _meta: envelope()._meta ?? envelope() } };
  const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'server/discover' };
  test('only where it is switched on, and nothing else', async () => {
    const closed = await (await Porteiro.create()).serve();
    const open = await (await Porteiro.create({ env: { PORTEIRO_OPEN_DISCOVER: 'on' } })).serve();
    try {
      assert.equal((await post(closed.url, undefined, discover, headers)).status, 401);
      const answer = await post(open.url, undefined, discover, headers);
      assert.equal(answer.status, 200, answer.text);
      assert.deepEqual(answer.json.result.supportedVersions, ['2026-07-28']);
      assert.equal((await post(open.url, 'prt_pat_nonsense', discover, headers)).status, 401, 'a token that is sent must be good');
      assert.equal((await post(open.url, undefined, { ...discover, method: 'tools/list' }, { ...headers, 'mcp-method': 'tools/list' })).status, 401);
      assert.equal((await post(open.url, undefined, [discover], headers)).status, 401);
    } finally {
      await closed.stop();
      await open.stop();
    }
  });
});
