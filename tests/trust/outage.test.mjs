// The database goes away and comes back: reading goes on, changes wait, nothing is restarted. Two nodes behind PgBouncer in
// transaction mode. An idle server asks nothing (PORTEIRO_TEST_IDLE_S seconds). PORTEIRO_TEST_OUTAGES: how many (2).
import assert from 'node:assert/strict';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fixtures } from '../integration/lib/fixtures.mjs';
import { envelope, MODERN, callTool } from '../integration/lib/mcp.mjs';
import { Porteiro } from '../integration/lib/porteiro.mjs';
import { freePort } from '../integration/lib/ports.mjs';
import { createDatabase, query } from '../integration/lib/postgres.mjs';
import { mustRun, sleep, start, temporaryDirectory, waitFor } from '../integration/lib/process.mjs';

const site = fixtures.sites.new;
const OUTAGES = Number(process.env.PORTEIRO_TEST_OUTAGES ?? 2);

// Stands before PostgreSQL: `cut()` ends all connections and refuses new ones, `silence()` lets them hang.
async function startProxy(to) {
  const proxy = { port: await freePort(), mode: 'open', sockets: new Set(), made: 0 };
  const server = net.createServer(socket => {
    proxy.sockets.add(socket.on('error', () => {}).on('close', () => proxy.sockets.delete(socket)));
    proxy.made++;
    const upstream = net.connect(to, '127.0.0.1').on('error', () => socket.destroy());
    socket.on('close', () => upstream.destroy());
    upstream.on('close', () => socket.destroy());
    socket.on('data', chunk => proxy.mode === 'open' && upstream.write(chunk));
    upstream.on('data', chunk => proxy.mode === 'open' && socket.write(chunk));
  });
  const listen = async () => {
    server.listen(proxy.port, '127.0.0.1');
    await once(server, 'listening');
  };
  await listen();
  Object.assign(proxy, {
    cut: async () => {
      const closed = once(server, 'close');
      server.close();
      for (const socket of proxy.sockets) socket.destroy();
      await closed;
    },
    silence: () => { proxy.mode = 'silent'; },
    mend: async () => {
      for (const socket of proxy.sockets) socket.destroy(); // what hung is lost
      proxy.mode = 'open';
      if (!server.listening) await listen();
    },
    stop: () => { server.close(); for (const socket of proxy.sockets) socket.destroy(); },
  });
  return proxy;
}

// One tools/call: {status, retryAfter, body, ms}.
async function call(url, token, name, args) {
  const began = Date.now();
  const response = await fetch(url, {
    method: 'POST',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json', Accept: 'application/json, text/event-stream', 'MCP-Protocol-Version': MODERN, 'Mcp-Method': 'tools/call', 'Mcp-Name': name },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: args, _meta: envelope() } }),
  });
  const text = await response.text();
  const body = JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? text);
  return { status: response.status, retryAfter: response.headers.get('retry-after'), body, ms: Date.now() - began };
}

