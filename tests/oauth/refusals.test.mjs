// What must be refused, one case for each rule and each class of flaw: open redirects, injected codes, mix-up, PKCE downgrade, tokens
// for others, tokens passed on, abuse of registration, consent that nobody gave, replays, forged forms. Each with the right
// error, and nothing in a redirect that should not be there.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Browser } from '../integration/lib/pages.mjs';
import { fixtures } from '../integration/lib/fixtures.mjs';
import { legacy } from '../integration/lib/mcp.mjs';
import { Porteiro } from '../integration/lib/porteiro.mjs';
import { describeApp, startDocuments } from './documents.mjs';
import { Flow, PASSWORD, REDIRECT, pkce } from './flow.mjs';
import { openSqlite } from '../integration/lib/sqlite.mjs';

const json = body => (request, response) => response.writeHead(200, { 'Content-Type': 'application/json' }).end(body);
const DOCUMENTS = {
  'good.json': {},
  'other-id.json': { client_id: 'https://elsewhere.example/app.json' },
  'secret.json': { token_endpoint_auth_method: 'client_secret_basic' },
  'with-secret.json': { client_secret: 'x' },
  'no-name.json': { client_name: undefined },
  'no-redirects.json': { redirect_uris: [] },
  'script.json': { redirect_uris: ['javascript:alert(1)'] },
  'plain-http.json': { redirect_uris: ['http://app.example/callback'] },
  'not-json.json': json('<html>'),
  'list.json': json('[]'),
  'twice.json': (request, response, address) => json(JSON.stringify(describeApp(address)).replace('{', '{"client_id":"x",'))(request, response),
  'html.json': (request, response, address) => response.writeHead(200, { 'Content-Type': 'text/html' }).end(JSON.stringify(describeApp(address))),
  'large.json': (request, response, address) => json(JSON.stringify(describeApp(address, { filler: 'x'.repeat(70_000) })))(request, response),
  'moved.json': (request, response) => response.writeHead(302, { Location: '/good.json' }).end(),
  'broken.json': (request, response) => response.writeHead(500).end(),
};

