// What scanners of the field find, on a server with TLS and PostgreSQL that somebody is logged in to: testssl, nmap, ffuf, wapiti,
// sqlmap, as Debian has them. Part of ./dev soak only: run it by tests/integration/run.mjs.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Person } from '../integration/lib/api.mjs';
import { fixtures } from '../integration/lib/fixtures.mjs';
import { Porteiro } from '../integration/lib/porteiro.mjs';
import { run, temporaryDirectory } from '../integration/lib/process.mjs';

const PATHS = Number(process.env.PORTEIRO_TEST_PATHS ?? 20_000);
const MINUTE = 60_000;
// Without the limits, sqlmap and ffuf would look at 429 answers.
const env = { PORTEIRO_LOGIN_TRIES_PER_ADDRESS: '100000', PORTEIRO_LOGIN_TRIES_PER_ACCOUNT: '100000', PORTEIRO_ACCESS_LOG: 'off' };

let porteiro, person, token, bearer, dir;
before(async () => {
  dir = temporaryDirectory('scan');
  porteiro = await (await Porteiro.create({ secure: true, database: fixtures.postgres.port, env })).serve();
  await porteiro.addUser();
  ({ token } = await porteiro.addConnection(fixtures.sites.new));
  person = new Person(porteiro);
  await person.login('ana@example.test', 'correct horse battery staple');
  ({ token: bearer } = await person.ok('POST', '/api/me/api-tokens', { name: 'scan' }));
});
after(() => porteiro?.stop()); // which fails after a crash

async function scan(program, args, minutes) {
  const { stdout, stderr } = await run(program, args, { cwd: dir, timeout: minutes * MINUTE, env: { ...process.env, HOME: dir } });
  fs.writeFileSync(path.join(dir, `${path.basename(program)}.log`), stdout + stderr);
  return stdout + stderr;
}

test('testssl: nothing of medium severity or above', { timeout: 20 * MINUTE }, async () => {
  const file = path.join(dir, 'testssl.json');
  await scan('testssl', ['--quiet', '--color', '0', '--warnings', 'off', '--jsonfile', file, `127.0.0.1:${porteiro.port}`], 15);
  const findings = JSON.parse(fs.readFileSync(file, 'utf8'));
  assert.ok(findings.length > 100, `${findings.length} findings`);
  // The certificate is made by the test: nobody has to trust it, it ends tomorrow, and it names no place of revocation. BREACH needs a
  // secret beside what an attacker chooses in one compressed answer: only the dashboard's files are compressed, when they are built.
  const ofTheTest = /^(cert_chain_of_trust|cert_expirationStatus|cert_notAfter|cert_revocation|BREACH$)/;
  const compressed = (await person.call('GET', '/api/me', undefined, { headers: { ...person.headers(), 'accept-encoding': 'gzip, br' } })).headers.get('content-encoding');
  assert.equal(compressed, null, 'an answer of the API');
  const bad = findings.filter(({ id, severity }) => ['MEDIUM', 'HIGH', 'CRITICAL', 'FATAL'].includes(severity) && !ofTheTest.test(id));
  assert.deepEqual(bad.map(({ id, severity, finding }) => `${severity} ${id}: ${finding}`), []);
  console.log(`scan: testssl: ${findings.length} findings, none of them bad`);
});

test('nmap: its probes of services and its scripts for known weaknesses', { timeout: 20 * MINUTE }, async () => {
  const text = await scan('nmap', ['-Pn', '-sV', '--version-all', '-p', String(porteiro.port), '--script', 'vuln and not (dos or external or broadcast)', '--script-timeout', '120s', '127.0.0.1'], 15);
  assert.match(text, /1 IP address \(1 host up\)/);
  assert.match(text, /open\s+ssl/);
  assert.doesNotMatch(text, /State: (LIKELY )?VULNERABLE|\bVULNERABLE:/, text);
  console.log('scan: nmap: nothing vulnerable');
});

function words() {
  const files = ['/usr/share/nmap/nselib/data/http-folders.txt', '/usr/lib/python3/dist-packages/wapitiCore/data/attacks/busterPayloads.txt', '/usr/share/sqlmap/data/txt/common-files.txt', '/usr/share/sqlmap/data/txt/smalldict.txt'];
  const found = new Set(files.flatMap(file => fs.readFileSync(file, 'utf8').split('\n')).map(line => line.trim().replace(/^\/+/, '')).filter(line => line && !line.startsWith('#') && /^[\x21-\x7e]+$/.test(line)));
  return ['', 'api/', 'oauth/', 'mcp/', '.well-known/', 'assets/'].flatMap(prefix => [...found].map(word => prefix + word)).slice(0, PATHS);
}

