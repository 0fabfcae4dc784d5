// Logins under attack: how long an answer takes tells nothing, and guessers use up their own tries, never the owner's.
// PORTEIRO_LOGIN_TRIES=10000 (./dev soak): so many of each kind instead of 12, and the guessing goes on for a minute instead of two seconds.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import { after, before, describe, test } from 'node:test';
import { fixtures } from './lib/fixtures.mjs';
import { Porteiro } from './lib/porteiro.mjs';
import { query } from './lib/postgres.mjs';
import { mustRun } from './lib/process.mjs';

const PASSWORD = 'correct horse battery staple';
const TRIES = Number(process.env.PORTEIRO_LOGIN_TRIES ?? 12);
const GUESSES_PER_SECOND = 500;
const GUESSES = GUESSES_PER_SECOND * (TRIES >= 500 ? 60 : 2);
const TRIES_OF_ACCOUNT = 10; // in a row, src/accounts/login.c

const sum = values => values.reduce((a, b) => a + b, 0);
const mean = values => sum(values) / values.length;
const variance = values => sum(values.map(value => (value - mean(values)) ** 2)) / (values.length - 1);
const median = values => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
// Welch's t: above 4.5 two rows of measurements are told apart.
const welch = (a, b) => Math.abs(mean(a) - mean(b)) / Math.sqrt(variance(a) / a.length + variance(b) / b.length || 1);

let addresses = 0;
const newAddress = () => `10.${(addresses >> 16) & 255}.${(addresses >> 8) & 255}.${addresses++ & 255}`;

// What the server's processes have computed so far, in milliseconds: other than time, it does not depend on who else uses this machine.
const CLOCK_TICK_MS = 10;
function cpuMs(pid) {
  const children = fs.readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean);
  return sum([pid, ...children].map(id => {
    const fields = fs.readFileSync(`/proc/${id}/stat`, 'utf8').replace(/^.*\) /, '').split(' ');
    return (Number(fields[11]) + Number(fields[12])) * CLOCK_TICK_MS;
  }));
}

