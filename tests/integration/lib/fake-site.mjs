// A site that misbehaves on demand: an HTTP server in front of a real WordPress. `site.answer` decides on each request
// (request, response, pass), where pass() hands it to the WordPress; null passes everything.
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import fs from 'node:fs';
import path from 'node:path';
import { freePort } from './ports.mjs';
import { mustRun, temporaryDirectory } from './process.mjs';

// `prefix`: a folder the site lives in ("/blog").
export async function startFakeSite(wordpress, { tls = false, prefix = '' } = {}) {
  const port = await freePort();
  const site = { url: `${tls ? 'https' : 'http'}://127.0.0.1:${port}${prefix}`, users: wordpress?.users, answer: null, requests: [] };

  // The WordPress knows itself by its own address: what it says about it is turned into ours.
  const rename = text => text.replaceAll(wordpress.url, site.url).replaceAll(wordpress.url.replaceAll('/', '\\/'), site.url.replaceAll('/', '\\/'));

  const handle = async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    site.requests.push({ method: request.method, url: request.url, headers: request.headers, body: body.toString() });
    const pass = async ({ headers = request.headers, edit = text => text, to = response } = {}) => {
      const upstream = http.request(`${wordpress.url}${request.url.slice(prefix.length) || '/'}`, { method: request.method, headers: { ...headers, host: new URL(wordpress.url).host, 'accept-encoding': 'identity' } });
      upstream.end(body);
      const [answer] = await once(upstream, 'response');
      const parts = [];
      for await (const part of answer) parts.push(part);
      const content = Buffer.from(edit(rename(Buffer.concat(parts).toString('utf8'))));
      const given = Object.fromEntries(Object.entries(answer.headers).map(([name, value]) => [name, typeof value === 'string' ? rename(value) : value]));
      delete given['transfer-encoding'];
      delete given.connection;
      to.writeHead(answer.statusCode, { ...given, 'content-length': content.length }).end(content);
    };
    try {
      if (!request.url.startsWith(prefix)) return response.writeHead(404, { 'Content-Type': 'text/html' }).end('<!doctype html><title>The company</title>');
      await (site.answer ? site.answer(request, response, pass) : pass());
    } catch {
      response.destroy();
    }
  };

  const certificate = tls && (await selfSigned());
  if (tls) site.ca = certificate.file; // for PORTEIRO_CA_FILE
  const server = tls ? https.createServer(certificate, handle) : http.createServer(handle);
  const sockets = new Set();
  server.on('connection', socket => sockets.add(socket.on('close', () => sockets.delete(socket)).on('error', () => {})));
  server.on('tlsClientError', () => {});
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  site.hangUp = () => server.closeIdleConnections(); // kept connections: a request on one that is reset is sent again on the next
  site.stop = () => {
    for (const socket of sockets) socket.destroy();
    return new Promise(resolve => server.close(resolve));
  };
  return site;
}

async function selfSigned() {
  const dir = temporaryDirectory('certificate');
  const [key, cert] = ['key.pem', 'cert.pem'].map(name => path.join(dir, name));
  await mustRun('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', cert]);
  return { key: fs.readFileSync(key), cert: fs.readFileSync(cert), file: cert };
}

// Answers for fake sites.
export const html = (text = '<!doctype html><title>A shop</title><p>Hello', status = 200) => (request, response) =>
  response.writeHead(status, { 'Content-Type': 'text/html; charset=utf-8' }).end(text);
export const status = (code, body = { code: 'fake', message: 'Asked for.', data: { status: code } }, headers = {}) => (request, response) =>
  response.writeHead(code, { 'Content-Type': 'application/json', ...headers }).end(JSON.stringify(body));
export const hang = () => {};
export const reset = (request, response) => response.socket.resetAndDestroy();
export const stripAuthorization = (request, response, pass) => {
  const { authorization, ...headers } = request.headers;
  return pass({ headers });
};
