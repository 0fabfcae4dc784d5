// HTTP as bytes on a socket, for what no HTTP client would send.
import net from 'node:net';
import tls from 'node:tls';

// A socket to the server, through TLS when it has it.
export const connect = (port, secure) =>
  secure ? tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] }) : net.connect(port, '127.0.0.1');

// Sends the pieces (strings, Buffers, or numbers: milliseconds to wait) and collects what comes back until the peer
// closes or `quiet` milliseconds pass without a byte: {statuses, bytes, end: 'closed' | 'open' | 'reset'}.
export function exchange(port, pieces, { quiet = 1000, secure = false } = {}) {
  return new Promise(resolve => {
    const socket = connect(port, secure);
    const received = [];
    let timer;
    const finish = end => {
      clearTimeout(timer);
      socket.destroy();
      const bytes = Buffer.concat(received).toString('latin1');
      resolve({ end, bytes, statuses: [...bytes.matchAll(/HTTP\/1\.[01] (\d{3})/g)].map(match => Number(match[1])) });
    };
    const listen = () => {
      clearTimeout(timer);
      timer = setTimeout(finish, quiet, 'open');
    };
    socket.on(secure ? 'secureConnect' : 'connect', async () => {
      for (const piece of [pieces].flat()) {
        if (typeof piece === 'number') await new Promise(done => setTimeout(done, piece));
        else if (socket.writable) socket.write(piece, typeof piece === 'string' ? 'latin1' : undefined);
      }
      listen();
    });
    socket.on('data', chunk => {
      received.push(chunk);
      if (timer) listen();
    });
    socket.on('end', () => finish('closed'));
    socket.on('error', () => finish('reset'));
  });
}
