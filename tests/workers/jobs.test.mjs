// Background jobs and what ends processes: a worker that dies in the middle, a program that is started again, and two nodes on
// one PostgreSQL that want the same job. What was done how often, the fixture's lines in the logs tell.
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fixtures } from '../integration/lib/fixtures.mjs';
import { MODERN, callTool, envelope, legacy, modern } from '../integration/lib/mcp.mjs';
import { query } from '../integration/lib/postgres.mjs';
import { ROOT, sleep, waitFor } from '../integration/lib/process.mjs';

process.env.PORTEIRO_BIN = process.env.PORTEIRO_CONFORMANCE_BIN ?? path.join(ROOT, 'build/conformance/porteiro');
const { Porteiro } = await import('../integration/lib/porteiro.mjs');
const { listen, logOf, workersOf } = await import('./help.mjs');

const TASKS = { 'io.modelcontextprotocol/clientCapabilities': { extensions: { 'io.modelcontextprotocol/tasks': {} } } };
const LEASE_S = 2;
const ENDED = ['completed', 'failed', 'cancelled'];

async function start(options = {}, settings = {}) {
  const porteiro = await Porteiro.create(options);
  Object.assign(porteiro.env, { PORTEIRO_JOB_LEASE: String(LEASE_S), PORTEIRO_ACCESS_LOG: 'off' }, settings);
  return porteiro.serve();
}

async function connect(porteiro) {
  await porteiro.addUser();
  const made = await porteiro.json(['connection', 'add', '--user', 'ana@example.test', '--provider', 'conformance', '--name', 'suite']);
  porteiro.token = made.token;
  porteiro.connection = made.id;
}

async function ask(porteiro, method, params, token = porteiro.token) {
  const headers = params.taskId ? { 'Mcp-Name': params.taskId } : {};
  const { json, text } = await modern(porteiro.url, token, method, { ...params, _meta: TASKS }, headers);
  if (!json?.result) throw Object.assign(new Error(`${method}: ${text}`), { code: json?.error?.code });
  return json.result;
}

const begin = async (porteiro, count, each_ms) => (await ask(porteiro, 'tools/call', { name: 'test_job_items', arguments: { count, each_ms } })).taskId;
const look = (porteiro, taskId) => ask(porteiro, 'tasks/get', { taskId });

async function ended(porteiro, taskId, timeout = 60_000) {
  let task;
  await waitFor(`task ${taskId} to end`, async () => ENDED.includes((task = await look(porteiro, taskId)).status), timeout);
  return task;
}

// [{item, again}] in the order of the log(s).
const itemsOf = (taskId, ...nodes) =>
  nodes.flatMap(node => [...logOf(node).matchAll(new RegExp(`test item (\\d+) of job ${taskId}( again)?$`, 'gm'))])
    .map(([, item, again]) => ({ item: Number(item), again: Boolean(again) }));

// Each item once, except those that were under way when somebody died: those twice, and told so. Returns how many.
function assertResumed(items, count, deaths) {
  const first = items.filter(({ again }) => !again).map(({ item }) => item).sort((a, b) => a - b);
  const repeated = items.filter(({ again }) => again);
  assert.deepEqual(first, Array.from({ length: count }, (_, i) => i), 'every item, and none twice without being told');
  assert.ok(repeated.length <= deaths, `${repeated.length} items were done again after ${deaths} deaths`);
  return repeated.length;
}

async function assertEndedOnce(rows, taskId) {
  const ends = rows.filter(({ action, data }) => action === 'job.test_job_items' && data.job === taskId);
  assert.equal(ends.length, 1, `the end is recorded ${ends.length} times`);
}
const auditOf = async porteiro => (await porteiro.json(['audit', 'list', '--limit', '500'])).items;

