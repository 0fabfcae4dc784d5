// What both emulators share: an HTTP server on this machine that is strict on requests, with switches for faults.
//   service.fault = (request) => null | 'reset' | 'reset-after' | 'no-id' | {status, body, after?}
//   service.delay = (request) => milliseconds before it is looked at
//   service.beforeAnswer = (body) => what happens when it is done and the answer, `body`, not yet on its way
//   reset: the connection breaks before it is done; reset-after: it is done, and nobody is told.
//   {status, body}: that is the answer, and nothing is done; with `after`: it is done all the same.
import { once } from 'node:events';
import http from 'node:http';
import { freePort } from '../integration/lib/ports.mjs';

export async function startService(handle) {
  const port = await freePort();
  const service = { port, url: `http://127.0.0.1:${port}`, requests: [], sent: [], violations: [], fault: null, delay: null, beforeAnswer: null };
  let counter = 0;
  service.newId = prefix => `${prefix}${process.pid}.${Date.now().toString(36)}.${++counter}`;
  const sockets = new Set();
  const server = http.createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const raw = Buffer.concat(chunks);
    const url = new URL(request.url, service.url);
    const seen = { method: request.method, path: url.pathname, query: url.searchParams, headers: request.headers, raw, at: Date.now() };
    if (/json/.test(request.headers['content-type'] ?? '') && raw.length) {
      try {
        seen.body = JSON.parse(raw);
      } catch {
        seen.malformed = true;
      }
    }
    service.requests.push(seen);
    const delay = service.delay?.(seen);
    if (delay) await new Promise(resolve => setTimeout(resolve, delay));
    const answer = (status, body) => {
      const isFile = Buffer.isBuffer(body), text = typeof body === 'string' || isFile ? body : JSON.stringify(body);
      response.writeHead(status, { 'Content-Type': isFile ? 'application/octet-stream' : typeof body === 'string' ? 'text/html' : 'application/json', 'Content-Length': Buffer.byteLength(text) }).end(text);
    };
    const fault = service.fault?.(seen);
    if (fault === 'reset') return request.socket.destroy();
    if (fault?.status && !fault.after) return answer(fault.status, fault.body);
    let [status, body] = handle(service, seen);
    await service.beforeAnswer?.(body);
    if (fault === 'reset-after') return request.socket.destroy();
    if (fault?.after) [status, body] = [fault.status, fault.body];
    if (fault === 'no-id') body = { ok: true };
    answer(status, body);
  });
  server.on('connection', socket => sockets.add(socket.on('close', () => sockets.delete(socket)).on('error', () => {})));
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  service.stop = () => {
    for (const socket of sockets) socket.destroy();
    return new Promise(resolve => server.close(resolve));
  };
  return service;
}

// A small judge of shapes: {name: 'string' | 'number' | [...] | (value) => bool, 'name?': ...}. Null: right; else what is wrong.
export function misfit(shape, value, at = 'body') {
  if (typeof shape === 'function') return shape(value) ? null : `${at} is ${JSON.stringify(value)}`;
  if (typeof shape === 'string') return typeof value === shape ? null : `${at} requires a ${shape}`;
  if (Array.isArray(shape)) {
    if (!Array.isArray(value)) return `${at} requires a list`;
    return value.map((item, i) => misfit(shape[0], item, `${at}[${i}]`)).find(Boolean) ?? null;
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return `${at} requires an object`;
  const known = new Set();
  for (const [key, part] of Object.entries(shape)) {
    const name = key.replace(/\?$/, '');
    known.add(name);
    if (value[name] === undefined) {
      if (!key.endsWith('?')) return `instance requires property "${name}"`;
      continue;
    }
    const wrong = misfit(part, value[name], `${at}.${name}`);
    if (wrong) return wrong;
  }
  const strange = Object.keys(value).find(name => !known.has(name));
  return strange ? `${at}.${strange} is unknown` : null;
}
export const of = (...values) => value => values.includes(value);
export const text = max => value => typeof value === 'string' && value.length > 0 && [...value].length <= max;
