// node tests/bench/bench.mjs [--quick] [tls]: how fast and how small, beside nginx in the same run, on loopback only. --quick: one
// round instead of five; tls: only the rows of TLS. CPU per request is user and system time of all processes of a server, from /proc/PID/stat, by the requests answered; each
// comparison is made in rounds that go back and forth between the two, and its figure is the median of the rounds' ratios.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Porteiro } from '../integration/lib/porteiro.mjs';
import { freePort } from '../integration/lib/ports.mjs';
import { ROOT, mustRun, sleep, start, temporaryDirectory } from '../integration/lib/process.mjs';
import { startWordPress } from '../integration/lib/wordpress.mjs';
import { Load, median, pssBytes, tree, untilReady } from './measure.mjs';
import { idleConnections, listeners } from './memory.mjs';
import { startNginx } from './nginx.mjs';
import { fixed, row, table } from './report.mjs';
import { answerTo, initialize, legacy, modern } from './request.mjs';
import { recordSite } from './site.mjs';
import { compareTls } from './tls.mjs';
import { workers } from './workers.mjs';

const ONLY_TLS = process.argv.includes('tls');
const QUICK = process.argv.includes('--quick');
const ROUNDS = QUICK ? 1 : 5;
const SECONDS = QUICK ? 2 : 3;
const [SERVER_CORE, LOAD_CORE] = os.availableParallelism() > 1 ? ['0', '1'] : ['0', '0'];
const CONNECTIONS = 32, IN_FLIGHT = 1000, CALLS_PER_SECOND = 1000, SLOW_MS = 100, UPSTREAM_BYTES = 10_240, SMALL_BYTES = 300;
const IDLE_CONNECTIONS = 10_000, IDLE_BYTES = 4096, LISTENERS = 1000, LISTENER_BYTES = 16 * 1024;

// What the bench sets otherwise than a fresh installation has it; printed with the results.
const CONFIGURATION = {
  PORTEIRO_EGRESS_ALLOW: '127.0.0.0/8', // the upstream is on loopback
  PORTEIRO_ACCESS_LOG: 'off', // nginx logs nothing either
  PORTEIRO_MAX_UPSTREAM: '2000', // 1,000 calls in flight, all of one user to one site
  PORTEIRO_MAX_UPSTREAM_PER_SITE: '2000',
  PORTEIRO_MAX_UPSTREAM_PER_USER: '2000',
  PORTEIRO_TOKEN_CALLS_AT_ONCE: '20000',
  PORTEIRO_TOKEN_CALLS_PER_MINUTE: '10000000',
  PORTEIRO_TOKEN_WRITES_PER_MINUTE: '10000000',
  PORTEIRO_USER_CALLS_PER_MINUTE: '10000000',
};

// What is asked of the recorded sites, in this order; the first is also asked slowly. Many at once are a matter of waiting, not of
// how much is read: that is measured with the smallest call that asks a site, and printed for the 10 KB too.
const CALLS = {
  find: { name: 'wp_find', arguments: { type: 'post', limit: 20, fields: ['url', 'status', 'excerpt'] } },
  read: { name: 'wp_read', arguments: { id: 'ID' } },
  edit: { name: 'wp_edit', arguments: { id: 'ID', edits: [{ find: 'the one sentence to change', replace: 'another one' }] } },
};

const SMALL = { name: 'wp_find', arguments: { type: 'post', limit: 1 } };

// The dashboard's largest script and its style sheet.
const DIST = path.join(ROOT, 'dashboard/dist');
function files() {
  const bySize = kind => fs.readdirSync(path.join(DIST, 'assets')).filter(name => name.endsWith(`.${kind}`)).sort((a, b) => fs.statSync(path.join(DIST, 'assets', b)).size - fs.statSync(path.join(DIST, 'assets', a)).size);
  return [['the largest script', bySize('js')[0]], ['the style sheet', bySize('css')[0]]];
}

const dir = temporaryDirectory('bench');
const program = name => path.join(ROOT, 'build/bench', name);
const load = new Load(program('load'), dir, LOAD_CORE);
const stops = [];

const pin = pid => Promise.all(tree(pid).map(one => mustRun('taskset', ['-acp', SERVER_CORE, String(one)])));

// Back and forth between two subjects; the reports of each.
async function interleave(subjects, ...mode) {
  const reports = subjects.map(() => []);
  for (const subject of subjects) await load.run(subject, ...mode.slice(0, -1), 0.5); // warm
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, subject] of subjects.entries()) reports[i].push(await load.run(subject, ...mode));
  }
  return reports;
}

