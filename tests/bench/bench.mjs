// node tests/bench/bench.mjs [--quick]: how fast and how small, beside nginx in the same run, on loopback only.
// CPU per request is user and system time of all processes of a server, from /proc/PID/stat, by the requests answered; each
// comparison is made in rounds that go back and forth between the two, and its figure is the median of the rounds' ratios.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Porteiro } from '../integration/lib/porteiro.mjs';
import { freePort } from '../integration/lib/ports.mjs';
import { ROOT, mustRun, sleep, start, temporaryDirectory, waitFor } from '../integration/lib/process.mjs';
import { startWordPress } from '../integration/lib/wordpress.mjs';
import { Load, median, pssBytes, tree, untilReady } from './measure.mjs';
import { startNginx } from './nginx.mjs';
import { listOfSize, startRecorder } from './record.mjs';

const QUICK = process.argv.includes('--quick');
const ROUNDS = QUICK ? 3 : 5;
const SECONDS = QUICK ? 1 : 3;
const [SERVER_CORE, LOAD_CORE] = os.availableParallelism() > 1 ? ['0', '1'] : ['0', '0'];
const CONNECTIONS = 32, IN_FLIGHT = 1000, CALLS_PER_SECOND = 1000, IDLE_CONNECTIONS = 10_000, UPSTREAM_BYTES = 10_240, SLOW_MS = 100;

// What the bench sets otherwise than a fresh installation has it; printed with the results.
const CONFIGURATION = {
  PORTEIRO_EGRESS_ALLOW: '127.0.0.0/8', // the upstream is on loopback
  PORTEIRO_ACCESS_LOG: 'off', // nginx logs nothing either
  PORTEIRO_MAX_UPSTREAM: '2000', // 1,000 calls in flight, all to one site
  PORTEIRO_MAX_UPSTREAM_PER_SITE: '2000',
  PORTEIRO_MAX_UPSTREAM_PER_USER: '0',
  PORTEIRO_TOKEN_CALLS_PER_MINUTE: '0', // one token makes all calls
  PORTEIRO_TOKEN_CALLS_AT_ONCE: '0',
  PORTEIRO_USER_CALLS_PER_MINUTE: '0',
};

const dir = temporaryDirectory('bench');
const program = name => path.join(ROOT, 'build/bench', name);
const load = new Load(program('load'), dir, LOAD_CORE);
const stops = [];
const rows = [];

function row(name, measured, limit, good, detail) {
  rows.push({ name, measured, limit, verdict: good ? 'ok' : 'SHORT' });
  console.log(`${name}: ${measured} (limit ${limit}) ${good ? '' : 'SHORT '}${detail ?? ''}`);
}

const pin = pid => Promise.all(tree(pid).map(one => mustRun('taskset', ['-acp', SERVER_CORE, String(one)])));
const fixed = (number, digits = 2) => number.toFixed(digits);

function rpcRequest(server, token, method, params) {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, ...(params && { params }) });
  return [
    'POST /mcp HTTP/1.1', `Host: 127.0.0.1:${server.port}`, `Authorization: Bearer ${token}`, 'Content-Type: application/json',
    'Accept: application/json, text/event-stream', 'MCP-Protocol-Version: 2025-11-25', `Content-Length: ${Buffer.byteLength(body)}`, '', body,
  ].join('\r\n');
}

// One request by node, to know the answer's bytes.
async function answerTo(request) {
  const [head, body] = request.split('\r\n\r\n');
  const headers = Object.fromEntries(head.split('\r\n').slice(1).map(line => line.split(': ')).filter(([name]) => !/^(host|content-length)$/i.test(name)));
  const host = /Host: (.*)/.exec(head)[1];
  const response = await fetch(`http://${host}/mcp`, { method: 'POST', headers, body });
  const text = await response.text();
  const message = JSON.parse(text);
  if (!message.result || message.result.isError) throw new Error(`the server answers ${response.status} ${text.slice(0, 500)}`);
  return text;
}

// Back and forth between two subjects; the reports of each.
async function interleave(subjects, ...mode) {
  const reports = subjects.map(() => []);
  for (const subject of subjects) await load.run(subject, ...mode.slice(0, -1), 0.5); // warm
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, subject] of subjects.entries()) reports[i].push(await load.run(subject, ...mode));
  }
  return reports;
}

