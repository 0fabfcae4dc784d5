// Records what porteiro asks a real WordPress for, so that upstream.c can play it again: a proxy between the two.
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';

export async function startRecorder(wordpress, port) {
  const origin = `http://127.0.0.1:${port}`;
  const rename = text => text.replaceAll(wordpress.url, origin).replaceAll(wordpress.url.replaceAll('/', '\\/'), origin.replaceAll('/', '\\/'));
  const answers = new Map(); // 'METHOD URI' -> {status, headers, body}: the first one, so that an edit finds again what it changes
  let asked = [];

  const server = http.createServer(async (request, response) => {
    const known = `${request.method} ${request.url.replace(/[?&]_=[^&]*$/, '')}`; // without what makes each address its own
    asked.push(known);
    const upstream = http.request(`${wordpress.url}${request.url}`, {
      method: request.method,
      headers: { ...request.headers, host: new URL(wordpress.url).host, 'accept-encoding': 'identity' },
    });
    request.pipe(upstream);
    const [answer] = await once(upstream, 'response');
    const parts = [];
    for await (const part of answer) parts.push(part);
    const body = Buffer.from(rename(Buffer.concat(parts).toString('utf8')));
    const headers = Object.entries(answer.headers)
      .filter(([name]) => !['connection', 'keep-alive', 'transfer-encoding', 'content-length', 'set-cookie'].includes(name))
      .map(([name, value]) => [name, rename(String(value))]);
    headers.push(['Content-Length', String(body.length)]);
    if (!answers.has(known)) answers.set(known, { status: answer.statusCode, headers, body });
    response.writeHead(answer.statusCode, Object.fromEntries(headers)).end(body);
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');

  return {
    url: origin,
    answers,
    takeAsked() {
      const taken = asked;
      asked = [];
      return taken;
    },
    // Another body for what was recorded.
    replace(asked, body) {
      const answer = answers.get(asked);
      answer.body = body;
      for (const header of answer.headers) if (header[0] === 'Content-Length') header[1] = String(body.length);
    },
    stop: () => new Promise(resolve => {
      server.close(resolve);
      server.closeAllConnections();
    }),
    // What upstream.c reads.
    save(dir) {
      fs.mkdirSync(dir, { recursive: true });
      const index = [...answers].map(([asked, { status, headers, body }], number) => {
        const head = [`HTTP/1.1 ${status} ${http.STATUS_CODES[status]}`, ...headers.map(([name, value]) => `${name}: ${value}`), '', ''].join('\r\n');
        fs.writeFileSync(path.join(dir, String(number)), Buffer.concat([Buffer.from(head), body]));
        return `${asked}\t${number}\n`;
      });
      fs.writeFileSync(path.join(dir, 'index'), index.join(''));
    },
  };
}

// A WordPress list about as long as asked for: its items again and again, with other ids.
export function listOfSize(body, bytes) {
  const items = JSON.parse(body);
  const list = [];
  let size = 2;
  for (let i = 0; ; i++) {
    const item = { ...items[i % items.length], id: 1000 + i };
    const more = Buffer.byteLength(JSON.stringify(item)) + 1;
    if (size + more / 2 > bytes) return Buffer.from(JSON.stringify(list));
    size += more;
    list.push(item);
  }
}
