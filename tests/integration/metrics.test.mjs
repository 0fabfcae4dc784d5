// /metrics: who may read it, that it counts over all workers, and that it and the log hold no secret and nothing of a site.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { fixtures } from './lib/fixtures.mjs';
import { callTool, legacy } from './lib/mcp.mjs';
import { freePort } from './lib/ports.mjs';
import { Porteiro } from './lib/porteiro.mjs';
import { waitFor } from './lib/process.mjs';
import { workersOf } from '../workers/help.mjs';

const TOKEN = 'canary-of-the-metrics-token-7f3a';

// {'name{labels}': number}
const read = text => Object.fromEntries(text.split('\n').filter(line => line && !line.startsWith('#')).map(line => {
  const space = line.lastIndexOf(' ');
  return [line.slice(0, space), Number(line.slice(space + 1))];
}));
const sum = (metrics, name, ...labels) => Object.entries(metrics)
  .filter(([key]) => key.startsWith(`${name}{`) && labels.every(label => key.includes(label)))
  .reduce((total, [, value]) => total + value, 0);

describe('metrics', { timeout: 120_000 }, () => {
  let porteiro, token, port;
  const metrics = async () => read(await (await fetch(`http://127.0.0.1:${port}/metrics`)).text());
  before(async () => {
    port = await freePort();
    porteiro = await Porteiro.create({
      database: fixtures.postgres.port,
      env: {
        PORTEIRO_WORKERS: '2', PORTEIRO_LISTEN_METRICS: `127.0.0.1:${port}`, PORTEIRO_METRICS_TOKEN: TOKEN, PORTEIRO_LOG: 'json',
        PORTEIRO_TOKEN_CALLS_PER_MINUTE: '40',
      },
    });
    await porteiro.serve();
    await porteiro.addUser();
    ({ token } = await porteiro.addConnection(fixtures.sites.new, { rights: 'read,draft' }));
    await waitFor('two workers', () => Object.keys(workersOf(porteiro)).length === 2);
  });
  after(() => porteiro?.stop());

  test('the main address asks for the token of the metrics; the other listener has only them', async () => {
    const ask = (url, authorization) => fetch(url, { headers: authorization ? { Authorization: authorization } : {} });
    assert.equal((await ask(`${porteiro.origin}/metrics`)).status, 401);
    assert.equal((await ask(`${porteiro.origin}/metrics`, 'Bearer wrong')).status, 401);
    assert.equal((await ask(`${porteiro.origin}/metrics`, `Bearer ${token}`)).status, 401, 'a token for MCP is not one for metrics');
    const good = await ask(`${porteiro.origin}/metrics`, `Bearer ${TOKEN}`);
    assert.equal(good.status, 200);
    assert.match(good.headers.get('content-type'), /^text\/plain; version=0\.0\.4/);
    assert.equal((await ask(`http://127.0.0.1:${port}/metrics`)).status, 200);
    for (const path of ['/', '/healthz', '/mcp', '/api/me']) assert.equal((await ask(`http://127.0.0.1:${port}${path}`)).status, 404);
  });

  test('calls are counted over both workers, by tool, provider, era and outcome, and so are sites and the database', async () => {
    const before = await metrics();
    for (let i = 0; i < 12; i++) assert.ok(!(await callTool(porteiro.url, token, 'wp_find', { limit: 1 })).isError);
    await callTool(porteiro.url, token, 'wp_read', { id: '999999' });
    const now = await metrics();
    const grown = (name, ...labels) => sum(now, name, ...labels) - sum(before, name, ...labels);
    assert.equal(grown('porteiro_tool_call_duration_seconds_count', 'tool="wp_find"', 'provider="wordpress"', 'outcome="ok"'), 12);
    assert.equal(grown('porteiro_tool_call_duration_seconds_count', 'tool="wp_read"'), 1);
    assert.equal(grown('porteiro_tool_call_duration_seconds_count', 'tool="wp_read"', 'outcome="ok"'), 0);
    assert.ok(grown('porteiro_upstream_request_duration_seconds_count', 'outcome="2xx"') >= 12);
    assert.ok(grown('porteiro_database_statement_duration_seconds_count', 'engine="postgres"', 'outcome="ok"') > 0);
    assert.ok(grown('porteiro_cache_lookups_total', 'result="hit"') > 0);
    assert.ok(grown('porteiro_http_request_duration_seconds_count', 'route="/mcp"', 'status="200"') >= 13);
    const buckets = Object.entries(now).filter(([key]) => key.startsWith('porteiro_tool_call_duration_seconds_bucket') && key.includes('wp_find') && key.includes('outcome="ok"')).map(([, value]) => value);
    assert.deepEqual(buckets, buckets.toSorted((a, b) => a - b), 'buckets add up');
    assert.equal(now.porteiro_requests_in_flight, 1, 'only this one');
  });

  test('what limits refuse is counted', async () => {
    const before = await metrics();
    let refused = 0;
    for (let i = 0; i < 60; i++) if ((await legacy(porteiro.url, token, 'tools/call', { name: 'wp_site', arguments: {} })).status === 429) refused++;
    assert.ok(refused > 0);
    assert.equal(sum(await metrics(), 'porteiro_refused_total', 'token_calls_per_minute') - sum(before, 'porteiro_refused_total', 'token_calls_per_minute'), refused);
  });

  test('a worker that dies takes no counter with it', async () => {
    const before = await metrics();
    const pids = Object.values(workersOf(porteiro));
    for (const pid of pids) process.kill(pid, 'SIGKILL');
    await waitFor('new workers', () => {
      const now = Object.values(workersOf(porteiro));
      return now.length === 2 && now.every(pid => !pids.includes(pid));
    });
    const now = await waitFor('an answer', metrics);
    const calls = m => sum(m, 'porteiro_tool_call_duration_seconds_count');
    assert.equal(calls(now), calls(before));
    assert.ok(now.porteiro_connections < 10);
  });

  test('the log has members for call, user and connection; neither it nor the metrics hold a secret', async () => {
    const log = fs.readFileSync(porteiro.log, 'utf8');
    const lines = log.split('\n').filter(line => line.startsWith('{')).map(line => JSON.parse(line));
    const ours = lines.filter(line => /POST \/mcp 200/.test(line.text));
    assert.ok(ours.length > 10);
    for (const line of ours) {
      assert.match(line.call, /^[0-9a-f]{16}$/);
      assert.ok(line.text.includes(line.call));
    }
    assert.ok(ours.some(line => line.user > 0 && line.connection > 0));
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    for (const secret of [token, TOKEN, fixtures.sites.new.users.editor.app_password, 'ana@example.test']) {
      assert.ok(!log.includes(secret), 'in the log');
      assert.ok(!text.includes(secret), 'in the metrics');
    }
    assert.ok(!text.includes('127.0.0.1'), 'no address of a site');
  });
});