describe('a job and the death of processes', () => {
  let porteiro;
  before(async () => {
    porteiro = await start();
    await connect(porteiro);
  });
  after(() => porteiro?.stop());

  test('a worker killed in the middle: its successor goes on where it was, and the job ends once', { timeout: 90_000 }, async () => {
    const count = 24;
    const taskId = await begin(porteiro, count, 150);
    let deaths = 0;
    for (const at of [4, 11]) {
      await waitFor(`item ${at}`, () => itemsOf(taskId, porteiro).some(({ item }) => item >= at), 30_000);
      const pid = workersOf(porteiro)[1];
      process.kill(pid, 'SIGKILL');
      deaths++;
      await waitFor('another worker', () => workersOf(porteiro)[1] && workersOf(porteiro)[1] !== pid);
      await waitFor('it to serve', () => look(porteiro, taskId).then(() => true, () => false));
    }
    const task = await ended(porteiro, taskId);
    assert.equal(task.status, 'completed');
    assert.equal(task.result.content[0].text, `${count} items, sum ${(count * (count - 1)) / 2}`, 'what earlier steps left is there');
    assertResumed(itemsOf(taskId, porteiro), count, deaths);
    await assertEndedOnce(await auditOf(porteiro), taskId);
  });

  test('the program stopped in order: nothing is done twice; answers and results are there after the start', { timeout: 90_000 }, async () => {
    const count = 12;
    const taskId = await begin(porteiro, count, 150);
    const asks = (await ask(porteiro, 'tools/call', { name: 'multi_input', arguments: {}, _meta: TASKS })).taskId;
    const done = (await ask(porteiro, 'tools/call', { name: 'slow_compute', arguments: { seconds: 0, label: 'kept' } })).taskId;
    await ended(porteiro, done);
    await waitFor('item 3', () => itemsOf(taskId, porteiro).some(({ item }) => item >= 3));
    await porteiro.stop();
    const before = itemsOf(taskId, porteiro).length;
    assert.ok(before < count, 'it was stopped in the middle');
    await porteiro.serve();
    assert.equal((await look(porteiro, done)).result.content[0].text, 'kept: computed for 0 s');
    assert.equal((await ended(porteiro, taskId)).status, 'completed');
    const again = itemsOf(taskId, porteiro);
    assert.equal(again.filter(one => one.again).length, 0);
    assertResumed(again, count, 0);
    assert.equal((await look(porteiro, asks)).status, 'completed', 'a client that cannot be asked gets an answer, too');
    await assertEndedOnce(await auditOf(porteiro), taskId);
  });
});

describe('a client that cannot follow tasks', () => {
  let porteiro;
  before(async () => {
    porteiro = await start();
    await connect(porteiro);
  });
  after(() => porteiro?.stop());
  const outcomes = async () => (await auditOf(porteiro)).filter(({ action }) => action === 'job.slow_compute').map(({ data }) => data.outcome);

  test('waits for what comes of a job', async () => {
    const { isError, text } = await callTool(porteiro.url, porteiro.token, 'slow_compute', { seconds: 1, label: 'waited' });
    assert.deepEqual({ isError, text }, { isError: false, text: 'waited: computed for 1 s' });
  });

  test('hears how far it is meanwhile', async () => {
    const { text } = await legacy(porteiro.url, porteiro.token, 'tools/call', { name: 'slow_compute', arguments: { seconds: 3, label: 'told' }, _meta: { progressToken: 'p' } });
    const messages = [...text.matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data));
    const told = messages.filter(({ method }) => method === 'notifications/progress').map(({ params }) => params.progress);
    assert.ok(told.length >= 2 && told.every((progress, i) => i === 0 || progress > told[i - 1]), `progress ${told}`);
    assert.equal(messages.at(-1).result.content[0].text, 'told: computed for 3 s');
  });

  test('is told what it cannot do without tasks', async () => {
    const { isError, text } = await callTool(porteiro.url, porteiro.token, 'failing_job');
    assert.ok(isError && text.includes('io.modelcontextprotocol/tasks'), text);
  });

  test('asks a tool for a job, and stops it', async () => {
    const job = await begin(porteiro, 100, 100);
    assert.match((await callTool(porteiro.url, porteiro.token, 'test_job_state', { job })).text, /under way: \d+ of 100/);
    assert.equal((await callTool(porteiro.url, porteiro.token, 'test_job_stop', { job })).isError, false);
    assert.equal((await ended(porteiro, job)).status, 'cancelled');
    const state = await callTool(porteiro.url, porteiro.token, 'test_job_state', { job });
    assert.ok(state.isError && /was stopped; \d+ of 100 were done/.test(state.text), state.text);
    assert.ok((await callTool(porteiro.url, porteiro.token, 'test_job_state', { job: 'nonsense' })).isError);
  });

  test('that leaves ends what it waited for', async () => {
    const before = (await outcomes()).length;
    const leaving = new AbortController();
    const call = fetch(porteiro.url, {
      method: 'POST', signal: leaving.signal,
      headers: {
        Authorization: `Bearer ${porteiro.token}`, 'Content-Type': 'application/json', Accept: 'application/json, text/event-stream',
        'MCP-Protocol-Version': MODERN, 'Mcp-Method': 'tools/call', 'Mcp-Name': 'slow_compute',
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'slow_compute', arguments: { seconds: 60, label: 'left' }, _meta: envelope() } }),
    });
    await sleep(500);
    leaving.abort();
    await assert.rejects(call);
    await waitFor('the job to end', async () => (await outcomes()).length > before);
    assert.equal((await outcomes())[0], 'cancelled');
  });
});