test(`ffuf: ${PATHS} paths, with and without a login`, { timeout: 20 * MINUTE }, async () => {
  const list = words(), file = path.join(dir, 'words.txt'), out = path.join(dir, 'ffuf.json');
  assert.equal(list.length, PATHS);
  fs.writeFileSync(file, list.join('\n'));
  // What there is to find: pages that are for everybody, and what says by its answer that it is no GET or needs a login.
  const known = /^(?:|[?#].*|(?:index\.html)|login|logout|register|reset|invitation|confirm-email|setup|robots\.txt|favicon\.(?:ico|svg)|healthz|readyz|metrics|mcp(?:\/.*)?|sse|api(?:\/.*)?|oauth\/.*|\.well-known\/.*|hooks\/.*|upload\/.*)$/;
  for (const headers of [[], ['-H', `Cookie: ${person.cookie}`]]) {
    await scan('ffuf', ['-s', '-k', '-u', `${porteiro.origin}/FUZZ`, '-w', file, '-mc', 'all', '-fc', '404', '-t', '10', '-o', out, '-of', 'json', ...headers], 15);
    const { results } = JSON.parse(fs.readFileSync(out, 'utf8'));
    const broken = results.filter(result => result.status >= 500), new_ = results.filter(result => result.status < 400 && !known.test(result.input.FUZZ));
    assert.deepEqual(broken.map(result => `${result.status} ${result.url}`), []);
    assert.deepEqual(new_.map(result => `${result.status} ${result.url}`), [], 'nobody knew of these');
    console.log(`scan: ffuf: ${list.length} paths, ${results.length} not 404, none of them unknown`);
  }
});

// Without those modules that ask the internet (wapp, nikto, ssrf).
test('wapiti: its modules over the pages', { timeout: 30 * MINUTE }, async () => {
  const out = path.join(dir, 'wapiti.json');
  const text = await scan('wapiti', ['-u', `${porteiro.origin}/`, ...['login', 'register', 'reset', 'oauth/authorize', 'api/openapi.json', 'api/audit?limit=5'].flatMap(place => ['-s', `${porteiro.origin}/${place}`]),
    '-m', 'backup,blindsql,buster,cookieflags,crlf,csp,csrf,exec,file,htaccess,http_headers,methods,permanentxss,redirect,shellshock,sql,xss,xxe', '-H', `Cookie: ${person.cookie}`, '--verify-ssl', '0', '--max-scan-time', '1200', '--max-attack-time', '180', '--flush-session', '--no-bugreport', '-f', 'json', '-o', out], 25);
  const { vulnerabilities } = JSON.parse(fs.readFileSync(out, 'utf8'));
  const looked = Number(/found (\d+) URLs and forms/.exec(text)?.[1] ?? 0);
  assert.ok(looked >= 6, text.slice(-2000));
  const found = Object.entries(vulnerabilities).flatMap(([kind, list]) => list.map(one => `${kind}: ${one.method} ${one.path}: ${one.info}`));
  // X-XSS-Protection turned on a filter that browsers have taken out, since it made holes of its own.
  assert.deepEqual(found.filter(one => !one.endsWith('X-XSS-Protection is not set')), []);
  console.log(`scan: wapiti: ${looked} addresses and forms, ${Object.keys(vulnerabilities).length} kinds of weakness, none found`);
});

const json = (place, body) => [place, ['--data', JSON.stringify(body), '-H', 'Content-Type: application/json']];
const places = {
  'the audit log': ['/api/audit?limit=5&before=9&action=tool&connection=1', []],
  'usage': ['/api/usage?days=30&by=token', []],
  'a connection': ['/api/connections/1*', []],
  'login by the API': json('/api/auth/login', { emailOrPhone: 'ana@example.test*', password: 'x' }),
  'an authorization': ['/oauth/authorize?response_type=code&client_id=x*&redirect_uri=http://127.0.0.1/*&state=s&code_challenge=c&code_challenge_method=S256', []],
  'a token': ['/oauth/token', ['--data', 'grant_type=refresh_token&refresh_token=x&client_id=y']],
  'a call': ['/mcp', ['--data', JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'wp_history', arguments: { id: '1*' } } }), '-H', 'Content-Type: application/json', '-H', 'Accept: application/json, text/event-stream']],
};
for (const [what, [place, args]] of Object.entries(places)) {
  test(`sqlmap, level 3, risk 2: ${what}`, { timeout: 30 * MINUTE }, async () => {
    const authorization = place === '/mcp' ? token : place.startsWith('/api/') && !place.includes('login') ? bearer : null;
    const text = await scan('sqlmap', ['-u', porteiro.origin + place, ...args, ...(authorization ? ['-H', `Authorization: Bearer ${authorization}`] : []), '--batch', '--level', '3', '--risk', '2', '--dbms', 'PostgreSQL', '--threads', '4', '--flush-session', '--skip', 'host,referer,user-agent,cookie', '--disable-coloring', '--ignore-code', '*', '--output-dir', dir], 25);
    assert.match(text, /do not appear to be injectable/, text.slice(-2000));
    assert.doesNotMatch(text, /identified the following injection point|is vulnerable/, text.slice(-2000));
    console.log(`scan: sqlmap: ${what}: not injectable`);
  });
}
