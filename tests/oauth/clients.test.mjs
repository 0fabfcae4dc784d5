// Whole logins by the official client: only the address of the server is known, nothing is pasted. 401, metadata, the client's own
// description (or registering), PKCE, a person who logs in and agrees, tokens, a call; then a refresh, and a step up.
import assert from 'node:assert/strict';
import http from 'node:http';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { fixtures } from '../integration/lib/fixtures.mjs';
import { Client1, Client2, Transport1, Transport2, UnauthorizedError } from '../integration/lib/mcp.mjs';
import { Porteiro } from '../integration/lib/porteiro.mjs';
import { startDocuments } from './documents.mjs';
import { Flow } from './flow.mjs';

// What a client keeps between its steps; its browser is the person's.
class Login {
  constructor({ redirectUrl, clientMetadataUrl, browse, scope }) {
    Object.assign(this, { redirectUrl, clientMetadataUrl, browse });
    this.clientMetadata = { client_name: 'Official client', redirect_uris: [redirectUrl], grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'],
      token_endpoint_auth_method: 'none', application_type: 'native', ...(scope && { scope }) };
    this.asked = [];
  }
  state() { return (this.sent = crypto.randomUUID()); }
  clientInformation() { return this.client; }
  saveClientInformation(client) { this.client = client; }
  tokens() { return this.kept; }
  saveTokens(tokens) { this.kept = tokens; }
  saveCodeVerifier(verifier) { this.verifier = verifier; }
  codeVerifier() { return this.verifier; }
  discoveryState() { return this.discovered; }
  saveDiscoveryState(state) { this.discovered = state; }
  async redirectToAuthorization(url) {
    this.asked.push(url);
    this.back = await this.browse(url);
  }
}

describe('the official client logs in', () => {
  let porteiro, documents, flow, ana, callback, redirectUrl;
  const arrived = [];

  before(async () => {
    documents = await startDocuments({});
    porteiro = await (await Porteiro.create({ env: { PORTEIRO_CA_FILE: documents.ca } })).serve();
    await porteiro.addUser();
    await porteiro.addConnection(fixtures.sites.new);
    flow = new Flow(porteiro);
    ana = await flow.person();
    callback = http.createServer((request, response) => { arrived.push(request.url); response.end('ok'); }).listen(0, '127.0.0.1');
    await once(callback, 'listening');
    redirectUrl = `http://127.0.0.1:${callback.address().port}/callback`;
    documents.documents['client.json'] = { client_name: 'Official client', redirect_uris: ['http://127.0.0.1/callback'] };
  });
  after(async () => {
    callback?.close();
    await porteiro?.stop();
    await documents?.stop();
  });

  // The person's browser: the consent page, its form, and the way back to the client.
  const browse = choice => async url => {
    let page = await ana.request('GET', url.pathname + url.search);
    if (page.status === 200) page = await flow.decide(ana, page, choice);
    assert.equal(page.status, 303, page.text);
    await (await fetch(page.headers.get('location'))).text();
    return new URL(page.headers.get('location')).searchParams;
  };
  const provider = (options = {}) => new Login({ redirectUrl, browse: browse(options.choice), ...options });
  const transport2 = login => new Transport2(new URL(porteiro.url), { authProvider: login });

  async function connect2(login, mode = 'auto') {
    const make = () => new Client2({ name: 'whole-login', version: '1' }, { versionNegotiation: { mode } });
    let client = make();
    try {
      await client.connect(transport2(login));
    } catch (error) {
      assert.ok(error instanceof UnauthorizedError, String(error));
      assert.equal(login.back.get('state'), login.sent);
      await transport2(login).finishAuth(login.back);
      client = make();
      await client.connect(transport2(login));
    }
    return client;
  }

  for (const [name, options] of [['registering itself', () => ({})], ['described by its document', () => ({ clientMetadataUrl: documents.url('client.json') })]]) {
    for (const mode of ['auto', 'legacy']) {
      test(`${name}, ${mode}`, async () => {
        const login = provider(options());
        const client = await connect2(login, mode);
        assert.ok((await client.listTools()).tools.length >= 8);
        assert.match(login.kept.access_token, /^prt_oat_/);
        assert.equal(login.asked[0].searchParams.get('resource'), porteiro.url);
        assert.equal(login.client.client_id.startsWith('https://'), name.startsWith('described'));
        const found = await client.callTool({ name: 'wp_find', arguments: { type: 'post' } });
        assert.ok(!found.isError);
        await client.close();
      });
    }
  }

  test('an access token that is over is refreshed, without a person', async () => {
    const login = provider();
    await (await connect2(login)).close();
    const before = login.kept;
    await flow.revoke({ token: before.access_token, client_id: login.client.client_id });
    const client = await connect2(login);
    assert.ok((await client.listTools()).tools.length >= 8);
    assert.notEqual(login.kept.access_token, before.access_token);
    assert.equal(login.asked.length, 1, 'nobody was asked again');
    await client.close();
  });

  test('a tool that needs more: the client asks for it, with everything it had', async () => {
    const login = provider({ choice: { tick: {} } });
    const client = await connect2(login);
    await assert.rejects(client.callTool({ name: 'wp_create', arguments: { type: 'post', title: 'Stepped up', content: 'x', status: 'publish' } }));
    assert.equal(login.asked.length, 2);
    assert.deepEqual(login.asked[1].searchParams.get('scope').split(' ').filter(word => word !== 'offline_access').sort(), ['draft', 'publish', 'read']);
    await transport2(login).finishAuth(login.back);
    await client.close();
    const more = await connect2(login);
    const made = await more.callTool({ name: 'wp_create', arguments: { type: 'post', title: 'Stepped up', content: 'x', status: 'publish' } });
    assert.ok(!made.isError, JSON.stringify(made));
    await more.close();
  });

  test('sdk 1.x', async () => {
    const login = provider();
    const make = () => new Transport1(new URL(porteiro.url), { authProvider: login });
    let client = new Client1({ name: 'whole-login', version: '1' });
    await assert.rejects(client.connect(make()));
    await make().finishAuth(login.back.get('code'));
    client = new Client1({ name: 'whole-login', version: '1' });
    await client.connect(make());
    assert.ok((await client.listTools()).tools.length >= 8);
    await client.close();
  });

  test('every answer came back by way of the browser, with its issuer', () => {
    assert.ok(arrived.length >= 6);
    assert.ok(arrived.every(url => new URL(url, redirectUrl).searchParams.get('iss') === porteiro.origin));
  });
});
