// The HTTP server against bytes no client sends: framing that two parsers could read differently, and peers that are
// slow, silent or gone. A refused request gets one 400 (or 501), and the connection is closed.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { fixtures } from './lib/fixtures.mjs';
import { legacy } from './lib/mcp.mjs';
import { Porteiro } from './lib/porteiro.mjs';
import { sleep } from './lib/process.mjs';
import { connect, exchange as exchangeWith } from './lib/raw.mjs';

for (const secure of [false, true]) describe(secure ? 'https' : 'http', () => {
  const exchange = (port, pieces, options) => exchangeWith(port, pieces, { ...options, secure });
  let porteiro, token, start, headers, good;
  const body = '{"jsonrpc":"2.0","id":1,"method":"ping"}';
  const length = `Content-Length: ${body.length}\r\n`;
  const chunk = `${body.length.toString(16)}\r\n${body}\r\n`;

  before(async () => {
    porteiro = await (await Porteiro.create({ secure })).serve();
    await porteiro.addUser();
    ({ token } = await porteiro.addConnection(fixtures.sites.new));
    start = 'POST /mcp HTTP/1.1\r\n';
    headers = `Host: 127.0.0.1:${porteiro.port}\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\nAuthorization: Bearer ${token}\r\n`;
    good = `${start}${headers}${length}\r\n${body}`;
  });
  after(() => porteiro?.stop());

  const refused = {
    'a bare CR hides Transfer-Encoding (CVE-2023-30589)': () => `${start}${headers}X-Abc: \rxTransfer-Encoding: chunked\r\n\r\n1\r\nA\r\n0\r\n\r\n`,
    'both lengths': () => `${start}${headers}${length}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n${good}`,
    'two different Content-Length': () => `${start}${headers}${length}Content-Length: 0\r\n\r\n${body}`,
    'two values in one Content-Length': () => `${start}${headers}Content-Length: ${body.length}, 0\r\n\r\n${body}`,
    'Content-Length with a plus sign': () => `${start}${headers}Content-Length: +${body.length}\r\n\r\n${body}`,
    'Content-Length in hexadecimal': () => `${start}${headers}Content-Length: 0x28\r\n\r\n${body}`,
    'Content-Length beyond 64 bits': () => `${start}${headers}Content-Length: 18446744073709551656\r\n\r\n${body}`,
    'Content-Length below zero': () => `${start}${headers}Content-Length: -1\r\n\r\n${body}`,
    'a space before the colon': () => `${start}${headers}Content-Length : ${body.length}\r\n\r\n${body}`,
    'a folded line': () => `${start}${headers}${length}X: a\r\n b\r\n\r\n${body}`,
    'bare LF lines': () => `${start}${headers}${length}\r\n`.replaceAll('\r\n', '\n') + body,
    'Transfer-Encoding: xchunked': () => `${start}${headers}Transfer-Encoding: xchunked\r\n\r\n${body}`,
    'Transfer-Encoding: chunked, identity': () => `${start}${headers}Transfer-Encoding: chunked, identity\r\n\r\n${body}`,
    'Transfer-Encoding twice': () => `${start}${headers}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}0\r\n\r\n`,
    'chunked in HTTP/1.0': () => `POST /mcp HTTP/1.0\r\n${headers}Transfer-Encoding: chunked\r\n\r\n${chunk}0\r\n\r\n`,
    'NUL in a header': () => `${start}${headers}${length}X: a\0b\r\n\r\n${body}`,
    'no Host': () => `${start}${headers.slice(headers.indexOf('\r\n') + 2)}${length}\r\n${body}`,
    'two Hosts': () => `${start}${headers}Host: evil.example.com\r\n${length}\r\n${body}`,
    'a chunk extension that ends in LF': () => `${start}${headers}Transfer-Encoding: chunked\r\n\r\n${body.length.toString(16)};a\n${body}\r\n0\r\n\r\n`,
    'a negative chunk size': () => `${start}${headers}Transfer-Encoding: chunked\r\n\r\n-1\r\n${body}\r\n0\r\n\r\n`,
    'a chunk size with 0x': () => `${start}${headers}Transfer-Encoding: chunked\r\n\r\n0x${chunk}0\r\n\r\n`,
    'a chunk size beyond 64 bits': () => `${start}${headers}Transfer-Encoding: chunked\r\n\r\n10000000000000028\r\n${body}\r\n0\r\n\r\n`,
    'a chunk longer than it said': () => `${start}${headers}Transfer-Encoding: chunked\r\n\r\n5\r\n${body}\r\n0\r\n\r\n`,
    'no version': () => `POST /mcp\r\n${headers}${length}\r\n${body}`,
    'a tab in the request line': () => `POST\t/mcp HTTP/1.1\r\n${headers}${length}\r\n${body}`,
    'two spaces in the request line': () => `POST  /mcp HTTP/1.1\r\n${headers}${length}\r\n${body}`,
    'HTTP/2.0': () => `POST /mcp HTTP/2.0\r\n${headers}${length}\r\n${body}`,
    'an empty header name': () => `${start}${headers}: x\r\n${length}\r\n${body}`,
    'TLS': () => Buffer.from('16030100c8010000c40303', 'hex'),
  };
  for (const [what, bytes] of Object.entries(refused)) {
    test(`refused: ${what}`, async () => {
      const { statuses, end } = await exchange(porteiro.port, bytes());
      assert.ok(statuses.length <= 1, `answered ${statuses}`);
      if (statuses.length) assert.ok([400, 413, 501, 505].includes(statuses[0]), `answered ${statuses}`);
      // Half a TLS hello may also be waited for; everything else is complete, so the connection must end.
      if (what !== 'TLS') assert.notEqual(end, 'open', 'the connection was left open');
    });
  }

  const served = {
    'Content-Length': () => good,
    chunked: () => `${start}${headers}Transfer-Encoding: chunked\r\n\r\n${chunk}0\r\n\r\n`,
    'many chunks, with extensions and trailers': () => `${start}${headers}Transfer-Encoding: chunked\r\n\r\n${[...body].map(c => `1;x=y\r\n${c}\r\n`).join('')}0\r\nX-T: 1\r\n\r\n`,
    'byte by byte': () => [...good].flatMap((c, i) => (i % 40 ? [c] : [1, c])),
    'header names in any case': () => good.replace('Content-Length', 'cOnTeNt-LeNgTh'),
  };
  for (const [what, bytes] of Object.entries(served)) {
    test(`served: ${what}`, async () => {
      assert.deepEqual((await exchange(porteiro.port, bytes(), { quiet: 500 })).statuses, [200]);
    });
  }

  test('three requests in one write are answered in order', async () => {
    const { bytes, statuses } = await exchange(porteiro.port, [1, 2, 3].map(id => good.replace('"id":1', `"id":${id}`)).join(''), { quiet: 500 });
    assert.deepEqual(statuses, [200, 200, 200]);
    assert.deepEqual([...bytes.matchAll(/"id":(\d)/g)].map(match => match[1]), ['1', '2', '3']);
  });

  test('a header block beyond the limit is refused', async () => {
    const { statuses } = await exchange(porteiro.port, `${start}${headers}X: ${'x'.repeat(300_000)}\r\n${length}\r\n${body}`);
    assert.ok(statuses.length === 0 || [400, 431].includes(statuses[0]), `answered ${statuses}`);
  });

  test('10,000 headers are refused', async () => {
    const { statuses } = await exchange(porteiro.port, `${start}${headers}${'X: 1\r\n'.repeat(10_000)}${length}\r\n${body}`);
    assert.ok(statuses.length === 0 || [400, 431].includes(statuses[0]), `answered ${statuses}`);
  });

  test('Expect: 100-continue is answered', async () => {
    const { statuses } = await exchange(porteiro.port, [`${start}${headers}${length}Expect: 100-continue\r\n\r\n`, 200, body], { quiet: 500 });
    assert.equal(statuses.at(-1), 200);
  });

  test('half a request, then gone: others are served', async () => {
    for (let cut = 1; cut < good.length; cut += 7) {
      const socket = connect(porteiro.port, secure);
      socket.on('error', () => {});
      await new Promise(resolve => socket.write(good.slice(0, cut), resolve));
      socket.destroy();
    }
    assert.equal((await legacy(porteiro.url, token, 'ping')).status, 200);
  });

  test('500 connections that say nothing or half a header do not keep others waiting', async () => {
    const sockets = Array.from({ length: 500 }, (_, i) => {
      const socket = connect(porteiro.port, secure);
      socket.on('error', () => {});
      if (i % 2) socket.write(good.slice(0, 40));
      return socket;
    });
    await Promise.all(sockets.map(socket => once(socket, secure ? 'secureConnect' : 'connect')));
    await sleep(300);
    const began = Date.now();
    assert.equal((await legacy(porteiro.url, token, 'ping')).status, 200);
    assert.ok(Date.now() - began < 2000);
    for (const socket of sockets) socket.destroy();
  });

  test('a body that was promised and never comes does not hold the server up', async () => {
    const socket = connect(porteiro.port, secure);
    socket.on('error', () => {});
    socket.write(`${start}${headers}Content-Length: 1000\r\n\r\n{`);
    await sleep(100);
    assert.equal((await legacy(porteiro.url, token, 'ping')).status, 200);
    socket.destroy();
  });
});