async function compareCpu(name, ours, nginx, limit) {
  const [a, b] = await interleave([ours, nginx], 'flight', CONNECTIONS, SECONDS);
  const ratio = median(a.map((report, i) => report.cpu_us / b[i].cpu_us));
  const side = reports => `${fixed(median(reports.map(r => r.cpu_us)), 1)} us, ${Math.round(median(reports.map(r => r.per_second)))}/s, ${Math.round(reports[0].answer_bytes)} B`;
  row(name, `${fixed(ratio)}x`, `${limit}x`, ratio <= limit, `[porteiro ${side(a)}; nginx ${side(b)}]`);
}

// A recorded WordPress with its connection in porteiro: {port, uri, token, perCall}
async function recordSite(porteiro, wordpress, name, delay) {
  const port = await freePort();
  const recorder = await startRecorder(wordpress, port);
  const { id, token } = await porteiro.addConnection({ url: recorder.url, users: wordpress.users }, { name });
  const find = rpcRequest(porteiro, token, 'tools/call', FIND);
  await answerTo(find);
  recorder.takeAsked();
  await answerTo(find); // what a call asks when all that is kept is there
  const asked = recorder.takeAsked();
  const uris = asked.map(line => line.slice(line.indexOf(' ') + 1));
  const uri = uris.toSorted((a, b) => recorder.answers.get(b).body.length - recorder.answers.get(a).body.length)[0];
  const answer = recorder.answers.get(uri);
  answer.body = listOfSize(answer.body, UPSTREAM_BYTES);
  for (const header of answer.headers) if (header[0] === 'Content-Length') header[1] = String(answer.body.length);
  const answers = path.join(dir, name);
  recorder.save(answers);
  await recorder.stop();
  const log = path.join(dir, `${name}.log`);
  const upstream = start('taskset', ['-c', LOAD_CORE, program('upstream'), String(port), answers, String(delay)], { log });
  stops.push(() => upstream.stop('SIGKILL'));
  await waitFor('the upstream', () => fetch(`http://127.0.0.1:${port}${uri}`).then(r => r.status === 200));
  return { id, token, find, port, uri, log, asked, bytes: answer.body.length, items: JSON.parse(answer.body).length };
}

const FIND = { name: 'wp_find', arguments: { type: 'post', limit: 20, fields: ['url', 'status', 'excerpt'] } };

async function startPorteiro() {
  const porteiro = await Porteiro.create({ env: CONFIGURATION });
  const launch = async () => (await untilReady(porteiro.port, () => (porteiro.server = start(path.join(ROOT, 'build/porteiro'), ['serve'], { env: porteiro.env, cwd: porteiro.dir, log: porteiro.log })))).ms;
  stops.push(() => porteiro.stop());
  const first = await launch();
  await sleep(1000);
  const idle = pssBytes(porteiro.server.pid);
  const again = [];
  for (let i = 0; i < 5; i++) {
    await porteiro.stop();
    again.push(await launch());
  }
  row('ready on SQLite', `${fixed(median(again), 0)} ms`, '100 ms', median(again) <= 100, `[first start, keys and schema made: ${fixed(first, 0)} ms]`);
  row('idle, PSS of all processes', `${fixed(idle / 2 ** 20, 1)} MiB`, '15 MiB', idle <= 15 * 2 ** 20, `[${tree(porteiro.server.pid).length} processes]`);
  await pin(porteiro.server.pid);
  return porteiro;
}