describe('logins', () => {
  let porteiro, people;
  before(async () => {
    porteiro = await Porteiro.create({ database: fixtures.postgres.port, env: { PORTEIRO_TRUSTED_PROXIES: '127.0.0.1', PORTEIRO_LOG_LEVEL: 'warning' } });
    await porteiro.addUser('ana@example.test', { password: PASSWORD });
    // So many that none of them runs out of tries; all with the one hash.
    people = Math.ceil(TRIES / TRIES_OF_ACCOUNT) + 1;
    await mustRun('psql', ['-qX', '-v', 'ON_ERROR_STOP=1', porteiro.database.url, '-c',
      `INSERT INTO mcp_users (name, email, phone, password_hash) SELECT 'P' || i, 'p' || i || '@example.test', '5511' || (900000000 + i), password_hash FROM mcp_users, generate_series(1, ${people}) i`]);
    await porteiro.serve();
  });
  after(() => porteiro?.stop());

  const agent = new http.Agent({ keepAlive: true, maxSockets: 1000 });
  after(() => agent.destroy());
  function login(emailOrPhone, password, address = newAddress(), device) {
    const begun = performance.now(), body = JSON.stringify({ emailOrPhone, password });
    return new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), 'x-forwarded-for': address, ...(device && { cookie: device, origin: porteiro.origin, 'sec-fetch-site': 'same-origin', 'x-porteiro': '1' }) };
      const request = http.request(`${porteiro.origin}/api/auth/login`, { method: 'POST', agent, headers }, answer => {
        let text = '';
        answer.setEncoding('utf8').on('data', chunk => (text += chunk)).on('end', () => resolve({
          status: answer.statusCode, ms: performance.now() - begun, text, retryAfter: answer.headers['retry-after'],
          device: answer.headers['set-cookie']?.find(cookie => cookie.startsWith('porteiro-device='))?.split(';')[0],
        }));
      });
      request.on('error', reject).end(body);
    });
  }

  test(`known and unknown people take the same time, never less than 250 ms (${TRIES} tries of each)`, async t => {
    const known = [], unknown = [], malformed = [];
    await login('warm-up@example.test', 'warm up');
    for (let i = 0; i < TRIES; i++) { // one after the other in turn, so that what slows this machine down slows all
      const who = `p${1 + Math.floor(i / TRIES_OF_ACCOUNT)}@example.test`;
      const answers = [await login(who, `wrong ${i}`), await login(`nobody${i}@example.test`, `wrong ${i}`), await login(`no address ${i}`, `wrong ${i}`)];
      assert.deepEqual(answers.map(answer => answer.status), [401, 401, 401]);
      assert.deepEqual(new Set(answers.map(answer => answer.text)).size, 1, 'and say the same');
      [known, unknown, malformed].forEach((row, kind) => row.push(answers[kind].ms));
    }
    const shown = [known, unknown, malformed].map(row => `median ${median(row).toFixed(1)}, mean ${mean(row).toFixed(1)}, deviation ${Math.sqrt(variance(row)).toFixed(1)}, least ${Math.min(...row).toFixed(1)} ms`);
    t.diagnostic(`login timing: known: ${shown[0]}; unknown: ${shown[1]}; no address at all: ${shown[2]}; Welch t ${welch(known, unknown).toFixed(2)} and ${welch(known, malformed).toFixed(2)}`);
    for (const row of [known, unknown, malformed]) assert.ok(Math.min(...row) >= 250, 'padded');
    for (const row of [unknown, malformed]) {
      assert.ok(welch(known, row) < 4.5, shown.join('; '));
      if (TRIES >= 500) assert.ok(Math.abs(median(known) - median(row)) < 5, shown.join('; ')); // fewer, on a busy machine, say little
    }
    const right = await login('p1@example.test', PASSWORD);
    assert.ok(right.ms >= 250 || right.status === 429, 'a right one is padded, too');
  });

  test('500 tries a second from many addresses: ten passwords are looked at, and the owner still gets in', async t => {
    const home = '192.0.2.7';
    const before = cpuMs(porteiro.server.pid);
    const { status, device } = await login('ana@example.test', PASSWORD, home);
    assert.equal(status, 200, 'she is logged in somewhere');
    const cpu = cpuMs(porteiro.server.pid), hashMs = cpu - before;
    const tries = [], begun = performance.now();
    for (let i = 0; i < GUESSES; i++) {
      tries.push(login('ana@example.test', `guess ${i}`));
      while (performance.now() - begun < i * 1000 / GUESSES_PER_SECOND) await new Promise(done => setTimeout(done, 1));
    }
    const sentAt = GUESSES / ((performance.now() - begun) / 1000);
    const owner = login('ana@example.test', PASSWORD, home), onTheRoad = login('ana@example.test', PASSWORD, newAddress(), device);
    const answers = await Promise.all(tries);
    const perSecond = GUESSES / ((performance.now() - begun) / 1000);
    const looked = answers.filter(answer => answer.status === 401), refused = answers.filter(answer => answer.status === 429);
    const each = (cpuMs(porteiro.server.pid) - cpu - hashMs * (looked.length + 2)) / refused.length;
    t.diagnostic(`login guessing: ${GUESSES} tries sent at ${sentAt.toFixed(0)} a second, all answered at ${perSecond.toFixed(0)} a second (250 ms of padding and all): ${looked.length} passwords looked at, ${refused.length} refused; ${each.toFixed(2)} ms of CPU for each of those, median answer ${median(answers.map(answer => answer.ms)).toFixed(0)} ms`);
    assert.equal(looked.length + refused.length, GUESSES);
    const minutes = (performance.now() - begun) / 60_000;
    assert.ok(looked.length <= TRIES_OF_ACCOUNT + 1 + minutes, `${looked.length} passwords were looked at`);
    // So 500 of them a second fit into half a core, whoever else is on this machine just now.
    if (!process.env.ASAN_OPTIONS) assert.ok(each < 1, `${each} ms of CPU for each`);
    assert.ok(Math.min(...answers.map(answer => answer.ms)) >= 250, 'refused or not, padded');
    for (const { retryAfter, text } of refused) {
      assert.ok(Number(retryAfter) >= 1 && Number(retryAfter) <= 60, `Retry-After: ${retryAfter}`);
      assert.ok(text.includes(`${retryAfter} second`), text);
    }
    assert.equal((await owner).status, 200, 'the owner was not locked out');
    assert.equal((await onTheRoad).status, 200, 'nor in her browser at an address where nobody knows her');
    assert.equal((await login('ana@example.test', PASSWORD)).status, 429, 'without its cookie she is one of the strangers');
    assert.equal((await login(`p${people}@example.test`, PASSWORD, newAddress(), device)).status, 200, 'and it spoils no other account');
    assert.equal((await login('ana@example.test', PASSWORD, home)).status, 200);
    const [{ n }] = await query(porteiro.database.url, "SELECT count(*)::int AS n FROM mcp_audit_logs WHERE action = 'auth.login_failed' AND data->>'emailOrPhone' = 'ana@example.test'");
    assert.equal(n, looked.length, 'each that was looked at is in the audit');
  });

  test('while an account is guessed at, a new password lets its owner in, in the browser that opened the link', async () => {
    const owner = newAddress(), ana = () => login('ana@example.test', `${PASSWORD}!`, newAddress());
    while ((await login('ana@example.test', 'a guess')).status !== 429);
    const { link } = await porteiro.json(['user', 'reset-link', 'ana@example.test']);
    const answer = await fetch(`${porteiro.origin}/api/auth/reset`, { method: 'POST', headers: { 'content-type': 'application/json', 'x-forwarded-for': owner },
      body: JSON.stringify({ token: new URL(link).searchParams.get('token'), password: `${PASSWORD}!` }) });
    assert.equal(answer.status, 200);
    const device = answer.headers.getSetCookie().find(cookie => cookie.startsWith('porteiro-device='));
    assert.match(device, /HttpOnly; SameSite=Lax; Max-Age=31536000/);
    assert.equal((await ana()).status, 429);
    assert.equal((await login('ana@example.test', `${PASSWORD}!`, owner, device.split(';')[0])).status, 200);
  });

  test('one address runs out of tries whomever it tries, and is told when to come again', async () => {
    const address = '198.51.100.9';
    const answers = await Promise.all(Array.from({ length: 40 }, (_, i) => login(`somebody${i}@example.test`, 'x'.repeat(12), address)));
    assert.equal(answers.filter(answer => answer.status === 401).length <= 31, true);
    const refused = answers.filter(answer => answer.status === 429);
    assert.ok(refused.length >= 9);
    assert.ok(refused.some(answer => Number(answer.retryAfter) <= 6), 'one more every six seconds');
  });
});