describe('two nodes of two workers on one PostgreSQL', () => {
  let one, two;
  before(async () => {
    one = await start({ database: fixtures.postgres.port }, { PORTEIRO_WORKERS: '2' });
    await connect(one);
    two = await start(
      { database: fixtures.postgres.port, env: { DATABASE_URL: one.database.url, PORTEIRO_SECRET_KEY_FILE: `${one.dir}/master.key` } },
      { PORTEIRO_WORKERS: '2' },
    );
    two.token = one.token;
  });
  after(async () => {
    const ends = await Promise.allSettled([one, two].map(node => node?.stop()));
    for (const { reason } of ends) if (reason) throw reason;
  });

  test('no job is anybody else\'s at the same time', { timeout: 120_000 }, async () => {
    const count = 6;
    const ids = [];
    for (let i = 0; i < 20; i++) ids.push(await begin(i % 2 ? one : two, count, 30)); // four at once, the others wait
    for (const id of ids) assert.equal((await ended(two, id)).status, 'completed');
    for (const id of ids) {
      const items = itemsOf(id, one, two);
      assert.deepEqual(items.map(({ item }) => item).sort((a, b) => a - b), Array.from({ length: count }, (_, i) => i));
      assert.ok(items.every(({ again }) => !again));
    }
    const rows = await query(one.database.url, "SELECT data->>'job' AS job, COUNT(*) AS ends FROM mcp_audit_logs WHERE action = 'job.test_job_items' GROUP BY 1");
    for (const id of ids) assert.equal(Number(rows.find(({ job }) => job === id)?.ends), 1);
    const both = [one, two].map(node => ids.filter(id => itemsOf(id, node).length).length);
    assert.ok(both.every(n => n > 0), `both nodes had some: ${both}`);
  });

  test('a node that dies leaves its job to the other one', { timeout: 90_000 }, async () => {
    const count = 20;
    const taskId = await begin(two, count, 150);
    await waitFor('item 3', () => itemsOf(taskId, two).some(({ item }) => item >= 3));
    const pids = Object.values(workersOf(two));
    process.kill(two.server.pid, 'SIGKILL'); // its workers end with it
    for (const pid of pids) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {}
    }
    const dead = two;
    two = null;
    await sleep(100);
    const task = await ended(one, taskId);
    assert.equal(task.status, 'completed');
    assert.ok(itemsOf(taskId, one).length > 0, 'the other node went on');
    assertResumed(itemsOf(taskId, dead, one), count, 1);
  });

  test('a listener on one worker hears of a job that another one runs', { timeout: 60_000 }, async () => {
    const taskId = await begin(one, 3, 400);
    const streams = Array.from({ length: 6 }, () => listen(one, one.token, { taskIds: [taskId] }, TASKS));
    for (const stream of streams) assert.equal(await stream.begun, 200);
    await ended(one, taskId);
    for (const stream of streams) {
      await waitFor('the end to be told', () => stream.messages.some(({ method, params }) => method === 'notifications/tasks' && params.status === 'completed'));
      assert.deepEqual(stream.messages[0].params.notifications, { taskIds: [taskId] });
      const last = stream.messages.findLast(({ method }) => method === 'notifications/tasks');
      assert.equal(last.params.taskId, taskId);
      assert.equal(last.params.result.content[0].text, '3 items, sum 3');
      assert.equal(last.params._meta['io.modelcontextprotocol/subscriptionId'], 7);
      stream.close();
    }
  });

  test('another token of the same connection sees nothing of it', async () => {
    const taskId = await begin(one, 3, 400);
    const other = await one.addToken(one.connection, '--name', 'other');
    for (const [method, extra] of [['tasks/get', {}], ['tasks/cancel', {}], ['tasks/update', { inputResponses: {} }]]) {
      await assert.rejects(ask(one, method, { taskId, ...extra }, other.token), { code: -32602 });
    }
    const stream = listen(one, other.token, { taskIds: [taskId] }, TASKS);
    assert.equal(await stream.begun, 200);
    assert.deepEqual(stream.messages[0].params.notifications, {});
    stream.close();
    assert.equal((await ended(one, taskId)).status, 'completed');
  });

  test('a revoked token ends its jobs', { timeout: 30_000 }, async () => {
    const { id, token } = await one.addToken(one.connection, '--name', 'revoked');
    const { taskId } = await ask(one, 'tools/call', { name: 'test_job_items', arguments: { count: 100, each_ms: 100 } }, token);
    await waitFor('its first item', () => itemsOf(taskId, one).length > 0);
    await one.json(['token', 'revoke', String(id)]);
    await waitFor('its end', async () => (await query(one.database.url, `SELECT status FROM mcp_jobs WHERE id = '${taskId}'`))[0].status === 'failed');
    assert.ok(itemsOf(taskId, one).length < 50);
  });
});