describe('an outage of PostgreSQL', () => {
  let porteiro, token, proxy;
  before(async () => {
    proxy = await startProxy(fixtures.postgres.port);
    porteiro = await Porteiro.create({ database: fixtures.postgres.port });
    porteiro.direct = porteiro.database.url;
    porteiro.env.DATABASE_URL = porteiro.direct.replace(`:${fixtures.postgres.port}/`, `:${proxy.port}/`);
    await porteiro.addUser();
    ({ token } = await porteiro.addConnection(site, { rights: 'read,draft,publish' }));
    await porteiro.serve();
    const first = await call(porteiro.url, token, 'wp_find', { type: 'page' });
    assert.ok(first.body.result, JSON.stringify(first.body));
  });
  after(async () => {
    await proxy?.mend();
    await porteiro?.stop();
    proxy?.stop();
  });

  for (let number = 0; number < OUTAGES; number++) {
    const how = ['cut', 'silence'][number % 2];
    test(`${number < 2 ? '' : `${number + 1}: `}${how === 'cut' ? 'connections refused' : 'no answer'}: reads go on, writes say when, and it ends with the outage`, async () => {
      const { pid } = porteiro.server;
      await waitFor('the audit queue to be written', async () => !(await query(porteiro.direct, "SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND datname = current_database() AND pid <> pg_backend_pid()")).length);
      await proxy[how]();
      const slowest = { read: 0, write: 0 };
      for (let i = 0; i < 3; i++) {
        const read = await call(porteiro.url, token, 'wp_find', { type: 'page' });
        assert.equal(read.status, 200, JSON.stringify(read.body));
        assert.ok(read.body.result && !read.body.result.isError, JSON.stringify(read.body));
        slowest.read = Math.max(slowest.read, read.ms);
      }
      const pages = async () => (await query(porteiro.direct, "SELECT count(*) AS n FROM mcp_changes"))[0].n;
      const had = await pages();
      const write = await call(porteiro.url, token, 'wp_create', { type: 'page', title: `Outage ${how}`, content: 'x' });
      slowest.write = write.ms;
      assert.equal(write.status, 503, JSON.stringify(write.body));
      assert.equal(write.retryAfter, '2');
      assert.equal(write.body.error.code, 503);
      assert.equal(write.body.error.data.retryAfterSeconds, 2);
      assert.match(write.body.error.message, /nothing was done/);
      assert.equal(await pages(), had);
      // Now it is known: one of those who come asks the database, the others hear at once.
      const more = await Promise.all(Array.from({ length: 8 }, (_, i) => call(porteiro.url, token, 'wp_create', { type: 'page', title: `Outage ${how} ${i}`, content: 'x' })));
      for (const { status, retryAfter } of more) assert.deepEqual({ status, retryAfter }, { status: 503, retryAfter: '2' });
      slowest.more = Math.max(...more.map(({ ms }) => ms));
      assert.equal(await pages(), had);
      await waitFor('readyz to tell', async () => (await fetch(`${porteiro.origin}/readyz`)).status === 503, 10_000, 100);
      assert.equal((await fetch(`${porteiro.origin}/healthz`)).status, 200);
      const stranger = await fetch(porteiro.url, { method: 'POST', headers: { Authorization: `Bearer prt_pat_${'x'.repeat(49)}`, 'Content-Type': 'application/json', Accept: 'application/json, text/event-stream' }, body: '{}' });
      assert.ok([401, 503].includes(stranger.status), `${stranger.status}`);
      await proxy.mend();
      const mended = Date.now();
      await waitFor('a write to work', async () => (await call(porteiro.url, token, 'wp_create', { type: 'page', title: `After ${how}`, content: 'x' })).status === 200, 10_000, 50);
      const back = Date.now() - mended;
      await waitFor('readyz to be well', async () => (await fetch(`${porteiro.origin}/readyz`)).status === 200, 10_000, 50);
      assert.equal(porteiro.server.pid, pid);
      assert.ok(porteiro.server.running);
      console.log(`${how}: slowest read ${slowest.read} ms, write refused after ${slowest.write} ms, eight more within ${slowest.more} ms, back after ${back} ms`);
      // Each within a second, with room for a loaded machine.
      assert.ok(Math.max(...Object.values(slowest)) < 2500 && back < 4000, JSON.stringify({ slowest, back }));
    });
  }

  test('what was read meanwhile is in the audit log in the end', async () => {
    await porteiro.stop();
    const [{ n }] = await query(porteiro.direct, "SELECT count(*) AS n FROM mcp_audit_logs WHERE action = 'tool.wp_find'");
    assert.ok(n >= 1 + 3 * OUTAGES, `${n} reads are recorded`);
    assert.equal((await porteiro.json(['audit', 'verify'])).ok, true);
    await porteiro.serve();
  });
});

// A worker that is asked for nothing asks nothing: a database that sleeps when idle goes to sleep.
const IDLE_S = Number(process.env.PORTEIRO_TEST_IDLE_S ?? 20);
test('an idle server sends no statement', { timeout: (IDLE_S + 180) * 1000 }, async () => {
  const porteiro = await Porteiro.create({ database: fixtures.postgres.port });
  await porteiro.addUser();
  const { token } = await porteiro.addConnection(site);
  // Every statement that begins is a message on this way.
  let messages = 0;
  const port = await freePort();
  const server = net.createServer(socket => {
    const upstream = net.connect(fixtures.postgres.port, '127.0.0.1').on('error', () => socket.destroy());
    socket.on('error', () => {}).on('close', () => upstream.destroy()).on('data', chunk => { messages++; upstream.write(chunk); });
    upstream.on('data', chunk => socket.write(chunk)).on('close', () => socket.destroy());
  }).listen(port, '127.0.0.1');
  porteiro.env.DATABASE_URL = porteiro.database.url.replace(`:${fixtures.postgres.port}/`, `:${port}/`);
  try {
    await porteiro.serve();
    assert.ok(!(await callTool(porteiro.url, token, 'wp_find', { type: 'page' })).isError);
    // The last of what that call leaves: its audit row, its use of the token, and after a minute the checkpoint.
    const log = () => fs.readFileSync(porteiro.log, 'utf8');
    await waitFor('the checkpoint', () => /worker 1.*audit checkpoint|audit checkpoint .*worker-1/.test(log()), 90_000, 500);
    await sleep(6000);
    const before = messages;
    assert.ok(before > 5, 'statements are seen');
    await sleep(IDLE_S * 1000);
    assert.equal(messages - before, 0, `${messages - before} messages in ${IDLE_S} idle seconds`);
    console.log(`0 messages in ${IDLE_S} idle seconds, ${before} before`);
  } finally {
    await porteiro.stop();
    server.close();
  }
});

