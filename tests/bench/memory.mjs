// What connections and listeners cost, each on a fresh process.
import net from 'node:net';
import { sleep, waitFor } from '../integration/lib/process.mjs';
import { pssBytes } from './measure.mjs';
import { fixed, row } from './report.mjs';
import { answerTo, legacy, modern } from './request.mjs';

const MIB = 2 ** 20;

export async function idleConnections(porteiro, load, token, count, limitBytes) {
  await porteiro.restart();
  const ping = legacy(porteiro, token, 'ping');
  await answerTo(ping);
  await sleep(500);
  const before = pssBytes(porteiro.server.pid);
  const during = await load.hold({ name: 'porteiro hold', port: porteiro.port, request: ping }, count, async () => {
    await sleep(1500);
    return pssBytes(porteiro.server.pid);
  });
  const each = (during - before) / count;
  row(`${count} idle connections, PSS each`, `${fixed(each, 0)} B`, `${limitBytes} B`, each <= limitBytes,
    `[fresh process, one request on each: ${fixed(before / MIB, 1)} MiB before, ${fixed(during / MIB, 1)} MiB with them]`);
}

// subscriptions/listen on a raw socket: {socket, pieces: how often something came, last: when}
function listen(porteiro, token) {
  const stream = { received: 0, at: 0 };
  stream.socket = net.connect(porteiro.port, '127.0.0.1', () =>
    stream.socket.write(modern(porteiro, token, 'subscriptions/listen', { notifications: { toolsListChanged: true, resourcesListChanged: true } })));
  stream.socket.on('data', data => {
    stream.received += data.length;
    stream.at = performance.now();
    stream.text = data.toString('latin1', 0, 300);
  });
  stream.socket.on('error', error => (stream.text = error.message));
  return stream;
}

async function openAll(porteiro, token, count) {
  const streams = [];
  for (let i = 0; i < count; i++) {
    streams.push(listen(porteiro, token));
    if (i % 50 === 49) await waitFor('listeners', () => streams.every(s => s.received));
  }
  await waitFor('listeners', () => streams.every(s => s.received));
  const refused = streams.find(s => !/text\/event-stream|data:/.test(s.text));
  if (refused) throw new Error(`a listener was answered ${refused.text}`);
  return streams;
}

export async function listeners(porteiro, connection, count, limitBytes) {
  await porteiro.restart();
  const { id, token } = await porteiro.addToken(connection, '--name', 'listeners');
  const [first] = await openAll(porteiro, token, 1);
  await sleep(500);
  const before = pssBytes(porteiro.server.pid);
  const streams = await openAll(porteiro, token, count);
  await sleep(1500);
  const during = pssBytes(porteiro.server.pid);
  const each = (during - before) / count;
  row(`${count} listeners, PSS each`, `${fixed(each / 1024, 1)} KiB`, `${limitBytes / 1024} KiB`, each <= limitBytes,
    `[fresh process: ${fixed(before / MIB, 1)} MiB before, ${fixed(during / MIB, 1)} MiB with them]`);

  const quiet = performance.now();
  await porteiro.json(['token', 'revoke', String(id)]);
  const revoked = performance.now();
  const ended = () => streams.every(s => s.at > quiet);
  await waitFor('every listener to be told', ended);
  await sleep(200);
  const times = streams.map(s => s.at);
  const spread = Math.max(...times) - Math.min(...times);
  row(`a change told to ${count} listeners, first to last`, `${fixed(spread, 0)} ms`, '1000 ms', spread <= 1000,
    `[a token revoked: the last heard ${fixed(Math.max(...times) - revoked, 0)} ms after the command]`);
  for (const { socket } of [first, ...streams]) socket.destroy();
}
