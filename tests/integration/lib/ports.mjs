// Free ports on 127.0.0.1, below 32768: higher ones are lent out by the kernel to outgoing connections under load.
// PORTEIRO_TEST_PORTS=FIRST-LAST narrows the range. Test files run side by side, so the start is random.
import net from 'node:net';

const [FIRST, LAST] = (process.env.PORTEIRO_TEST_PORTS ?? '20000-32000').split('-').map(Number);
const given = new Set();

const canListen = port =>
  new Promise(resolve => {
    const server = net.createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });

export async function freePort() {
  for (let attempt = 0; attempt < 1000; attempt++) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST + 1));
    if (given.has(port)) continue;
    if (await canListen(port)) {
      given.add(port);
      return port;
    }
  }
  throw new Error(`no free port between ${FIRST} and ${LAST}`);
}
