// Interleaved calls of 64 clients that all use the same JSON-RPC ids: each answer reaches the client, and the call, that it
// belongs to. A tenth goes to the site and waits there for differing times, so that many are under way and overtake each other;
// the others are answered at once. Release build, eight connections of two users, a token for each client, both eras.
// PORTEIRO_INTERLEAVED_CALLS: how many (./dev soak: 1,000,000).
import assert from 'node:assert/strict';
import net from 'node:net';
import { after, before, test } from 'node:test';
import { startFakeSite } from '../integration/lib/fake-site.mjs';
import { fixtures } from '../integration/lib/fixtures.mjs';
import { LEGACY, MODERN, envelope } from '../integration/lib/mcp.mjs';
import { Porteiro } from '../integration/lib/porteiro.mjs';

const CLIENTS = 64;
const CALLS = Math.ceil(Number(process.env.PORTEIRO_INTERLEAVED_CALLS ?? 40_000) / CLIENTS) * CLIENTS; // as many for each
const CONNECTIONS = 4; // of each client, each with one call under way
const SITES = 8;
const TO_SITE = 10; // one call in so many
const DELAY_MS = 25;

// Answers a search with one post, whose title is what was searched for, after a while; passes the rest to the WordPress.
const echoing = site => (request, response, pass) => {
  site.requests.length = 0;
  const marker = /[?&]search=(c\d+n\d+)/.exec(request.url)?.[1];
  if (!marker) return pass();
  const post = { id: 7, type: 'post', status: 'publish', slug: marker, date: '2026-11-22T10:00:00', modified: '2026-11-22T10:00:00', link: `${site.url}/${marker}`, title: { rendered: marker }, author: 1 };
  setTimeout(() => response.writeHead(200, { 'Content-Type': 'application/json; charset=UTF-8', 'X-WP-Total': '1', 'X-WP-TotalPages': '1' }).end(JSON.stringify([post])), Math.random() * DELAY_MS);
};

let porteiro, clients;
const sites = [];
before(async () => {
  const none = name => [`PORTEIRO_${name}`, '0'];
  porteiro = await (await Porteiro.create({
    database: fixtures.postgres.port,
    env: {
      ...Object.fromEntries(['TOKEN_CALLS_PER_MINUTE', 'TOKEN_CALLS_AT_ONCE', 'USER_CALLS_PER_MINUTE', 'MAX_UPSTREAM_PER_USER'].map(none)),
      PORTEIRO_MAX_UPSTREAM_PER_SITE: '32', PORTEIRO_MAX_UPSTREAM_QUEUED: '1000', PORTEIRO_WORKERS: '2', PORTEIRO_ACCESS_LOG: 'off', PORTEIRO_LOG_LEVEL: 'warning',
    },
  })).serve();
  await porteiro.addUser('ana@example.test');
  await porteiro.addUser('ben@example.test', { name: 'Ben', phone: '+5511999990002' });
  clients = Array(CLIENTS);
  await Promise.all(Array.from({ length: SITES }, async (_, i) => {
    const site = await startFakeSite(fixtures.sites.new);
    sites.push(site);
    const { id } = await porteiro.addConnection(site, { user: i % 2 ? 'ana@example.test' : 'ben@example.test', name: `site ${i}`, rights: 'read' });
    site.answer = echoing(site);
    for (let number = i; number < CLIENTS; number += SITES) clients[number] = { number, site, next: 0, token: (await porteiro.addToken(id, '--name', `client ${number}`)).token };
  }));
});
after(async () => {
  await porteiro?.stop();
  for (const site of sites) await site.stop();
});