// per: how many of nginx's requests one of ours is compared with
async function compareCpu(name, ours, nginx, limit, per = 1, connections = CONNECTIONS) {
  const [a, b] = await interleave([ours, nginx], 'flight', connections, SECONDS);
  const ratio = median(a.map((report, i) => report.cpu_us / b[i].cpu_us / per));
  const side = reports => `${fixed(median(reports.map(r => r.cpu_us)), 1)} us, ${Math.round(median(reports.map(r => r.per_second)))}/s, ${Math.round(reports[0].answer_bytes)} B`;
  row(name, `${fixed(ratio)}x`, `${limit}x`, ratio <= limit, `[porteiro ${side(a)}; nginx ${side(b)}${per > 1 ? ` for each of ${per}` : ''}]`);
}

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
  porteiro.restart = async () => {
    await porteiro.stop();
    await launch();
    await pin(porteiro.server.pid);
  };
  return porteiro;
}

async function main() {
  const wordpress = await startWordPress('new');
  stops.push(() => wordpress.stop());
  console.log(`configuration: ${Object.entries(CONFIGURATION).map(([k, v]) => `${k}=${v}`).join(' ')}`);
  console.log(`${ROUNDS} rounds of ${SECONDS} s; servers on core ${SERVER_CORE}, load and upstream on core ${LOAD_CORE}; load average ${fixed(os.loadavg()[0])}`);
  const overTls = site => compareTls({ dir, stops, pin, core: LOAD_CORE, env: CONFIGURATION, rounds: ROUNDS, seconds: SECONDS, connections: CONNECTIONS, site });
  if (ONLY_TLS) return overTls(wordpress);
  const porteiro = await startPorteiro();
  await porteiro.addUser();
  const site = { porteiro, wordpress, program, dir, core: LOAD_CORE, stops };
  const fast = await recordSite({ ...site, name: 'fast', calls: CALLS, bytes: UPSTREAM_BYTES, delayMs: 0 });
  const slow = await recordSite({ ...site, name: 'slow', calls: { find: CALLS.find }, bytes: UPSTREAM_BYTES, delayMs: SLOW_MS });
  const small = await recordSite({ ...site, name: 'small', calls: { find: SMALL }, bytes: SMALL_BYTES, delayMs: SLOW_MS });
  await stops[0]();
  const { find, read, edit } = fast.calls;
  const ping = legacy(porteiro, fast.token, 'ping');
  const plain = {
    'initialize, 2025-11-25': initialize(porteiro, fast.token),
    'tools/list, 2025-11-25': legacy(porteiro, fast.token, 'tools/list'),
    'ping, 2025-11-25': ping,
    'server/discover, 2026-07-28': modern(porteiro, fast.token, 'server/discover'),
    'tools/list, 2026-07-28': modern(porteiro, fast.token, 'tools/list'),
  };
  const returns = await Promise.all(Object.entries(plain).map(async ([name, request], i) => ({ name, request, path: `/return${i}`, body: await answerTo(request) })));

  const nginxPort = await freePort();
  const pathOf = call => call.uri.split('?')[0];
  const nginx = await startNginx(path.join(dir, 'nginx'), nginxPort, {
    ...Object.fromEntries(returns.map(({ path: at, body }) => [at, { body }])),
    [pathOf(find)]: { proxy: fast.port },
    [pathOf(read)]: { proxy: fast.port },
    '/assets/': { files: DIST },
  });
  for (const one of [small, slow]) {
    one.nginxPort = await freePort();
    one.nginx = await startNginx(path.join(dir, `nginx-${one.name}`), one.nginxPort, { [pathOf(one.calls.find)]: { proxy: one.port } });
  }
  for (const server of [nginx, small.nginx, slow.nginx]) {
    stops.push(() => server.stop('SIGKILL'));
    await pin(server.pid);
  }
  const get = (port, uri, more = '') => `GET ${uri} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${more}\r\n`;
  const ours = (name, request) => ({ name: `porteiro ${name}`, port: porteiro.port, request, pid: porteiro.server.pid });
  const theirs = (name, request, server = nginx, port = nginxPort) => ({ name: `nginx ${name}`, port, request, pid: server.pid });

  for (const { name, request, path: at } of returns) await compareCpu(`${name}, CPU of nginx return`, ours(name, request), theirs(name, request.replace('/mcp', at)), 1.3);
  for (const [name, call] of Object.entries(fast.calls)) console.log(`wp_${name} asks the site ${call.asked.length} time(s): ${call.asked.join(', ')}; ${call.bytes} bytes`);
  for (const [name, file] of files()) {
    const ask = port => get(port, `/assets/${file}`, 'Accept-Encoding: gzip, deflate\r\n');
    await compareCpu(`${name}, CPU of nginx gzip_static`, ours(name, ask(porteiro.port)), theirs(name, ask(nginxPort)), 1.3);
  }
  const proxy = call => theirs('proxy', get(nginxPort, call.uri));
  await compareCpu(`wp_find over ${fixed(find.bytes / 1024, 0)} KiB, CPU of nginx proxy_pass`, ours('find', find.request), proxy(find), 2.5);
  await compareCpu(`wp_read over ${fixed(read.bytes / 1024, 0)} KiB, CPU of nginx proxy_pass`, ours('read', read.request), proxy(read), 2, read.asked.length);
  // One after the other: edits of one item wait for each other, and that waiting is not what is measured.
  await compareCpu(`wp_edit, CPU of nginx proxy_pass ${edit.asked.length} times`, ours('edit', edit.request), proxy(edit), 3, edit.asked.length, 1);

  for (const [one, what, share, addedMs] of [[small, '', 0.92, 2], [slow, `, ${fixed(slow.calls.find.bytes / 1024, 0)} KiB`, null, null]]) {
    const { find: call } = one.calls;
    const mine = ours(`find, ${one.name}`, call.request), proxied = theirs(`proxy, ${one.name}`, get(one.nginxPort, call.uri), one.nginx, one.nginxPort);
    const direct = { name: `upstream, ${one.name}`, port: one.port, request: get(one.port, call.uri) };
    {
      const [a, b] = await interleave([mine, proxied], 'flight', IN_FLIGHT, SECONDS + 1);
      const ratio = median(a.map((report, i) => report.per_second / b[i].per_second));
      const side = reports => `${Math.round(median(reports.map(r => r.per_second)))}/s, ${fixed(median(reports.map(r => r.cpu_us)), 0)} us of CPU each, p99 ${fixed(median(reports.map(r => r.p99_ms)), 0)} ms`;
      row(`${IN_FLIGHT} in flight at ${SLOW_MS} ms, of nginx's requests per second${what}`, fixed(ratio), share && String(share), !share || ratio >= share, `[porteiro ${side(a)}; nginx ${side(b)}]`);
    }
    {
      const [a, b, c] = await interleave([mine, proxied, direct], 'rate', CALLS_PER_SECOND, SECONDS + 1);
      const added = median(a.map((report, i) => report.p99_ms - c[i].p99_ms));
      const side = reports => `p50 ${fixed(median(reports.map(r => r.p50_ms)), 1)} p99 ${fixed(median(reports.map(r => r.p99_ms)), 1)} ms`;
      row(`${CALLS_PER_SECOND} calls a second, added at p99${what}`, `${fixed(added, 1)} ms`, addedMs && `${addedMs} ms`, !addedMs || added <= addedMs, `[porteiro ${side(a)}; nginx ${side(b)}; upstream ${side(c)}]`);
    }
  }
  for (const log of [fast.log, small.log, slow.log]) {
    const unknown = fs.readFileSync(log, 'utf8');
    if (unknown) throw new Error(`porteiro asked for what was not recorded: ${unknown.slice(0, 500)}`);
  }
  await idleConnections(porteiro, load, fast.token, IDLE_CONNECTIONS, IDLE_BYTES);
  await listeners(porteiro, fast.id, LISTENERS, LISTENER_BYTES);
  await porteiro.stop();
  await workers({ load, stops, env: CONFIGURATION, rounds: ROUNDS, seconds: SECONDS, connections: CONNECTIONS, site: fast.site, find: CALLS.find });
  await overTls(fast.site);
  const stripped = path.join(dir, 'porteiro');
  await mustRun('strip', ['-o', stripped, path.join(ROOT, 'build/porteiro')]);
  const size = fs.statSync(stripped).size;
  row('binary, stripped', `${fixed(size / 1e6)} MB`, '5 MB', size <= 5e6, `[${fs.statSync(path.join(ROOT, 'build/porteiro')).size} bytes with symbols]`);
}

let failed = false;
try {
  await main();
  console.log(`\n${table()}`);
} catch (error) {
  console.error(error);
  failed = true;
} finally {
  for (const stop of stops.toReversed()) await stop().catch(error => console.error(error.message));
}
process.exit(failed ? 1 : 0);
