// A thousand listeners that are cut at once, and readers that never read: what they cost comes back, and nobody else notices.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { pssBytes, tree } from '../bench/measure.mjs';
import { MODERN, envelope, modern } from '../integration/lib/mcp.mjs';
import { ROOT, sleep, waitFor } from '../integration/lib/process.mjs';

process.env.PORTEIRO_BIN = process.env.PORTEIRO_CONFORMANCE_BIN ?? path.join(ROOT, 'build/conformance/porteiro');
const { serveFixtures } = await import('../conformance/fixtures.mjs');

const CROWD = 1000;
const EACH_BYTES = 24 * 1024; // goal: 16 KiB; a build with sanitizers is not asked
const STUCK = 20;
const STUCK_BYTES = 256 * 1024; // each, in the server's own memory: an answer, what waits of it, stack and buffers
const ROUNDS = 750; // of three changes: more than a listener's socket takes when nobody reads, some 400 KiB
const CUT_MS = 40_000; // the server gives up after 20 s in which nothing is taken

let porteiro, token, other;
before(async () => {
  ({ porteiro, token } = await serveFixtures());
  const [connection] = (await porteiro.json(['connection', 'list'])).items;
  ({ token: other } = await porteiro.addToken(connection.id, '--name', 'bystander'));
});
after(() => porteiro?.stop());

const descriptors = () => tree(porteiro.server.pid).reduce((sum, pid) => sum + fs.readdirSync(`/proc/${pid}/fd`).length, 0);
const pss = () => pssBytes(porteiro.server.pid);

