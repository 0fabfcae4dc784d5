// Files to upload, made here, and a web server that hands them out in good and bad ways.
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import zlib from 'node:zlib';
import { freePort } from './ports.mjs';

export const sha256 = bytes => createHash('sha256').update(bytes).digest('hex');

function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type), data]);
  const frame = Buffer.alloc(body.length + 8);
  frame.writeUInt32BE(data.length, 0);
  body.copy(frame, 4);
  frame.writeUInt32BE(zlib.crc32(body), body.length + 4);
  return frame;
}

// A PNG of noise, about width * height * 3 bytes: it does not compress.
export function png(width, height = width) {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const rows = Buffer.concat(Array.from({ length: height }, () => Buffer.concat([Buffer.from([0]), randomBytes(width * 3)])));
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    chunk('IDAT', zlib.deflateSync(rows, { level: 1 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

export const pdf = size => Buffer.concat([Buffer.from('%PDF-1.4\n'), Buffer.alloc(size - 9, 'x')]);

// Serves what `files` maps a path to: bytes, or a function (request, response).
export async function startSource(files) {
  const port = await freePort();
  const source = { url: `http://127.0.0.1:${port}`, files, requests: [] };
  const server = http.createServer((request, response) => {
    source.requests.push({ method: request.method, url: request.url, headers: request.headers });
    const file = source.files[request.url];
    if (!file) response.writeHead(404).end();
    else if (typeof file === 'function') file(request, response);
    else response.writeHead(200, { 'Content-Length': file.length }).end(file);
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  source.stop = () => {
    server.closeAllConnections();
    return new Promise(resolve => server.close(resolve));
  };
  return source;
}