const PGBOUNCER = '/usr/sbin/pgbouncer';

describe('two nodes behind PgBouncer in transaction mode', { skip: !fs.existsSync(PGBOUNCER) && 'pgbouncer is not installed' }, () => {
  let pooler, nodes = [], token;
  before(async () => {
    const dir = temporaryDirectory('bouncer'), port = await freePort(), database = await createDatabase(fixtures.postgres.port);
    fs.chmodSync(dir, 0o755);
    fs.writeFileSync(path.join(dir, 'users.txt'), '"postgres" ""\n');
    fs.writeFileSync(path.join(dir, 'pgbouncer.ini'), `[databases]
* = host=127.0.0.1 port=${fixtures.postgres.port} user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = trust
auth_file = ${dir}/users.txt
pool_mode = transaction
default_pool_size = 3
`);
    const args = ['-q', `${dir}/pgbouncer.ini`];
    // setpriv becomes it; runuser would stand between, and end without it.
    pooler = process.getuid() === 0 ? start('setpriv', ['--reuid=postgres', '--regid=postgres', '--clear-groups', PGBOUNCER, ...args]) : start(PGBOUNCER, args);
    await waitFor('pgbouncer', () => new Promise(resolve => net.connect(port, '127.0.0.1').on('connect', function () { this.destroy(); resolve(true); }).on('error', () => resolve(false))));
    const env = { DATABASE_URL: `postgres://postgres@127.0.0.1:${port}/${database.name}`, PORTEIRO_DATABASE_URL_DIRECT: database.url, PORTEIRO_WORKERS: '2' };
    nodes = [await Porteiro.create({ env })];
    await nodes[0].addUser();
    nodes.push(await Porteiro.create({ env: { ...env, PORTEIRO_SECRET_KEY_FILE: path.join(nodes[0].dir, 'master.key') } }));
    ({ token } = await nodes[0].addConnection(site, { rights: 'read,draft' }));
    for (const node of nodes) await node.serve();
  });
  after(async () => {
    for (const node of nodes) await node.stop();
    await pooler?.stop();
    if (pooler) assert.ok(!fs.existsSync(`/proc/${pooler.pid}`), 'pgbouncer has ended');
  });

  test('many calls on both at once, with fewer connections than workers want', async () => {
    const results = await Promise.all(Array.from({ length: 24 }, (_, i) => i % 3
      ? call(nodes[i % 2].url, token, 'wp_find', { type: 'page' })
      : call(nodes[i % 2].url, token, 'wp_create', { type: 'page', title: `Pooled ${i}`, content: 'x' })));
    for (const { status, body } of results) assert.ok(status === 200 && body.result && !body.result.isError, JSON.stringify(body));
  });

  test('a new master key, a backup, and the audit log', async () => {
    const key = path.join(nodes[0].dir, 'new.key');
    fs.writeFileSync(key, Buffer.alloc(32, 9).toString('base64'), { mode: 0o600 });
    assert.equal((await nodes[1].json(['key', 'rotate', '--new-key-file', key])).current, 2);
    const backup = path.join(nodes[1].dir, 'backup.jsonl');
    assert.ok((await nodes[1].json(['backup', backup])).rows > 10);
    assert.equal((await nodes[1].json(['restore', backup, '--verify'], { env: { PORTEIRO_SECRET_KEY_FILE: key } })).audit_ok, true);
    for (const node of nodes) assert.equal((await call(node.url, token, 'wp_find', { type: 'page' })).status, 200);
    assert.equal((await nodes[0].json(['audit', 'verify'])).ok, true);
  });

  test('a token revoked on one is refused by the other', async () => {
    const { token: other, id } = await nodes[0].json(['token', 'add', '--connection', '1']);
    assert.equal((await call(nodes[1].url, other, 'wp_find', { type: 'page' })).status, 200);
    await nodes[0].json(['token', 'revoke', String(id)]);
    const began = Date.now();
    await waitFor('it to be refused', async () => (await call(nodes[1].url, other, 'wp_find', { type: 'page' })).status === 401, 5000, 50);
    assert.ok(Date.now() - began < 3000);
  });
});
