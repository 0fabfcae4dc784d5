// Nothing grows: a server under steady load in which one in fifty goes wrong, at the site or at the client. Short form: a minute at
// 400 requests a second, the first forty seconds of which fill the database's cache; what lies free in the process goes back to the
// system every five seconds, so of each third its lowest point counts. Long form (PORTEIRO_TEST_LEAK_S=7200
// PORTEIRO_TEST_LEAK_RPS=500): after ten minutes memory grows by less than 1 MiB an hour, the descriptors are as many as they were,
// and the p99 of what needs no site has not moved by more than a tenth.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import { after, before, test } from 'node:test';
import { fixtures } from '../integration/lib/fixtures.mjs';
import * as fake from '../integration/lib/fake-site.mjs';
import { callTool } from '../integration/lib/mcp.mjs';
import { Porteiro } from '../integration/lib/porteiro.mjs';
import { sleep, waitFor } from '../integration/lib/process.mjs';
import { workersOf } from '../workers/help.mjs';

const SECONDS = Number(process.env.PORTEIRO_TEST_LEAK_S ?? 60);
const RATE = Number(process.env.PORTEIRO_TEST_LEAK_RPS ?? 400);
const IS_LONG = SECONDS >= 1200;
const WARM_S = IS_LONG ? 600 : SECONDS * 2 / 3;
const WINDOW_S = IS_LONG ? 60 : 3;
const SAMPLE_S = IS_LONG ? 7 : 0.5; // no multiple of the five seconds
const FAULTY = 0.02;
const MIB = 1024 * 1024;
const KEPT_MAX = 8; // connections to one site: as many as were needed at once last are kept
const ROUNDS_MAX = IS_LONG ? 1 : 3; // a machine that stands still has more requests at once than before, and memory for them; a leak goes on
const GROWTH_SHORT_MAX = MIB / 2; // 100 bytes for each request between the middles of the first and the last third

let porteiro, site, id;
const recorded = new Map();

// The real site answers each request once; from then on what it said, and now and then nothing that is any good.
const broken = [
  fake.reset, fake.html(), fake.status(500), fake.status(503, undefined, { 'Retry-After': '0' }),
  (request, response) => response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': 4096 }).end('[{"id":', () => response.destroy()),
  (request, response) => setTimeout(() => response.destroy(), 200),
];
async function answer(request, response, pass) {
  site.requests.length = 0;
  const key = `${request.method} ${request.url.replace(/[?&]_=\w+/, '')}`; // what keeps caches away is new each time
  const known = recorded.get(key);
  if (!known)
    return pass({ to: { writeHead: (code, headers) => ({ end: content => {
      if (code < 300) recorded.set(key, { code, headers, content });
      response.writeHead(code, headers).end(content);
    } }) } });
  if (Math.random() < FAULTY) return broken[Math.floor(Math.random() * broken.length)](request, response);
  response.writeHead(known.code, known.headers).end(known.content);
}

before(async () => {
  site = await fake.startFakeSite(fixtures.sites.new);
  porteiro = await (await Porteiro.create({ env: { PORTEIRO_ACCESS_LOG: 'off' } })).serve();
  await porteiro.addUser();
  ({ token: porteiro.token } = await porteiro.addConnection(site, { rights: 'read,draft,publish' }));
  id = (await callTool(porteiro.url, porteiro.token, 'wp_create', { type: 'post', title: 'Steady', content: 'One line.' })).text.match(/\b\d+\b/)[0];
  site.answer = answer;
});
after(async () => {
  await porteiro?.stop();
  await site?.stop();
});

const call = (name, args) => ({ method: 'tools/call', params: { name, arguments: args } });
// What is asked, with how often of a hundred.
const mix = () => [
  [29, { method: 'ping' }], [20, { method: 'tools/list' }], [25, call('wp_find', { type: 'post', per_page: 10 })],
  [15, call('wp_read', { id })], [1, call('wp_edit', { id, set: { title: 'Steady still' } })], [2, call('wp_site', {})],
  [6, { method: 'initialize', params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'steady', version: '1' } } }],
  [2, call('no_such_tool', {})],
].flatMap(([times, what]) => Array(times).fill(what));

// It gives up idle connections before the server does (60 s): who uses one in the moment in which it ends is reset.
const agent = new http.Agent({ keepAlive: true, maxSockets: 64, timeout: 30_000 });
const mistakes = [
  { body: '{"jsonrpc":"2.0","id":1,"method":' }, { token: 'prt_pat_unknown' }, { path: '/nothing/here' }, { aborts: true }, { body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'no/such' }) },
];

// One request: its status and its time in ms.
function send(what, { body = JSON.stringify({ jsonrpc: '2.0', id: 1, ...what }), token = porteiro.token, path = '/mcp', aborts } = {}) {
  return new Promise((resolve, reject) => {
    const began = performance.now();
    const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json', Accept: 'application/json, text/event-stream', 'Content-Length': Buffer.byteLength(body) };
    const request = http.request({ host: '127.0.0.1', port: porteiro.port, method: 'POST', path, agent: aborts ? undefined : agent, headers }, response => {
      response.resume();
      response.on('end', () => resolve({ status: response.statusCode, ms: performance.now() - began }));
      response.on('error', reject);
    });
    request.on('error', error => (aborts ? resolve({ status: 0 }) : reject(error)));
    if (aborts) setTimeout(() => request.destroy(), Math.random() * 4);
    request.end(aborts && Math.random() < 0.5 ? undefined : body);
  });
}