describe('OAuth refuses', () => {
  let porteiro, flow, ana, bia, documents, connection, manual, secret, dynamic, machine, machineSecret;

  before(async () => {
    documents = await startDocuments(DOCUMENTS);
    porteiro = await (await Porteiro.create({ env: { PORTEIRO_CA_FILE: documents.ca, PORTEIRO_TRUSTED_PROXIES: '127.0.0.1' } })).serve();
    await porteiro.addUser();
    await porteiro.addUser('bia@example.test', { name: 'Bia', phone: '+5511999990002' });
    connection = await porteiro.addConnection(fixtures.sites.new);
    flow = new Flow(porteiro);
    ana = await flow.person();
    bia = await flow.person('bia@example.test');
    ({ client_id: manual, client_secret: secret } = await porteiro.json(['oauth-client', 'add', '--name', 'By hand', '--redirect', REDIRECT, '--redirect', 'http://127.0.0.1/callback']));
    ({ client_id: machine, client_secret: machineSecret } = await porteiro.json(['oauth-client', 'add', '--name', 'CI', '--connection', String(connection.id)]));
    dynamic = await flow.dynamic([REDIRECT, 'http://localhost/callback']);
    await porteiro.addConnection(fixtures.sites.new, { user: 'bia@example.test', name: 'of bia' });
  });
  after(async () => {
    await porteiro?.stop();
    await documents?.stop();
  });

  // --- on the page: nothing is sent anywhere

  const onPage = (name, address, { who = () => ana, status = 400, says } = {}) =>
    test(`${name}: a page`, async () => {
      const page = await who().request('GET', await address());
      assert.equal(page.status, status, page.text);
      assert.equal(page.headers.get('location'), null);
      assert.ok(!page.tags.some(tag => tag.element === 'a' && !tag.href.startsWith('/') && !tag.href.startsWith('#')), 'no link there either');
      if (says) assert.match(page.text, says);
    });
  const to = uri => () => flow.address(manual, { redirect_uri: uri });

  onPage('no client', () => flow.address(null));
  onPage('an unknown client', () => flow.address('prc_nothing'), { says: /not known here/ });
  onPage('an unknown client, of nobody logged in', () => flow.address('prc_nothing'), { who: () => new Browser(porteiro.origin) });
  onPage('two clients', () => flow.address([manual, dynamic]));
  onPage('no redirect_uri', () => flow.address(manual, { redirect_uri: null }));
  onPage('two redirect_uris', () => flow.address(manual, { redirect_uri: [REDIRECT, 'https://evil.example/'] }));
  onPage('another host', to('https://evil.example/callback'), { says: /steal your login/ });
  onPage('another path', to('https://app.example/callback/..'));
  onPage('a longer path', to(`${REDIRECT}/more`));
  onPage('a query more', to(`${REDIRECT}?x=1`));
  onPage('a fragment', to(`${REDIRECT}#x`));
  onPage('a host in upper case', to('https://APP.example/callback'));
  onPage('a scheme in upper case', to('HTTPS://app.example/callback'));
  onPage('plain http', to('http://app.example/callback'));
  onPage('another port', to('https://app.example:8443/callback'));
  onPage('a user name', to('https://app.example@evil.example/callback'));
  onPage('a user name before the right host', to('https://evil@app.example/callback'));
  onPage('a backslash', to('https://evil.example\\@app.example/callback'));
  onPage('a subdomain', to('https://app.example.evil.example/callback'));
  onPage('a dot segment', to('https://app.example/x/../callback'));
  onPage('an encoded dot segment', to('https://app.example/x/%2e%2e/callback'));
  onPage('a line break', to(`${REDIRECT}\r\nSet-Cookie: x=1`));
  onPage('javascript', to('javascript:alert(1)'));
  onPage('a relative address', to('/callback'));
  onPage('an address without scheme', to('//app.example/callback'));
  onPage('localhost instead of 127.0.0.1', to('http://localhost:5000/callback'));
  onPage('loopback with another path', to('http://127.0.0.1:5000/other'));
  onPage('loopback with a user name', to('http://127.0.0.1:5000@evil.example/callback'));
  onPage('loopback by another spelling', to('http://127.1:5000/callback'));
  onPage('a redirect_uri of another client', () => flow.address(dynamic, { redirect_uri: 'http://127.0.0.1/callback' }));

  const byDocument = name => () => flow.address(documents.url(name));
  // Two people, for each may have ten read in a row.
  for (const [i, name] of Object.keys(DOCUMENTS).filter(name => name !== 'good.json').entries()) {
    onPage(`a document: ${name}`, byDocument(name), { who: () => (i % 2 ? ana : bia) });
  }
  onPage('a document that is not there', byDocument('missing.json'));
  onPage('a document in a private network', () => flow.address('https://10.1.2.3/app.json'), { status: 422 });
  onPage('a document of our own', () => flow.address(`https://127.0.0.1:${porteiro.port}/app.json`), { status: 422 });
  onPage('a document by http', () => flow.address('http://127.0.0.1:9/app.json'));
  onPage('a document at the root', () => flow.address('https://app.example/'));
  onPage('a document with a user name', () => flow.address('https://user@app.example/app.json'));
  onPage('a document with a dot segment', () => flow.address('https://app.example/x/../app.json'));
  onPage('a document with a fragment', () => flow.address('https://app.example/app.json#x'));

  test('a document is not read for who is not logged in', async () => {
    const before = documents.requests.length;
    const page = await new Browser(porteiro.origin).request('GET', flow.address(documents.url('good.json')));
    assert.equal(page.status, 303);
    assert.match(page.headers.get('location'), /^\/login\?next=/);
    assert.equal(documents.requests.length, before);
  });

  // --- to the client: the error, the state, who says it, and nothing else

  const toClient = (name, wishes, error) =>
    test(`${name}: ${error}`, async () => {
      const page = await ana.request('GET', flow.address(manual, wishes()));
      assert.equal(page.status, 303, page.text);
      const back = new URL(page.headers.get('location'));
      assert.equal(back.origin + back.pathname, REDIRECT);
      assert.deepEqual([...back.searchParams.keys()].sort(), ['error', 'error_description', 'iss', 'state']);
      assert.equal(back.searchParams.get('error'), error);
      assert.match(back.searchParams.get('error_description'), /^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/); // RFC 6749 appendix A.8: never empty
      assert.equal(back.searchParams.get('state'), 's t/+&=ä');
      assert.equal(back.searchParams.get('iss'), porteiro.origin);
    });
  toClient('no response_type', () => ({ response_type: null }), 'invalid_request');
  toClient('the implicit flow', () => ({ response_type: 'token' }), 'unsupported_response_type');
  toClient('the hybrid flow', () => ({ response_type: 'code token' }), 'unsupported_response_type');
  toClient('response_mode=fragment', () => ({ response_mode: 'fragment' }), 'invalid_request');
  toClient('response_mode=form_post', () => ({ response_mode: 'form_post' }), 'invalid_request');
  toClient('no PKCE', () => ({ challenge: '', code_challenge_method: null }), 'invalid_request');
  toClient('PKCE without its method, which means plain', () => ({ code_challenge_method: null }), 'invalid_request');
  toClient('PKCE plain', () => ({ code_challenge_method: 'plain' }), 'invalid_request');
  toClient('PKCE s256', () => ({ code_challenge_method: 's256' }), 'invalid_request');
  toClient('a challenge that is too short', () => ({ challenge: 'abc' }), 'invalid_request');
  toClient('a challenge with other characters', () => ({ challenge: '+'.repeat(43) }), 'invalid_request');
  toClient('two challenges', () => ({ code_challenge: [pkce().challenge, pkce().challenge] }), 'invalid_request');
  toClient('two scopes', () => ({ scope: ['read', 'admin'] }), 'invalid_request');
  toClient('a scope of somebody else', () => ({ scope: 'mail.read' }), 'invalid_scope');
  toClient('a resource of somebody else', () => ({ resource: 'https://mcp.evil.example/mcp' }), 'invalid_target');
  toClient('a resource that begins like ours', () => ({ resource: `${porteiro.origin}.evil.example/mcp` }), 'invalid_target');
  toClient('the address without OAuth as resource', () => ({ resource: `${porteiro.origin}/mcp/bearer` }), 'invalid_target');
  toClient('a resource with a query', () => ({ resource: `${porteiro.origin}/mcp?x=1` }), 'invalid_target');
  toClient('two resources', () => ({ resource: [`${porteiro.origin}/mcp`, `${porteiro.origin}/api/mcp`] }), 'invalid_target');
  toClient('a request object', () => ({ request: 'eyJ' }), 'request_not_supported');
  toClient('a request object elsewhere', () => ({ request_uri: 'https://evil.example/r' }), 'request_uri_not_supported');
  toClient('prompt=none, when there is something to ask', () => ({ prompt: 'none' }), 'interaction_required');
  toClient('prompt=none consent', () => ({ prompt: 'none consent' }), 'invalid_request');

  test('a client for itself asks nobody', async () => {
    assert.equal((await ana.request('GET', flow.address(machine))).status, 400);
  });

  test('an error of a client that nobody vouched for goes nowhere by itself', async () => {
    const page = await ana.request('GET', flow.address(dynamic, { response_type: 'token' }));
    assert.equal(page.status, 400);
    assert.equal(page.headers.get('location'), null);
    assert.match(page.text, /unsupported_response_type/);
    const link = page.tags.find(tag => tag.element === 'a' && tag.href?.startsWith(REDIRECT));
    assert.equal(new URL(link.href).searchParams.get('error'), 'unsupported_response_type');
  });

  test('two states: none is sent back', async () => {
    const page = await ana.request('GET', flow.address(dynamic, { state: ['a', 'b'] }));
    assert.equal(page.status, 400);
    assert.equal(page.headers.get('location'), null);
  });

  // --- consent

  const forged = (name, change, { status = 403, headers, person = () => ana } = {}) =>
    test(`consent: ${name}`, async () => {
      const address = flow.address(await flow.dynamic());
      const page = await ana.request('GET', address);
      const fields = flow.consentFields(page);
      const action = change(fields, page) ?? page.form().action;
      const answer = await person().request('POST', action, {
        body: new URLSearchParams(fields).toString(),
        headers: { 'content-type': 'application/x-www-form-urlencoded', origin: porteiro.origin, 'sec-fetch-site': 'same-origin', ...headers },
      });
      assert.equal(answer.status, status, answer.text);
      assert.doesNotMatch(answer.headers.get('location') ?? '', /code=/);
    });
  forged('without the form\'s proof', fields => void delete fields.form);
  forged('with another proof', fields => void (fields.form = '0'.repeat(64)));
  forged('without the request\'s seal', fields => void delete fields.request);
  forged('for another request of the app', (fields, page) => page.form().action.replace('scope=read', 'scope=admin+read'));
  forged('for another client', (fields, page) => page.form().action.replace(/client_id=[^&]*/, `client_id=${manual}`));
  forged('from a page of somebody else', () => {}, { headers: { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' } });
  forged('in a browser of another person', () => {}, { person: () => bia });
  forged('in a browser of nobody', () => {}, { person: () => new Browser(porteiro.origin), status: 303 });
  forged('for a connection of another person', fields => {
    for (const name of Object.keys(fields)) if (name.startsWith('connection_')) delete fields[name];
    fields[`connection_${connection.id + 1}`] = 'on';
  }, { status: 400 });

  test('consent cannot be framed or scripted', async () => {
    const page = await ana.request('GET', flow.address(dynamic));
    const policy = page.headers.get('content-security-policy');
    assert.match(policy, /frame-ancestors 'none'/);
    assert.doesNotMatch(policy, /unsafe|script-src/);
    assert.equal(page.headers.get('x-frame-options'), 'DENY');
    assert.match(page.headers.get('cache-control'), /no-store/);
  });

  test('what an app calls itself is text', async () => {
    const client = await flow.dynamic(REDIRECT, { client_name: '<img src=x onerror=alert(1)>"\'&' });
    const page = await ana.request('GET', flow.address(client));
    assert.ok(page.text.includes('<img src=x onerror=alert(1)>'), page.text);
    assert.equal(page.tags.filter(tag => tag.element === 'img').every(tag => tag.src === '/favicon.svg'), true);
  });

  test('an app on this computer, and one that registered itself, are warned of', async () => {
    const local = await ana.request('GET', flow.address(dynamic, { redirect_uri: 'http://localhost:4242/callback' }));
    assert.match(local.text, /localhost:4242/);
    assert.match(local.text, /on the computer you are using/);
    assert.match((await ana.request('GET', flow.address(dynamic))).text, /registered itself/);
    const known = await bia.request('GET', flow.address(documents.url('good.json'), { redirect_uri: 'http://127.0.0.1:4242/callback' }));
    assert.match(known.text, /on the computer you are using/);
  });

  // --- registering

  const unregistered = (name, description, error, { headers, status = 400 } = {}) =>
    test(`registering ${name}: ${error}`, async () => {
      const answer = await flow.register(description, headers);
      assert.deepEqual([answer.status, answer.json?.error], [status, error]);
    });
  const app = more => ({ client_name: 'x', redirect_uris: [REDIRECT], ...more });
  unregistered('without addresses', app({ redirect_uris: undefined }), 'invalid_redirect_uri');
  unregistered('with none', app({ redirect_uris: [] }), 'invalid_redirect_uri');
  unregistered('with too many', app({ redirect_uris: Array.from({ length: 11 }, (_, i) => `${REDIRECT}${i}`) }), 'invalid_redirect_uri');
  unregistered('an address that is no text', app({ redirect_uris: [1] }), 'invalid_redirect_uri');
  for (const uri of ['http://app.example/cb', 'javascript:alert(1)', 'data:text/html,x', 'myapp://cb', 'https://a@app.example/', `${REDIRECT}#x`, 'https://APP.example/cb', '*', 'https://*.example/cb\n'])
    unregistered(`for ${JSON.stringify(uri)}`, app({ redirect_uris: [uri] }), 'invalid_redirect_uri');
  unregistered('for the implicit flow', app({ response_types: ['token'] }), 'invalid_client_metadata');
  unregistered('for the password flow', app({ grant_types: ['password'] }), 'invalid_client_metadata');
  unregistered('for credentials of its own', app({ grant_types: ['client_credentials'] }), 'invalid_client_metadata');
  unregistered('with a name that is no text', app({ client_name: {} }), 'invalid_client_metadata');
  unregistered('as a form', 'redirect_uris=x', 'invalid_client_metadata', { headers: { 'content-type': 'application/x-www-form-urlencoded' } });
  unregistered('what is no JSON', '{', 'invalid_client_metadata');
  unregistered('what says one thing twice', `{"redirect_uris":["${REDIRECT}"],"redirect_uris":["https://evil.example/"]}`, 'invalid_client_metadata');

  test('a secret that is asked for is not given: such clients are public', async () => {
    const { json: made } = await flow.register(app({ token_endpoint_auth_method: 'client_secret_basic' }));
    assert.deepEqual([made.token_endpoint_auth_method, made.client_secret], ['none', undefined]);
  });

  // --- tokens

  const code = async (client = manual, more = {}) => {
    const { verifier, challenge } = pkce();
    const got = await flow.consent(ana, flow.address(client, { challenge, prompt: 'consent', ...more }));
    return { grant_type: 'authorization_code', code: got.code, code_verifier: verifier, redirect_uri: REDIRECT, client_id: client, ...(client === manual && { client_secret: secret }) };
  };
  const untaken = (name, fields, error, { status = error === 'invalid_client' ? 401 : 400, headers = {} } = {}) =>
    test(`tokens: ${name}: ${error}`, async () => {
      const sent = await fields();
      const answer = await flow.token(sent, typeof headers === 'function' ? headers() : headers);
      assert.deepEqual([answer.status, answer.json?.error], [status, error], answer.text);
      assert.equal(answer.headers.get('cache-control'), 'no-store');
      assert.doesNotMatch(answer.text, /prt_/);
    });
  const basic = (id, password) => ({ authorization: `Basic ${Buffer.from(`${id}:${password}`).toString('base64')}` });
  untaken('nothing', () => ({}), 'invalid_request');
  untaken('the password flow', () => ({ grant_type: 'password', username: 'ana@example.test', password: PASSWORD }), 'unsupported_grant_type');
  untaken('a device', () => ({ grant_type: 'urn:ietf:params:oauth:grant-type:device_code' }), 'unsupported_grant_type');
  untaken('no client', async () => ({ ...(await code()), client_id: '' }), 'invalid_request');
  untaken('an unknown client', async () => ({ ...(await code()), client_id: 'prc_nothing' }), 'invalid_client');
  untaken('no secret', async () => ({ ...(await code()), client_secret: '' }), 'invalid_client');
  untaken('a wrong secret', async () => ({ ...(await code()), client_secret: 'prt_ocs_wrong' }), 'invalid_client');
  untaken('the secret of another client', async () => ({ ...(await code()), client_secret: machineSecret }), 'invalid_client');
  untaken('a secret of a client without one', async () => ({ ...(await code(dynamic)), client_secret: secret }), 'invalid_client');
  untaken('a wrong secret as Basic', async () => { const { client_id, client_secret, ...rest } = await code(); return rest; }, 'invalid_client', { headers: () => basic(manual, 'x') });
  untaken('Basic that is no base64', async () => { const { client_id, client_secret, ...rest } = await code(); return rest; }, 'invalid_client', { headers: { authorization: 'Basic %%%' } });
  untaken('a bearer token as client', async () => { const { client_id, client_secret, ...rest } = await code(); return rest; }, 'invalid_client', { headers: () => ({ authorization: `Bearer ${connection.token}` }) });
  untaken('Basic of one client, the form of another', async () => ({ ...(await code()), client_id: dynamic, client_secret: '' }), 'invalid_client', { headers: () => basic(manual, secret) });
  untaken('the secret in two ways', code, 'invalid_request', { headers: () => basic(manual, secret) });
  untaken('a field twice', async () => `${new URLSearchParams(await code())}&code=x`, 'invalid_request');
  untaken('as JSON', async () => JSON.stringify(await code()), 'invalid_request', { headers: { 'content-type': 'application/json' } });
  untaken('no code', async () => ({ ...(await code()), code: '' }), 'invalid_request');
  untaken('no verifier', async () => ({ ...(await code()), code_verifier: '' }), 'invalid_request');
  untaken('another verifier', async () => ({ ...(await code()), code_verifier: pkce().verifier }), 'invalid_grant');
  untaken('the challenge as verifier', async () => { const sent = await code(); return { ...sent, code_verifier: pkce(sent.code_verifier).challenge }; }, 'invalid_grant');
  untaken('a short verifier', async () => ({ ...(await code()), code_verifier: 'x' }), 'invalid_grant');
  test('tokens: no redirect_uri: taken, as OAuth 2.1 has it, and the rest is still looked at', async () => {
    const { redirect_uri, ...sent } = await code();
    assert.equal((await flow.token({ ...sent, code_verifier: pkce().verifier })).json?.error, 'invalid_grant');
    for (const client of [manual, dynamic]) {
      const { redirect_uri: ignored, ...rest } = await code(client);
      const { status, json, text } = await flow.token(rest);
      assert.equal(status, 200, text);
      assert.match(json.access_token, /^prt_oat_/);
    }
  });
  untaken('another redirect_uri', async () => ({ ...(await code()), redirect_uri: 'http://127.0.0.1/callback' }), 'invalid_grant');
  untaken('the code of another client', async () => ({ ...(await code(dynamic)), client_id: manual, client_secret: secret }), 'invalid_grant');
  untaken('another resource', async () => ({ ...(await code()), resource: `${porteiro.origin}/api/mcp` }), 'invalid_target');
  untaken('a resource of somebody else', async () => ({ ...(await code()), resource: 'https://evil.example/mcp' }), 'invalid_target');
  untaken('a code that never was', async () => ({ ...(await code()), code: `prt_oac_${'0'.repeat(49)}` }), 'invalid_grant');
  untaken('an access token as code', async () => ({ ...(await code()), code: connection.token }), 'invalid_grant');
  untaken('credentials of a client for people', () => ({ grant_type: 'client_credentials', client_id: manual, client_secret: secret }), 'unauthorized_client');
  untaken('a code of a client for itself', async () => ({ ...(await code()), client_id: machine, client_secret: machineSecret }), 'unauthorized_client');
  untaken('credentials of a public client', () => ({ grant_type: 'client_credentials', client_id: dynamic }), 'unauthorized_client');
  untaken('credentials for a wider scope', () => ({ grant_type: 'client_credentials', client_id: machine, client_secret: machineSecret, scope: 'read admin' }), 'invalid_scope');
  untaken('credentials for another resource', () => ({ grant_type: 'client_credentials', client_id: machine, client_secret: machineSecret, resource: 'https://evil.example/mcp' }), 'invalid_target');
  untaken('an access token as refresh token', async () => ({ grant_type: 'refresh_token', refresh_token: (await flow.login(ana, dynamic)).access_token, client_id: dynamic }), 'invalid_grant');
  untaken('a refresh token of another client', async () => ({ grant_type: 'refresh_token', refresh_token: (await flow.login(ana, dynamic)).refresh_token, client_id: manual, client_secret: secret }), 'invalid_grant');
  untaken('a refresh token for a wider scope', async () => ({ grant_type: 'refresh_token', refresh_token: (await flow.login(ana, dynamic)).refresh_token, client_id: dynamic, scope: 'read admin' }), 'invalid_scope');
  untaken('a refresh token for another resource', async () => ({ grant_type: 'refresh_token', refresh_token: (await flow.login(ana, dynamic)).refresh_token, client_id: dynamic, resource: `${porteiro.origin}/api/mcp` }), 'invalid_target');

  test('tokens: nothing is taken from the address', async () => {
    const { code: secretCode, ...rest } = await code();
    assert.equal((await flow.form(`/oauth/token?code=${secretCode}`, rest)).json.error, 'invalid_request');
  });

  test('tokens: a code comes twice: nothing the second time, and what the first gave is over', async () => {
    const sent = await code();
    const first = await flow.token(sent);
    assert.equal(first.status, 200);
    assert.equal((await legacy(porteiro.url, first.json.access_token, 'tools/list')).status, 200);
    assert.equal((await flow.token(sent)).json.error, 'invalid_grant');
    assert.equal((await legacy(porteiro.url, first.json.access_token, 'tools/list')).status, 401);
    assert.equal((await flow.refresh(manual, first.json.refresh_token, { client_secret: secret })).json.error, 'invalid_grant');
  });

  test('tokens: one attempt is all a code is good for', async () => {
    const sent = await code();
    assert.equal((await flow.token({ ...sent, code_verifier: pkce().verifier })).json.error, 'invalid_grant');
    assert.equal((await flow.token(sent)).json.error, 'invalid_grant');
  });

  test('revoking what belongs to another client changes nothing', async () => {
    const { access_token, refresh_token } = await flow.login(ana, dynamic);
    for (const token of [access_token, refresh_token, 'prt_oat_nonsense', connection.token]) {
      assert.equal((await flow.revoke({ token, client_id: manual, client_secret: secret })).status, 200);
    }
    assert.equal((await flow.revoke({ token: access_token, client_id: 'prc_nothing' })).status, 401);
    assert.equal((await flow.revoke({ client_id: dynamic })).status, 400);
    assert.equal((await legacy(porteiro.url, access_token, 'tools/list')).status, 200);
    assert.equal((await legacy(porteiro.url, connection.token, 'tools/list')).status, 200);
  });

  // --- at MCP

  test('what is no access token opens nothing', async () => {
    const sent = await code();
    for (const token of [sent.code, secret, (await flow.login(ana, dynamic)).refresh_token]) {
      assert.equal((await legacy(porteiro.url, token, 'tools/list')).status, 401);
    }
    const { access_token } = await flow.login(ana, dynamic);
    assert.equal((await legacy(`${porteiro.url}?access_token=${access_token}`, undefined, 'tools/list')).status, 401);
    const api = await fetch(`${porteiro.origin}/api/me`, { headers: { authorization: `Bearer ${access_token}` } });
    assert.equal(api.status, 401, 'nor the REST API');
  });

  test('no client\'s token is passed on to the site', async () => {
    // The site is WordPress itself, which would refuse it: what it gets is its own application password.
    const { access_token } = await flow.login(ana, dynamic);
    const answer = await legacy(porteiro.url, access_token, 'tools/call', { name: 'wp_find', arguments: { type: 'post' } });
    assert.ok(!answer.json.result.isError, answer.text);
  });

  test('other hosts are refused everywhere', async () => {
    const { exchange } = await import('../integration/lib/raw.mjs');
    for (const path of ['/.well-known/oauth-authorization-server', '/.well-known/oauth-protected-resource/mcp', '/oauth/authorize']) {
      const { bytes } = await exchange(porteiro.port, [`GET ${path} HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n`]);
      assert.match(String(bytes), /^HTTP\/1\.1 4(03|21)/);
      assert.doesNotMatch(String(bytes), /issuer|resource_metadata/);
    }
  });
});

describe('rows that were changed in the database', () => {
  let porteiro, flow, ana, db;
  before(async () => {
    porteiro = await (await Porteiro.create()).serve();
    await porteiro.addUser();
    await porteiro.addConnection(fixtures.sites.new);
    flow = new Flow(porteiro);
    ana = await flow.person();
    db = openSqlite(`${porteiro.dir}/porteiro.db`);
  });
  after(async () => {
    db?.close();
    await porteiro?.stop();
  });

  const changed = (name, sql, attempt) =>
    test(name, async () => {
      const client = await flow.dynamic();
      const tokens = await flow.login(ana, client);
      db.prepare(sql.replaceAll('$client', `'${client}'`)).run();
      await attempt(client, tokens);
    });
  const norefresh = async (client, { refresh_token }) => assert.equal((await flow.refresh(client, refresh_token)).json.error, 'invalid_grant');
  changed('more rights', "UPDATE mcp_oauth_grants SET rights = 'read,draft,publish,delete,fetch,admin' WHERE client_id = $client", norefresh);
  changed('another connection', 'UPDATE mcp_oauth_grants SET connections = \'99\' WHERE client_id = $client', norefresh);
  changed('another resource', "UPDATE mcp_oauth_grants SET resource = 'https://evil.example/mcp' WHERE client_id = $client", norefresh);
  changed('another family', "UPDATE mcp_oauth_refresh_tokens SET grant_id = (SELECT id FROM mcp_oauth_grants WHERE client_id <> $client LIMIT 1) WHERE grant_id = (SELECT id FROM mcp_oauth_grants WHERE client_id = $client)", norefresh);
  changed('another audience of an access token', "UPDATE mcp_oauth_tokens SET resource = resource || '/wordpress'", async (client, { access_token }) => {
    assert.equal((await legacy(`${porteiro.url}/wordpress`, access_token, 'tools/list')).status, 401);
  });
  changed('no audience', 'DELETE FROM mcp_oauth_tokens', async (client, { access_token }) => {
    assert.equal((await legacy(porteiro.url, access_token, 'tools/list')).status, 401);
  });
  changed('another address of a client', `UPDATE mcp_oauth_clients SET redirect_uris = '["https://evil.example/"]' WHERE id = $client`, async client => {
    assert.equal((await ana.request('GET', flow.address(client, { redirect_uri: 'https://evil.example/' }))).status, 400);
  });
});

test('registering is limited by address', async () => {
  const porteiro = await (await Porteiro.create()).serve();
  try {
    const flow = new Flow(porteiro);
    const answers = [];
    for (let i = 0; i < 11; i++) answers.push(await flow.register({ redirect_uris: [REDIRECT] }));
    assert.deepEqual(answers.map(answer => answer.status), [...Array(10).fill(201), 429]);
    assert.ok(Number(answers[10].headers.get('retry-after')) > 0);
  } finally {
    await porteiro.stop();
  }
});