function requestText(client, id, marker, toSite) {
  const isModern = (client.number + id) % 2;
  const params = toSite ? { name: 'wp_find', arguments: { type: 'post', q: marker } } : { name: `none_${marker}`, arguments: {} };
  const body = JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params: isModern ? { ...params, _meta: envelope() } : params });
  return `POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:${porteiro.port}\r\nAuthorization: Bearer ${client.token}\r\nContent-Type: application/json\r\nAccept: application/json\r\n` +
    `MCP-Protocol-Version: ${isModern ? MODERN : LEGACY}\r\n${isModern ? `Mcp-Method: tools/call\r\nMcp-Name: ${params.name}\r\n` : ''}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

// One connection of a client after another (the server ends each after 1,000 requests, and says so): a call after another, on
// bare sockets, until there are no more.
function converse(client, seen, budget) {
  return new Promise((resolve, reject) => {
    let socket, text, id, marker, toSite, begun, sent;
    const next = () => {
      if (budget.left-- <= 0) return socket.end(resolve);
      id = client.next++; // every client counts alike
      marker = `c${client.number}n${id}`;
      toSite = (id + client.number) % TO_SITE === 0;
      seen.underWay++;
      seen.most = Math.max(seen.most, seen.underWay);
      begun = seen.ended;
      sent = performance.now();
      socket.write(requestText(client, id, marker, toSite));
    };
    const take = (head, body) => {
      seen.underWay--;
      seen.ended++;
      seen.overtaken += seen.ended - begun > CLIENTS * CONNECTIONS ? 1 : 0;
      const answer = JSON.parse(body);
      const said = answer.error?.message ?? answer.result?.content?.[0]?.text ?? '';
      const markers = new Set(said.match(/c\d+n\d+/g));
      const good = answer.id === id && /^HTTP\/1\.1 200 /.test(head) && markers.size === 1 && markers.has(marker) &&
        (toSite ? answer.result && !answer.result.isError : answer.error?.code === -32602);
      if (toSite) seen.toSite++;
      if (!good) seen.wrong.push(`asked ${marker} (id ${id}): ${head.split('\r\n')[0]} ${body.slice(0, 300)}`);
      if (/^connection: close/im.test(head)) open();
      else next();
    };
    const open = () => {
      const mine = net.connect({ port: porteiro.port, host: '127.0.0.1', noDelay: true });
      socket?.end();
      socket = mine;
      text = '';
      mine.setEncoding('latin1').on('data', chunk => {
        text += chunk;
        const end = text.indexOf('\r\n\r\n');
        if (end < 0) return;
        const head = text.slice(0, end), size = Number(/content-length: *(\d+)/i.exec(head)?.[1]);
        if (text.length < end + 4 + size) return;
        const body = text.slice(end + 4, end + 4 + size);
        if (text.length > end + 4 + size) seen.wrong.push(`more than was asked for: ${text.slice(end + 4 + size, end + 300 + size)}`);
        text = '';
        take(head, body);
      }).on('connect', next).on('error', reject).on('close', () => {
        if (mine === socket && budget.left > 0) reject(new Error(`the connection was closed ${(performance.now() - sent).toFixed(0)} ms after ${marker} was asked, ${seen.ended} calls into it; received: ${JSON.stringify(text.slice(0, 200))}`));
      });
    };
    open();
  });
}

test(`${CALLS} interleaved calls of ${CLIENTS} clients with identical ids: none misdelivered`, { timeout: 3600_000 }, async () => {
  const seen = { underWay: 0, most: 0, ended: 0, toSite: 0, overtaken: 0, wrong: [] };
  const begun = performance.now();
  await Promise.all(clients.flatMap(client => {
    const budget = { left: CALLS / CLIENTS };
    return Array.from({ length: CONNECTIONS }, () => converse(client, seen, budget));
  }));
  const seconds = (performance.now() - begun) / 1000;
  console.log(`${seen.ended} calls in ${seconds.toFixed(1)} s (${(seen.ended / seconds).toFixed(0)}/s), ${seen.toSite} of them to the site; at most ${seen.most} under way; ${seen.overtaken} were overtaken by more than ${CLIENTS * CONNECTIONS} others; ${seen.wrong.length} misdelivered`);
  assert.deepEqual(seen.wrong.slice(0, 5), [], `${seen.wrong.length} wrong`);
  assert.equal(seen.ended, CALLS);
  assert.ok(seen.toSite > CALLS / TO_SITE / 2 && seen.overtaken > CALLS / 1000, 'they were interleaved');
});