// Memory that is nobody else's and no file's, and descriptors, of all our processes.
const processes = () => [porteiro.server.pid, ...Object.values(workersOf(porteiro))];
const memory = () => processes().reduce((sum, pid) => sum + Number(/^Anonymous:\s+(\d+) kB/m.exec(fs.readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))[1]) * 1024, 0);
const descriptors = () => processes().reduce((sum, pid) => sum + fs.readdirSync(`/proc/${pid}/fd`).length, 0);
async function atRest() {
  agent.destroy();
  site.hangUp();
  let last = -1;
  await waitFor('the descriptors to be as many as a second ago', () => last === (last = descriptors()), 20_000, 1000);
  return last;
}

// Load for so long, `from` seconds after the beginning of all: {sent, failures, samples: [{s, bytes}], windows: [[ms, ...], ...]}.
async function steady(seconds, from) {
  const seen = { windows: [], failures: [], samples: [], sent: 0 };
  const all = mix(), pending = new Set(), began = performance.now();
  for (let now; (now = (performance.now() - began) / 1000) < seconds;) {
    const due = Math.floor(now * RATE) - seen.sent;
    for (let n = 0; n < due; n++) {
      const what = all[(37 * seen.sent++) % all.length];
      const mistake = Math.random() < FAULTY && mistakes[Math.floor(Math.random() * mistakes.length)];
      const one = send(what, mistake || undefined).then(
        ({ status, ms }) => {
          if (status !== 200) mistake || seen.failures.push(status);
          else if (what.method !== 'tools/call') (seen.windows[Math.floor((from + now) / WINDOW_S)] ??= []).push(ms);
        },
        error => mistake || seen.failures.push(error.code ?? error.message)).finally(() => pending.delete(one));
      pending.add(one);
    }
    if (from + now >= WARM_S && (!seen.samples.length || from + now - seen.samples.at(-1).s >= SAMPLE_S)) seen.samples.push({ s: from + now, bytes: memory() });
    await sleep(5);
  }
  await Promise.all(pending);
  return seen;
}

const mean = list => list.reduce((sum, one) => sum + one, 0) / list.length;
const third = (list, n) => list.slice(Math.floor((list.length * n) / 3), Math.floor((list.length * (n + 1)) / 3));
// Bytes an hour, by least squares.
function slope(samples) {
  const s = mean(samples.map(one => one.s)), bytes = mean(samples.map(one => one.bytes));
  return (3600 * samples.reduce((sum, one) => sum + (one.s - s) * (one.bytes - bytes), 0)) / samples.reduce((sum, one) => sum + (one.s - s) ** 2, 0);
}
const p99 = times => times.toSorted((a, b) => a - b)[Math.floor(times.length * 0.99)];

// Bytes from the first third to the last.
const lowest = samples => Math.min(...samples.map(one => one.bytes));
const growth = samples => lowest(third(samples, 2)) - lowest(third(samples, 0));

test(`${SECONDS} s at ${RATE} a second: nothing grows`, { timeout: (ROUNDS_MAX * SECONDS + 120) * 1000 }, async () => {
  const failures = [];
  const load = async (seconds, from) => {
    const seen = await steady(seconds, from);
    failures.push(...seen.failures);
    assert.ok(seen.sent > 0.9 * RATE * seconds, `only ${seen.sent} requests in ${seconds} s`);
    return seen;
  };
  await load(WARM_S, 0);
  const before = await atRest();
  let seen, grown;
  for (let round = 0, from = WARM_S; round < ROUNDS_MAX; round++, from += SECONDS - WARM_S) {
    seen = await load(SECONDS - WARM_S, from);
    grown = growth(seen.samples);
    const windows = seen.windows.filter(times => times?.length > 20).map(p99);
    seen.drift = [mean(third(windows, 0)), mean(third(windows, 2))];
    console.log(`leaks: ${seen.sent} requests in ${SECONDS - WARM_S} s; anonymous memory ${(seen.samples[0].bytes / MIB).toFixed(1)} to ${(seen.samples.at(-1).bytes / MIB).toFixed(1)} MiB, ` +
      `${(grown / 1024).toFixed(0)} KiB from the first third to the last, ${(slope(seen.samples) / MIB).toFixed(2)} MiB an hour; p99 of what needs no site ${seen.drift.map(ms => ms.toFixed(1)).join(' to ')} ms`);
    if (grown < GROWTH_SHORT_MAX) break;
  }
  const left = await atRest();
  console.log(`leaks: descriptors ${before} to ${left}`);
  assert.deepEqual(failures.slice(0, 10), []);
  assert.ok(Math.abs(left - before) <= KEPT_MAX, 'descriptors');
  if (IS_LONG) {
    assert.ok(slope(seen.samples) < MIB, 'memory');
    assert.ok(seen.drift[1] < 1.1 * seen.drift[0], 'p99');
  } else {
    assert.ok(grown < GROWTH_SHORT_MAX, `memory: ${grown} bytes`);
  }
});