async function main() {
  const wordpress = await startWordPress('new');
  stops.push(() => wordpress.stop());
  console.log(`configuration: ${Object.entries(CONFIGURATION).map(([k, v]) => `${k}=${v}`).join(' ')}`);
  console.log(`${ROUNDS} rounds of ${SECONDS} s; servers on core ${SERVER_CORE}, load and upstream on core ${LOAD_CORE}; load average ${fixed(os.loadavg()[0])}`);
  const porteiro = await startPorteiro();
  await porteiro.addUser();
  const fast = await recordSite(porteiro, wordpress, 'fast', 0);
  const slow = await recordSite(porteiro, wordpress, 'slow', SLOW_MS);
  await stops[0]();
  const list = rpcRequest(porteiro, fast.token, 'tools/list');
  const ping = rpcRequest(porteiro, fast.token, 'ping');
  const listBody = await answerTo(list), pingBody = await answerTo(ping);

  const nginxPort = await freePort();
  const pathOf = site => site.uri.split('?')[0];
  const nginx = await startNginx(path.join(dir, 'nginx'), nginxPort, { '/list': { body: listBody }, '/ping': { body: pingBody }, [pathOf(fast)]: { proxy: fast.port } });
  const slowPort = await freePort();
  const nginxSlow = await startNginx(path.join(dir, 'nginx-slow'), slowPort, { [pathOf(slow)]: { proxy: slow.port } });
  for (const server of [nginx, nginxSlow]) {
    stops.push(() => server.stop('SIGKILL'));
    await pin(server.pid);
  }
  const get = (port, uri) => `GET ${uri} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`;
  const ours = (name, request) => ({ name: `porteiro ${name}`, port: porteiro.port, request, pid: porteiro.server.pid });
  const theirs = (name, request, server = nginx, port = nginxPort) => ({ name: `nginx ${name}`, port, request, pid: server.pid });

  await compareCpu('tools/list, CPU of nginx return', ours('list', list), theirs('list', list.replace('/mcp', '/list')), 1.3);
  await compareCpu('ping with a token, CPU of nginx return', ours('ping', ping), theirs('ping', ping.replace('/mcp', '/ping')), 1.3);
  console.log(`wp_find asks the site ${fast.asked.length} time(s) a call: ${fast.asked.join(', ')}; the list has ${fast.items} items, ${fast.bytes} bytes`);
  await compareCpu('wp_find over 10 KB, CPU of nginx proxy_pass', ours('find', fast.find), theirs('proxy', get(nginxPort, fast.uri)), 2.5);

  const findSlow = ours('find, slow', slow.find), proxySlow = theirs('proxy, slow', get(slowPort, slow.uri), nginxSlow, slowPort);
  const direct = { name: 'upstream', port: slow.port, request: get(slow.port, slow.uri) };
  {
    const [a, b] = await interleave([findSlow, proxySlow], 'flight', IN_FLIGHT, SECONDS + 1);
    const ratio = median(a.map((report, i) => report.per_second / b[i].per_second));
    row(`${IN_FLIGHT} in flight at ${SLOW_MS} ms, of nginx's requests per second`, fixed(ratio), '0.92', ratio >= 0.92,
      `[porteiro ${Math.round(median(a.map(r => r.per_second)))}/s, p99 ${fixed(median(a.map(r => r.p99_ms)), 0)} ms; nginx ${Math.round(median(b.map(r => r.per_second)))}/s]`);
  }
  {
    const [a, b, c] = await interleave([findSlow, proxySlow, direct], 'rate', CALLS_PER_SECOND, SECONDS + 1);
    const added = median(a.map((report, i) => report.p99_ms - c[i].p99_ms));
    const side = reports => `p50 ${fixed(median(reports.map(r => r.p50_ms)), 1)} p99 ${fixed(median(reports.map(r => r.p99_ms)), 1)} ms`;
    row(`${CALLS_PER_SECOND} calls a second, added at p99`, `${fixed(added, 1)} ms`, '2 ms', added <= 2, `[porteiro ${side(a)}; nginx ${side(b)}; upstream ${side(c)}]`);
  }
  for (const log of [fast.log, slow.log]) {
    const unknown = fs.readFileSync(log, 'utf8');
    if (unknown) throw new Error(`porteiro asked for what was not recorded: ${unknown.slice(0, 500)}`);
  }
  {
    const before = pssBytes(porteiro.server.pid);
    const during = await load.hold(ours('hold', ping), IDLE_CONNECTIONS, async () => {
      await sleep(1500);
      return pssBytes(porteiro.server.pid);
    });
    const each = (during - before) / IDLE_CONNECTIONS;
    row(`${IDLE_CONNECTIONS} idle connections, PSS each`, `${fixed(each, 0)} B`, '4096 B', each <= 4096, `[${fixed(before / 2 ** 20, 1)} MiB before, after the load above; ${fixed(during / 2 ** 20, 1)} MiB with them]`);
  }
  const stripped = path.join(dir, 'porteiro');
  await mustRun('strip', ['-o', stripped, path.join(ROOT, 'build/porteiro')]);
  const size = fs.statSync(stripped).size;
  row('binary, stripped', `${fixed(size / 1e6)} MB`, '5 MB', size <= 5e6, `[${fs.statSync(path.join(ROOT, 'build/porteiro')).size} bytes with symbols]`);
}

let failed = false;
try {
  await main();
  const width = Math.max(...rows.map(r => r.name.length));
  console.log('');
  for (const r of rows) console.log(`${r.name.padEnd(width)}  ${r.measured.padStart(9)}  limit ${r.limit.padStart(7)}  ${r.verdict}`);
} catch (error) {
  console.error(error);
  failed = true;
} finally {
  for (const stop of stops.toReversed()) await stop().catch(error => console.error(error.message));
}
process.exit(failed ? 1 : 0);