const listenText = (bearer, id = 1, uris = ['test://watched-resource']) => {
  const body = JSON.stringify({ jsonrpc: '2.0', id, method: 'subscriptions/listen', params: { notifications: { toolsListChanged: true, promptsListChanged: true, resourceSubscriptions: uris }, _meta: envelope() } });
  return `POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:${porteiro.port}\r\nAuthorization: Bearer ${bearer}\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\nMCP-Protocol-Version: ${MODERN}\r\nMcp-Method: subscriptions/listen\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
};

// A listener as a bare socket: {socket, heard(METHOD): how often, ended}.
function listener(bearer) {
  const socket = net.connect(porteiro.port, '127.0.0.1');
  const self = { socket, text: '', ended: false, heard: method => self.text.split(`"notifications/${method}"`).length - 1 };
  socket.setEncoding('utf8').on('data', chunk => (self.text += chunk)).on('error', () => {}).on('close', () => (self.ended = true));
  socket.write(listenText(bearer));
  return self;
}

const trigger = name => modern(porteiro.url, other, 'tools/call', { name }).then(({ status }) => assert.equal(status, 200));

async function crowd() {
  const many = [];
  while (many.length < CROWD) {
    many.push(...Array.from({ length: 100 }, () => listener(token)));
    await waitFor('the acknowledgements', () => many.every(one => one.heard('subscriptions/acknowledged') === 1));
  }
  return many;
}

test(`${CROWD} listeners cut at once: descriptors and memory come back, a bystander hears everything`, { timeout: 120_000 }, async () => {
  const bystander = listener(other);
  await waitFor('the bystander', () => bystander.heard('subscriptions/acknowledged') === 1);
  const fds = descriptors();
  let changes = 0, first;
  for (let round = 0; round < 2; round++) {
    const before = pss();
    const many = await crowd();
    const open = pss();
    const begun = performance.now();
    await trigger('test_trigger_tool_change');
    await waitFor('all to hear it', () => many.every(one => one.heard('tools/list_changed') === 1), 20_000, 1);
    const told = performance.now() - begun;
    const calls = Promise.all(Array.from({ length: 20 }, () => trigger('test_simple_text')));
    for (const [i, { socket }] of many.entries()) i % 2 ? socket.destroy() : socket.resetAndDestroy();
    await trigger('test_trigger_tool_change');
    changes += 2;
    await calls;
    await waitFor('the descriptors', () => descriptors() <= fds + 8, 10_000);
    await waitFor('the bystander to hear', () => bystander.heard('tools/list_changed') === changes, 5000);
    // What is free goes back to the system every five seconds, what nobody took for so long is freed.
    if (round > 0) await waitFor('the memory', () => !!process.env.ASAN_OPTIONS || pss() - first < 1 << 20, 15_000, 500).catch(() => {});
    const left = pss();
    console.log(`round ${round}: ${((open - before) / CROWD / 1024).toFixed(1)} KiB a listener; all told after ${told.toFixed(0)} ms; ${((left - before) / 1024).toFixed(0)} KiB more when they had gone`);
    if (round === 0) first = left;
    // The first round fills pools, which stay; after it nothing may.
    else if (!process.env.ASAN_OPTIONS) assert.ok(left - first < 1 << 20, `${left - first} bytes stay`);
    if (!process.env.ASAN_OPTIONS) assert.ok((open - before) / CROWD < EACH_BYTES, `${(open - before) / CROWD} bytes each`);
  }
  assert.equal(bystander.ended, false);
  bystander.socket.destroy();
});

test('one token cannot have more than its share of streams, and others still can', async () => {
  const many = Array.from({ length: 1024 }, () => listener(token));
  await waitFor('the acknowledgements', () => many.every(one => one.heard('subscriptions/acknowledged') === 1));
  const { status, json } = await modern(porteiro.url, token, 'subscriptions/listen', { notifications: { toolsListChanged: true } });
  assert.deepEqual([status, json.error?.code], [200, -32603]);
  const another = listener(other);
  await waitFor('another token', () => another.heard('subscriptions/acknowledged') === 1);
  for (const { socket } of [...many, another]) socket.destroy();
});

// Sockets that take nothing: paused at once, so that their window closes.
function stuck(text) {
  const socket = net.connect(porteiro.port, '127.0.0.1');
  const self = { socket, ended: false };
  socket.on('error', () => {}).on('close', () => (self.ended = true)).pause();
  socket.write(text);
  return self;
}

test('readers that never read: bounded memory, cut after a while, others are served', { timeout: 120_000 }, async () => {
  const bystander = listener(other);
  await waitFor('the bystander', () => bystander.heard('subscriptions/acknowledged') === 1);
  await sleep(1500); // what the tests before this one left is given back
  const fds = descriptors(), before = pss();
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' });
  const one = `POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:${porteiro.port}\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nAccept: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  const readers = Array.from({ length: STUCK }, () => stuck(one.repeat(2000))); // some 20 MB of answers each
  const listeners = Array.from({ length: STUCK }, () => stuck(listenText(token, 'i'.repeat(240), Array(100).fill('test://watched-resource')))); // told once for each change
  await sleep(1000);
  // Notifications until those sockets are full: nobody takes them, nobody waits for them.
  let slowest = 0;
  for (let i = 0; i < ROUNDS; i++) {
    const begun = performance.now();
    await Promise.all(['test_trigger_tool_change', 'test_trigger_prompt_change', 'test_trigger_resource_update'].map(trigger));
    slowest = Math.max(slowest, performance.now() - begun);
  }
  const held = pss() - before;
  console.log(`${2 * STUCK} that never read: ${(held / 1024).toFixed(0)} KiB in all, slowest of ${ROUNDS} rounds of calls beside them ${slowest.toFixed(0)} ms`);
  if (!process.env.ASAN_OPTIONS) assert.ok(held < 2 * STUCK * STUCK_BYTES, `${held} bytes`);
  assert.ok(slowest < 2000, `${slowest} ms`);
  await waitFor('the bystander to hear the last', () => bystander.heard('prompts/list_changed') > 0 && bystander.heard('tools/list_changed') > 0);
  const begun = performance.now();
  // A socket that nobody reads does not tell that it was closed: the server's descriptors do.
  await waitFor('all of them to be cut', () => descriptors() <= fds + 2, CUT_MS, 200);
  console.log(`all were cut ${((performance.now() - begun) / 1000).toFixed(1)} s later`);
  assert.equal((await modern(porteiro.url, other, 'tools/list')).status, 200);
  assert.equal(bystander.ended, false);
  for (const { socket } of [...readers, ...listeners]) socket.destroy();
  bystander.socket.destroy();
});
