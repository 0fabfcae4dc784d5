// An OAuth client by hand, so that every step can be done wrongly: metadata, registering, authorizing as a person who logs in and
// sends the form of the consent page, tokens.
import { createHash, randomBytes } from 'node:crypto';
import assert from 'node:assert/strict';
import { Browser, tags, unescape } from '../integration/lib/pages.mjs';

export const PASSWORD = 'correct horse battery staple';
export const REDIRECT = 'https://app.example/callback';

export const pkce = (verifier = randomBytes(32).toString('base64url')) => ({ verifier, challenge: createHash('sha256').update(verifier).digest('base64url') });

export class Flow {
  constructor(porteiro, { origin = porteiro.origin, resource = `${porteiro.origin}/mcp` } = {}) {
    Object.assign(this, { porteiro, origin, resource });
  }

  async json(path, options) {
    const answer = await fetch(this.origin + path, { redirect: 'manual', ...options });
    const text = await answer.text();
    return { status: answer.status, headers: answer.headers, text, json: answer.headers.get('content-type')?.startsWith('application/json') ? JSON.parse(text) : undefined };
  }

  form(path, fields, headers = {}) {
    return this.json(path, {
      method: 'POST', body: typeof fields === 'string' ? fields : new URLSearchParams(fields).toString(),
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    });
  }

  token = (fields, headers) => this.form('/oauth/token', fields, headers);
  revoke = (fields, headers) => this.form('/oauth/revoke', fields, headers);

  register(description, headers = {}) {
    return this.json('/oauth/register', {
      method: 'POST', body: typeof description === 'string' ? description : JSON.stringify(description),
      // Each from a network of its own, where the test's server believes this header: ten may register from one.
      headers: { 'content-type': 'application/json', 'x-forwarded-for': `2001:${randomBytes(2).toString('hex')}:${randomBytes(2).toString('hex')}::1`, ...headers },
    });
  }

  // A dynamic client of this redirect address: its id.
  async dynamic(redirect = REDIRECT, more = {}) {
    const { status, json, text } = await this.register({ client_name: 'Test app', redirect_uris: [redirect].flat(), token_endpoint_auth_method: 'none', ...more });
    assert.equal(status, 201, text);
    return json.client_id;
  }

  address(client_id, { challenge, redirect_uri = REDIRECT, ...more } = {}) {
    const wanted = { response_type: 'code', client_id, redirect_uri, code_challenge: challenge ?? pkce().challenge, code_challenge_method: 'S256',
      state: 's t/+&=ä', scope: 'read draft', resource: this.resource, ...more };
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(wanted)) for (const one of [value].flat()) if (one !== null) query.append(name, one);
    return `/oauth/authorize?${query}`;
  }

  async person(email = 'ana@example.test') {
    const person = new Browser(this.origin);
    const page = await person.open('/login');
    const { action, fields } = page.form();
    const answer = await person.request('POST', action, {
      body: new URLSearchParams({ ...fields, emailOrPhone: email, password: PASSWORD }).toString(),
      headers: { 'content-type': 'application/x-www-form-urlencoded', origin: this.origin, 'sec-fetch-site': 'same-origin' },
    });
    assert.equal(answer.status, 303, answer.text);
    return person;
  }

  // What a browser would send of the consent page: hidden fields, the boxes that are ticked, and the password where it is asked for.
  // `tick`: {name: true or false}.
  consentFields(page, { decision = 'allow', tick = {}, password = PASSWORD } = {}) {
    const inputs = tags(page.html).filter(tag => tag.element === 'input');
    const fields = {};
    for (const { name, type, value, checked, disabled } of inputs) {
      if (disabled !== undefined) continue;
      if (type === 'password') fields[name] = password;
      else if (type === 'checkbox' ? tick[name] ?? checked !== undefined : true) fields[name] = value;
    }
    return { ...fields, decision };
  }

  async decide(person, page, choice = {}, headers = {}) {
    return person.request('POST', page.form().action, {
      body: new URLSearchParams(this.consentFields(page, choice)).toString(),
      headers: { 'content-type': 'application/x-www-form-urlencoded', origin: this.origin, 'sec-fetch-site': 'same-origin', ...headers },
    });
  }

  // Opens the page, says yes, and reads what comes back: {code, state, iss, error}.
  async consent(person, address, choice) {
    let page = await person.request('GET', address);
    if (page.status === 200) page = await this.decide(person, page, choice);
    assert.equal(page.status, 303, page.text);
    const back = new URL(page.headers.get('location'));
    return { ...Object.fromEntries(back.searchParams), back };
  }

  // From the client's id to tokens.
  async login(person, client_id, { redirect_uri = REDIRECT, choice, secret, ...more } = {}) {
    const { verifier, challenge } = pkce();
    const { code, error } = await this.consent(person, this.address(client_id, { challenge, redirect_uri, ...more }), choice);
    assert.ok(code, `no code: ${error}`);
    const fields = { grant_type: 'authorization_code', code, code_verifier: verifier, redirect_uri, client_id, ...(secret && { client_secret: secret }) };
    const answer = await this.token(fields);
    assert.equal(answer.status, 200, answer.text);
    return { ...answer.json, code, verifier, fields };
  }

  refresh(client_id, refresh_token, more = {}, headers) {
    return this.token({ grant_type: 'refresh_token', refresh_token, client_id, ...more }, headers);
  }
}
