// Signing in with Neon Auth: its tables of both eras, its keys over HTTP, and tokens that should not be believed. Keys are made here.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import { after, before, describe, test } from 'node:test';
import { fixtures } from './lib/fixtures.mjs';
import { Porteiro } from './lib/porteiro.mjs';
import { query } from './lib/postgres.mjs';
import { mustRun } from './lib/process.mjs';

const base64url = value => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
const DIGESTS = { EdDSA: null, ES256: 'sha256', RS256: 'sha256' };

function keyPair(kid, alg) {
  const { publicKey, privateKey } = alg === 'EdDSA' ? crypto.generateKeyPairSync('ed25519') : alg === 'ES256' ? crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' }) : crypto.generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { kid, alg, privateKey, publicKey, jwk: { ...publicKey.export({ format: 'jwk' }), kid, alg, use: 'sig' } };
}

function sign(key, claims, header = {}) {
  const text = `${base64url({ alg: key.alg, kid: key.kid, ...header })}.${base64url(claims)}`;
  return `${text}.${crypto.sign(DIGESTS[key.alg], Buffer.from(text), { key: key.privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
}

// Better Auth's tables and Stack Auth's, as Neon makes them (the columns that matter and some that do not).
const NEW_ERA = `CREATE SCHEMA neon_auth; CREATE TABLE neon_auth."user" (id uuid PRIMARY KEY, name text NOT NULL, email text NOT NULL UNIQUE, "emailVerified" boolean NOT NULL,
  image text, "createdAt" timestamptz DEFAULT now() NOT NULL, "updatedAt" timestamptz DEFAULT now() NOT NULL, role text, banned boolean, "banReason" text, "banExpires" timestamptz);
  CREATE TABLE neon_auth.session (id uuid PRIMARY KEY, token text NOT NULL);`;
const OLD_ERA = `CREATE SCHEMA neon_auth; CREATE TABLE neon_auth.users_sync (raw_json jsonb NOT NULL, id text NOT NULL GENERATED ALWAYS AS (raw_json->>'id') STORED PRIMARY KEY,
  name text GENERATED ALWAYS AS (raw_json->>'display_name') STORED, email text GENERATED ALWAYS AS (raw_json->>'primary_email') STORED, updated_at timestamptz, deleted_at timestamptz);`;

describe('signing in with Neon Auth', () => {
  const ed = keyPair('ed', 'EdDSA'), es = keyPair('es', 'ES256'), rs = keyPair('rs', 'RS256'), later = keyPair('later', 'EdDSA');
  const ids = { ana: crypto.randomUUID(), bia: crypto.randomUUID(), cid: crypto.randomUUID(), dot: crypto.randomUUID(), eve: crypto.randomUUID() };
  let porteiro, jwks, server, origin, asked = 0, status = 200;

  const sql = (text, url = porteiro.database.url) => mustRun('psql', ['-qX', '-v', 'ON_ERROR_STOP=1', url, '-c', text]);
  const now = () => Math.floor(Date.now() / 1000);
  const claims = (extra = {}) => ({ iss: origin, aud: origin, sub: ids.ana, email: 'ana@example.test', emailVerified: true, role: 'authenticated', iat: now(), exp: now() + 900, ...extra });
  async function signIn(token, more = {}, at = porteiro) {
    const answer = await fetch(`${at.origin}/api/auth/neon`, { method: 'POST', headers: { 'content-type': 'application/json', 'x-forwarded-for': `10.9.${crypto.randomInt(256)}.${crypto.randomInt(256)}` }, body: JSON.stringify({ token, ...more }) });
    return { status: answer.status, json: await answer.json(), cookie: answer.headers.getSetCookie()[0] };
  }
  const user = (name, email, phone) => porteiro.addUser(email, { name, phone });
  const dump = () => query(porteiro.database.url, 'SELECT * FROM neon_auth."user" ORDER BY id');

  before(async () => {
    jwks = [ed, es, rs].map(key => key.jwk);
    server = http.createServer((request, response) => {
      asked++;
      assert.equal(request.url, '/neondb/auth/.well-known/jwks.json');
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ keys: jwks }));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    origin = `http://127.0.0.1:${server.address().port}`;
    porteiro = await Porteiro.create({ database: fixtures.postgres.port, env: { PORTEIRO_NEON_AUTH_URL: `${origin}/neondb/auth/`, PORTEIRO_TRUSTED_PROXIES: '127.0.0.1' } });
    await user('Ana', 'ana@example.test', '+5511999990001');
    await user('Bia', 'bia@example.test', '+5511999990002');
    await user('Dot', 'dot@example.test', '+5511999990004');
    await user('Eve', 'eve@example.test', '+5511999990005');
    for (const email of ['ana@example.test', 'dot@example.test', 'eve@example.test']) await porteiro.json(['user', 'confirm', email]);
    await porteiro.serve();
  });
  after(async () => {
    await porteiro?.stop();
    server?.close();
  });

  test('without the schema nobody signs in, and nothing else is different', async () => {
    const answer = await signIn(sign(ed, claims()));
    assert.equal(answer.status, 404);
    assert.match(answer.json.error.message, /no Neon Auth/);
    assert.equal((await query(porteiro.database.url, "SELECT count(*)::int AS n FROM pg_namespace WHERE nspname = 'neon_auth'"))[0].n, 0, 'and it was not made');
  });

  test('all three kinds of keys; the session is a real one; the audit says how', async () => {
    await sql(`${NEW_ERA} INSERT INTO neon_auth."user" (id, name, email, "emailVerified", banned) VALUES ('${ids.ana}', 'Ana', 'Ana@Example.test', true, NULL), ('${ids.bia}', 'Bia', 'bia@example.test', true, false),
      ('${ids.cid}', 'Cid', 'cid@example.test', true, false), ('${ids.dot}', 'Dot', 'dot@example.test', false, false), ('${ids.eve}', 'Eve', 'eve@example.test', true, true)`);
    const before = await dump();
    for (const key of [ed, es, rs]) {
      const answer = await signIn(sign(key, claims()));
      assert.equal(answer.status, 200, JSON.stringify(answer.json));
      assert.equal(answer.json.user.email, 'ana@example.test');
      const me = await (await fetch(`${porteiro.origin}/api/me`, { headers: { cookie: answer.cookie.split(';')[0] } })).json();
      assert.equal(me.email, 'ana@example.test');
    }
    assert.equal(asked, 1, 'the keys are kept');
    const { items } = await porteiro.json(['audit', 'list', '--action', 'auth.login']);
    assert.ok(items.some(item => item.data.by === 'neon_auth' && item.data.subject === ids.ana));
    assert.deepEqual(await dump(), before, 'only read');
  });

  test('forged tokens are refused, all with the same words', async () => {
    const hmac = (alg, secret) => {
      const text = `${base64url({ alg, kid: 'rs', typ: 'JWT' })}.${base64url(claims())}`;
      return `${text}.${crypto.createHmac('sha256', secret).update(text).digest('base64url')}`;
    };
    const good = sign(ed, claims());
    const [head, body, signature] = good.split('.');
    const forged = {
      'alg none': `${base64url({ alg: 'none', kid: 'ed' })}.${body}.`,
      'alg none with the old signature': `${base64url({ alg: 'none', kid: 'ed' })}.${body}.${signature}`,
      'HS256 with the public key (PEM)': hmac('HS256', rs.publicKey.export({ type: 'spki', format: 'pem' })),
      'HS256 with the public key (JWK)': hmac('HS256', JSON.stringify(rs.jwk)),
      'RS256 said, HMAC made': hmac('RS256', rs.publicKey.export({ type: 'spki', format: 'pem' })),
      'another algorithm than the key has': sign(ed, claims(), { alg: 'RS256' }),
      'another key of the list': sign(ed, claims(), { kid: 'es' }),
      'an unknown kid': sign(ed, claims(), { kid: '../ed' }),
      'no kid': sign(ed, claims(), { kid: undefined }),
      'a key brought along': sign(later, claims(), { kid: 'ed', jwk: later.jwk }),
      'an address of keys brought along': sign(later, claims(), { kid: 'ed', jku: `${origin}/evil` }),
      'another body': `${head}.${base64url(claims({ sub: ids.bia, email: 'bia@example.test' }))}.${signature}`,
      'another issuer': sign(ed, claims({ iss: `${origin}/` })),
      'no issuer': sign(ed, claims({ iss: undefined })),
      'another audience': sign(ed, claims({ aud: 'https://elsewhere.example' })),
      'no audience': sign(ed, claims({ aud: undefined })),
      expired: sign(ed, claims({ iat: now() - 2000, exp: now() - 31 })),
      'no expiry': sign(ed, claims({ exp: undefined })),
      'not good yet': sign(ed, claims({ nbf: now() + 60 })),
      'issued tomorrow': sign(ed, claims({ iat: now() + 86400, exp: now() + 90000 })),
      'without a subject': sign(ed, claims({ sub: undefined })),
      'an extension': sign(ed, claims(), { crit: ['exp'] }),
      'cut off': good.slice(0, -4),
      nothing: '',
    };
    const words = new Set();
    for (const [what, token] of Object.entries(forged)) {
      const answer = await signIn(token);
      assert.equal(answer.status, 401, what);
      assert.equal(answer.cookie, undefined, what);
      words.add(answer.json.error.message);
    }
    assert.equal(words.size, 1);
    assert.ok(!porteiro.logTail(500).includes(signature), 'no token in the log');
  });

  test('nobody takes over an account: unconfirmed on either side, banned, unknown, changed', async () => {
    const refused = async (token, words) => {
      const answer = await signIn(token);
      assert.equal(answer.status, 403, JSON.stringify(answer.json));
      assert.match(answer.json.error.message, words);
    };
    await refused(sign(ed, claims({ emailVerified: false })), /Confirm your e-mail address at Neon Auth/);
    await refused(sign(ed, claims({ sub: ids.dot, email: 'dot@example.test' })), /Confirm your e-mail address at Neon Auth/);
    await refused(sign(ed, claims({ sub: ids.bia, email: 'bia@example.test' })), /never confirmed here/);
    await refused(sign(ed, claims({ sub: ids.cid, email: 'cid@example.test' })), /Nobody has an account here/);
    await refused(sign(ed, claims({ sub: ids.eve, email: 'eve@example.test' })), /banned/);
    await refused(sign(ed, claims({ banned: true })), /banned/);
    await refused(sign(ed, claims({ sub: ids.cid, email: 'ana@example.test' })), /was changed/);
    await refused(sign(ed, claims({ sub: crypto.randomUUID() })), /does not know this person/);
    await refused(sign(ed, claims({ sub: "' OR true --" })), /does not know this person/);
  });

  test('a key that is new is found; while Neon Auth is away the known ones go on', async () => {
    jwks = [...jwks, later.jwk];
    const before = asked;
    const early = await signIn(sign(later, claims()));
    // Asked again at most every 30 seconds: the first answer may still be the old list.
    assert.ok(early.status === 200 || (early.status === 401 && asked === before), `${early.status}, asked ${asked - before}`);
    status = 503;
    for (let i = 0; i < 5; i++) assert.equal((await signIn(sign(es, claims()))).status, 200);
    assert.ok(asked <= before + 1, 'unknown keys are no way to make us ask all the time');
    status = 200;
  });

  test('the earlier era: users_sync, with its own issuer and audience', async () => {
    const old = await Porteiro.create({ database: fixtures.postgres.port, env: { PORTEIRO_NEON_AUTH_URL: `${origin}/neondb/auth`, PORTEIRO_NEON_AUTH_ISSUER: 'https://api.stack-auth.example/api/v1/projects/p1', PORTEIRO_NEON_AUTH_AUDIENCE: 'p1', PORTEIRO_TRUSTED_PROXIES: '127.0.0.1' } });
    try {
      await old.addUser('ana@example.test');
      await old.json(['user', 'confirm', 'ana@example.test']);
      await old.serve();
      await sql(`${OLD_ERA} INSERT INTO neon_auth.users_sync (raw_json, deleted_at) VALUES ('{"id":"u1","display_name":"Ana","primary_email":"ana@example.test","primary_email_verified":true}', NULL),
        ('{"id":"u2","primary_email":"ana@example.test","primary_email_verified":true}', now()), ('{"id":"u3","primary_email":"ana@example.test"}', NULL)`, old.database.url);
      const stack = extra => ({ iss: 'https://api.stack-auth.example/api/v1/projects/p1', aud: 'p1', sub: 'u1', iat: now(), exp: now() + 600, ...extra });
      assert.equal((await signIn(sign(es, stack()), {}, old)).status, 200);
      assert.equal((await signIn(sign(es, stack({ sub: 'u2' })), {}, old)).status, 403, 'deleted');
      assert.equal((await signIn(sign(es, stack({ sub: 'u3' })), {}, old)).status, 403, 'nobody says that the address is confirmed');
      assert.equal((await signIn(sign(es, claims()), {}, old)).status, 401, 'the other era\'s issuer');
    } finally {
      await old.stop();
    }
  });

  test('not set up: 404, whatever is sent', async () => {
    const plain = await (await Porteiro.create({})).serve();
    try {
      assert.equal((await signIn(sign(ed, claims()), {}, plain)).status, 404);
    } finally {
      await plain.stop();
    }
  });
});
