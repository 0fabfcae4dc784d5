// Slow clients by Debian's slowhttptest: heads that never end, bodies byte by byte, ranges, answers read slowly, from
// PORTEIRO_TEST_SLOW connections at once. Meanwhile others are served: every request, and p99 at most twice what it was or 50 ms.
// Part of ./dev soak only: run it by tests/integration/run.mjs.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import { after, before, test } from 'node:test';
import { fixtures } from '../integration/lib/fixtures.mjs';
import { Porteiro } from '../integration/lib/porteiro.mjs';
import { sleep, start } from '../integration/lib/process.mjs';
import { ask } from '../workers/help.mjs';

const CONNECTIONS = Number(process.env.PORTEIRO_TEST_SLOW ?? 4000);
const SECONDS = Number(process.env.PORTEIRO_TEST_SLOW_S ?? 40);
const LITTLE_MS = 50; // of a p99 on a machine that runs the attack, too
const METRICS_TOKEN = 'metrics-of-slow-clients';
const KINDS = {
  'heads that never end (slowloris)': ['-H', '-i', '5'],
  'bodies that never end': ['-B', '-i', '5', '-s', '100000', '-t', 'POST'],
  'ranges (killer apache)': ['-R', '-a', '1', '-b', '1000'],
  'answers read slowly': ['-X', '-w', '1', '-y', '10', '-n', '5', '-z', '8', '-k', '3'],
};

let porteiro, agent;
before(async () => {
  assert.ok(fs.existsSync('/usr/bin/slowhttptest'), 'slowhttptest is not installed');
  porteiro = await (await Porteiro.create({ env: { PORTEIRO_ACCESS_LOG: 'off', PORTEIRO_METRICS_TOKEN: METRICS_TOKEN } })).serve();
  await porteiro.addUser();
  ({ token: porteiro.token } = await porteiro.addConnection(fixtures.sites.new));
  agent = new http.Agent({ keepAlive: true, maxSockets: 4 });
});
after(() => porteiro?.stop());

// The server's ends only: local address, state "established".
const connectionsNow = () => {
  const local = `0100007F:${porteiro.port.toString(16).toUpperCase().padStart(4, '0')}`;
  return fs.readFileSync('/proc/net/tcp', 'utf8').split('\n').map(line => line.trim().split(/\s+/)).filter(row => row[1] === local && row[3] === '01').length;
};

// Requests that were answered, of whatever route.
async function requestsAnswered() {
  const text = await (await fetch(`${porteiro.origin}/metrics`, { headers: { Authorization: `Bearer ${METRICS_TOKEN}` } })).text();
  return [...text.matchAll(/^porteiro_http_request_duration_seconds_count\S* (\d+)$/gm)].reduce((sum, [, count]) => sum + Number(count), 0);
}

// Asks 50 times a second for so long, half of it on new connections: {asked, failed, p99}.
async function served(seconds) {
  const times = [], failures = [], until = Date.now() + seconds * 1000;
  let most = 0;
  const asked = [];
  for (let i = 0; Date.now() < until; i++) {
    const began = performance.now();
    asked.push(ask(porteiro, i % 2 ? agent : new http.Agent()).then(status => (status === 200 ? times.push(performance.now() - began) : failures.push(status)), error => failures.push(error.code ?? error.message)));
    if (i % 250 === 0) most = Math.max(most, connectionsNow()); // seldom: it stops us for as long as a slow answer takes
    await sleep(20);
  }
  await Promise.all(asked);
  times.sort((a, b) => a - b);
  return { asked: asked.length, failures, p50: times[times.length >> 1], p99: times[Math.floor(times.length * 0.99)], most };
}

for (const [kind, args] of Object.entries(KINDS)) {
  test(`${CONNECTIONS} connections, ${kind}`, { timeout: 300_000 }, async () => {
    const calm = await served(5), before = await requestsAnswered();
    const attack = start('bash', ['-c', 'ulimit -n 65536; exec slowhttptest "$@"', 'slowhttptest', ...args, '-c', String(CONNECTIONS), '-r', '1000', '-l', String(SECONDS), '-p', '5', '-u', `${porteiro.origin}/mcp`, '-v', '0']);
    const under = await served(SECONDS);
    await attack.stop();
    const answered = (await requestsAnswered()) - before - under.asked;
    console.log(`slow: ${kind}: ${under.asked} of others asked, ${under.failures.length} failed; at most ${under.most} connections open, ${answered} requests of the attack answered; p50 ${calm.p50.toFixed(1)} to ${under.p50.toFixed(1)} ms, p99 ${calm.p99.toFixed(1)} to ${under.p99.toFixed(1)} ms`);
    assert.deepEqual(under.failures, []);
    // A request that is answered at once, as one for ranges is, leaves no connection to count.
    assert.ok(Math.max(under.most, answered) > CONNECTIONS / 10, `only ${under.most} connections were open, and ${answered} requests came`);
    assert.ok(under.p99 <= Math.max(2 * calm.p99, LITTLE_MS), `p99 ${calm.p99} ms without, ${under.p99} ms with them`);
  });
}
