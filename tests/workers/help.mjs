// What the tests of the supervisor share: its processes, its log, and load on it.
import fs from 'node:fs';
import http from 'node:http';
import { fixtures } from '../integration/lib/fixtures.mjs';
import { MODERN, envelope } from '../integration/lib/mcp.mjs';
import { Porteiro } from '../integration/lib/porteiro.mjs';

// With a settings' file that a test may change, a user and a connection.
export async function startWith(settings, { database = 'sqlite', connection = true, env = {} } = {}) {
  const porteiro = await Porteiro.create({ database, env });
  porteiro.settings = lines => fs.writeFileSync(`${porteiro.dir}/porteiro.conf`, lines.map(line => `${line}\n`).join(''));
  porteiro.settings(settings);
  await porteiro.serve();
  if (connection) {
    await porteiro.addUser();
    ({ token: porteiro.token, id: porteiro.connection } = await porteiro.addConnection(fixtures.sites.new));
  }
  return porteiro;
}

const children = pid => fs.readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
const nameOf = pid => {
  try {
    return fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')[0];
  } catch {
    return '';
  }
};

// The workers' process ids, by number: {1: pid, ...}; while one is replaced, the newest.
export const workersOf = porteiro =>
  Object.fromEntries(children(porteiro.server.pid).map(pid => [nameOf(pid).match(/worker (\d+)/)?.[1], pid]).filter(([number]) => number));

export const countWorkers = porteiro => children(porteiro.server.pid).length;

export const isRunning = pid => {
  try {
    return !/^State:\tZ/m.test(fs.readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
};

// `from`: so many bytes of it are left out.
export const logOf = (porteiro, from = 0) => {
  const file = fs.openSync(porteiro.log, 'r');
  const text = Buffer.alloc(Math.max(0, fs.fstatSync(file).size - from));
  const length = fs.readSync(file, text, 0, text.length, from);
  fs.closeSync(file);
  return text.toString('utf8', 0, length);
};

const BODY = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' });

// One POST through an agent: the status; rejects when the connection fails.
export function ask(porteiro, agent, { method = 'POST', path = '/mcp', body = BODY } = {}) {
  return new Promise((resolve, reject) => {
    const headers = { Authorization: `Bearer ${porteiro.token}`, 'Content-Type': 'application/json', Accept: 'application/json' };
    const request = http.request({ host: '127.0.0.1', port: porteiro.port, method, path, agent, headers: method === 'GET' ? {} : headers }, response => {
      response.resume();
      response.on('end', () => resolve(response.statusCode));
      response.on('error', reject);
    });
    request.on('error', reject);
    request.end(method === 'GET' ? undefined : body);
  });
}

// `clients` that ask one after another until stop(): {sent, failures: [...]}. Keep-alive, as clients have it; nothing is retried.
export function load(porteiro, clients = 8, request = {}) {
  const seen = { sent: 0, failures: [] };
  let going = true;
  const agent = new http.Agent({ keepAlive: true, maxSockets: clients });
  const run = async () => {
    while (going) {
      try {
        const status = await ask(porteiro, agent, request);
        if (status !== 200) seen.failures.push(status);
      } catch (error) {
        seen.failures.push(error.code ?? error.message);
      }
      seen.sent++;
    }
  };
  const running = Array.from({ length: clients }, run);
  return {
    seen,
    async stop() {
      going = false;
      await Promise.all(running);
      agent.destroy();
      return seen;
    },
  };
}

// subscriptions/listen on a connection of its own: {begun: Promise of the status, ended: Promise of when, messages: each with `at`}.
export function listen(porteiro, token, notifications = { toolsListChanged: true, resourcesListChanged: true }, meta = {}) {
  const body = JSON.stringify({
    jsonrpc: '2.0', id: 7, method: 'subscriptions/listen',
    params: { notifications, _meta: envelope(meta) },
  });
  const stream = { messages: [] };
  stream.begun = new Promise((begun, reject) => {
    stream.ended = new Promise(ended => {
      const request = http.request({
        host: '127.0.0.1', port: porteiro.port, method: 'POST', path: '/mcp', agent: new http.Agent(),
        headers: {
          Authorization: `Bearer ${token}`, 'Content-Type': 'application/json', Accept: 'application/json, text/event-stream',
          'MCP-Protocol-Version': MODERN, 'Mcp-Method': 'subscriptions/listen',
        },
      }, response => {
        response.setEncoding('utf8');
        let text = '';
        response.on('data', chunk => {
          text += chunk;
          for (let end; (end = text.indexOf('\n\n')) >= 0; text = text.slice(end + 2)) {
            const data = text.slice(0, end).split('\n').filter(line => line.startsWith('data:')).map(line => line.slice(5)).join('\n');
            if (data.trim()) stream.messages.push({ ...JSON.parse(data), at: performance.now() });
          }
          if (stream.messages.length) begun(response.statusCode);
        });
        response.on('close', () => ended(performance.now()));
      });
      request.on('error', reject);
      request.end(body);
      stream.close = () => request.destroy();
    });
  });
  return stream;
}
