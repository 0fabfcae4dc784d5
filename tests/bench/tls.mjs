// TLS beside nginx with TLS: the same certificate, protocol and cipher, on kept connections and with a handshake for each request.
// The load is Debian's wrk, for load.c speaks plain HTTP only; what is measured is the servers' CPU, so its own speed matters little.
import fs from 'node:fs';
import path from 'node:path';
import tls from 'node:tls';
import { Porteiro } from '../integration/lib/porteiro.mjs';
import { freePort } from '../integration/lib/ports.mjs';
import { mustRun } from '../integration/lib/process.mjs';
import { cpuUs, median } from './measure.mjs';
import { startNginx } from './nginx.mjs';
import { fixed, row } from './report.mjs';
import { answerTo, legacy } from './request.mjs';

// What both agree on with a client that offers everything, as wrk does: {protocol, cipher}.
const agreed = port =>
  new Promise((resolve, reject) => {
    const socket = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
      resolve(`${socket.getProtocol()} ${socket.getCipher().standardName}, ${socket.getEphemeralKeyInfo().name ?? 'key exchange unknown'}`);
      socket.destroy();
    });
    socket.on('error', reject);
  });

// wrk reads its request from a program in Lua.
function script(dir, name, request, close) {
  const [head, body] = request.split('\r\n\r\n');
  const [, method, uri] = /^(\w+) (\S+)/.exec(head);
  const headers = head.split('\r\n').slice(1).map(line => line.split(': ')).filter(([key]) => !/^(host|content-length)$/i.test(key));
  const file = path.join(dir, `${name}.lua`);
  fs.writeFileSync(file, [
    `wrk.method = ${JSON.stringify(method)}`, `wrk.path = ${JSON.stringify(uri)}`, `wrk.body = ${JSON.stringify(body)}`,
    ...[...headers, ...(close ? [['Connection', 'close']] : [])].map(([key, value]) => `wrk.headers[${JSON.stringify(key)}] = ${JSON.stringify(value)}`),
    'done = function(summary) io.write(string.format("REQUESTS %d ERRORS %d US %d\\n", summary.requests,',
    '  summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.status + summary.errors.timeout, summary.duration)) end',
  ].join('\n'));
  return file;
}

async function run(core, subject, kind, connections, seconds) {
  const before = cpuUs(subject.pid);
  const { stdout } = await mustRun('taskset', ['-c', core, 'wrk', '-t', '1', '-c', String(connections), '-d', `${Math.ceil(seconds)}s`, '-s', subject[kind], `https://127.0.0.1:${subject.port}`],
    { timeout: (seconds + 30) * 1000 });
  const cpu = cpuUs(subject.pid) - before;
  const [, requests, errors, us] = /REQUESTS (\d+) ERRORS (\d+) US (\d+)/.exec(stdout).map(Number);
  if (!requests || errors) throw new Error(`${subject.name}: ${errors} errors in ${requests} requests\n${stdout}`);
  return { cpu_us: cpu / requests, per_second: requests / (us / 1e6) };
}

export async function compareTls({ dir, stops, pin, core, env, rounds, seconds, connections, site }) {
  const porteiro = await Porteiro.create({ secure: true, env });
  stops.push(() => porteiro.stop());
  await porteiro.serve();
  await porteiro.addUser();
  const { token } = await porteiro.addConnection(site, { name: 'tls' });
  const request = legacy(porteiro, token, 'ping');
  const body = await answerTo(request, 'https');
  const port = await freePort();
  const nginx = await startNginx(path.join(dir, 'nginx-tls'), port, { '/return': { body } }, porteiro.certificate);
  stops.push(() => nginx.stop('SIGKILL'));
  for (const server of [porteiro.server, nginx]) await pin(server.pid);
  const subjects = [
    { name: 'porteiro', port: porteiro.port, pid: porteiro.server.pid, text: request },
    { name: 'nginx', port, pid: nginx.pid, text: request.replace('/mcp', '/return') },
  ];
  const how = await Promise.all(subjects.map(subject => agreed(subject.port)));
  if (how[0] !== how[1]) throw new Error(`not comparable: porteiro speaks ${how[0]}, nginx ${how[1]}`);
  for (const [kind, what, limit] of [['kept', 'ping over TLS, CPU of nginx return over TLS', '1.3x'], ['new', 'a handshake with its ping, CPU of nginx', null]]) {
    for (const subject of subjects) subject[kind] = script(dir, `${subject.name}-${kind}`, subject.text, kind === 'new');
    const reports = subjects.map(() => []);
    for (const subject of subjects) await run(core, subject, kind, connections, 1); // warm
    for (let round = 0; round < rounds; round++)
      for (const [i, subject] of subjects.entries()) reports[i].push(await run(core, subject, kind, connections, seconds));
    const [a, b] = reports;
    const ratio = median(a.map((report, i) => report.cpu_us / b[i].cpu_us));
    const side = all => `${fixed(median(all.map(r => r.cpu_us)), 1)} us, ${Math.round(median(all.map(r => r.per_second)))}/s`;
    row(what, `${fixed(ratio)}x`, limit, !limit || ratio <= parseFloat(limit), `[porteiro ${side(a)}; nginx ${side(b)}; ${how[0]}]`);
  }
  await porteiro.stop();
  await nginx.stop('SIGKILL');
}
