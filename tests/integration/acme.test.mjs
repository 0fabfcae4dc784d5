// `serve --domain NAME` gets its certificate by ACME and renews it: Debian's uacme against Debian's pebble, a certificate
// authority for tests, on loopback. uacme trusts the system's authorities only, so the server runs in a mount namespace in which
// pebble's is among them; that takes root.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import tls from 'node:tls';
import { freePort } from './lib/ports.mjs';
import { PROGRAM, Porteiro } from './lib/porteiro.mjs';
import { run, start, temporaryDirectory, waitFor } from './lib/process.mjs';
import { makeCertificate } from './lib/tls.mjs';

const BUNDLE = '/etc/ssl/certs/ca-certificates.crt';
const NAME = 'mcp.example.test';
const there = file => fs.existsSync(file);
const canMount = (await run('unshare', ['--mount', 'true'])).code === 0;
const lacking = ['/usr/bin/uacme', '/usr/bin/pebble', '/usr/bin/pebble-challtestsrv', BUNDLE].filter(file => !there(file));
const skip = lacking.length ? `not installed: ${lacking}` : !canMount && 'mount namespaces take root';

describe('ACME', { skip, timeout: 120_000 }, () => {
  const started = [];
  let porteiro, dir, httpPort, acmePort;
  const certificate = () => new Promise((resolve, reject) => {
    const socket = tls.connect({ host: '127.0.0.1', port: porteiro.port, servername: NAME, rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate());
      socket.destroy();
    });
    socket.on('error', reject);
  });

  before(async () => {
    dir = temporaryDirectory('pebble');
    const [dns, management, testManagement] = [await freePort(), await freePort(), await freePort()];
    acmePort = await freePort();
    httpPort = await freePort();
    const { cert, key } = await makeCertificate(dir, { name: 'pebble.example.test' });
    fs.writeFileSync(`${dir}/config.json`, JSON.stringify({
      pebble: { listenAddress: `127.0.0.1:${acmePort}`, managementListenAddress: `127.0.0.1:${management}`, certificate: cert, privateKey: key, httpPort, tlsPort: 1, ocspResponderURL: '', externalAccountBindingRequired: false },
    }));
    fs.writeFileSync(`${dir}/bundle.crt`, fs.readFileSync(BUNDLE, 'utf8') + fs.readFileSync(cert, 'utf8'));
    started.push(start('pebble-challtestsrv', ['-dns01', `127.0.0.1:${dns}`, '-http01', '', '-https01', '', '-tlsalpn01', '', '-management', `127.0.0.1:${testManagement}`, '-defaultIPv6', ''], { log: `${dir}/dns.log` }));
    started.push(start('pebble', ['-config', `${dir}/config.json`, '-dnsserver', `127.0.0.1:${dns}`, '-strict'], { log: `${dir}/pebble.log`, env: { ...process.env, PEBBLE_VA_NOSLEEP: '1', PEBBLE_WFE_NONCEREJECT: '20' } }));
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
    await waitFor('pebble', async () => (await fetch(`https://127.0.0.1:${acmePort}/dir`)).ok);
    porteiro = await Porteiro.create({ env: { PORTEIRO_LISTEN_HTTP: `127.0.0.1:${httpPort}`, PORTEIRO_ACME_URL: `https://localhost:${acmePort}/dir` } });
    delete porteiro.env.PORTEIRO_PUBLIC_URL;
    porteiro.origin = `https://127.0.0.1:${porteiro.port}`;
    const inside = `mount --bind ${dir}/bundle.crt ${BUNDLE} && exec ${PROGRAM} serve --domain ${NAME}`;
    porteiro.server = start('unshare', ['--mount', 'sh', '-c', inside], { env: porteiro.env, cwd: porteiro.dir, log: porteiro.log });
  });
  after(async () => {
    await porteiro?.stop();
    for (const process of started) await process.stop();
  });

  test('a bare server gets its certificate by itself and serves with it', async () => {
    const got = await waitFor('the certificate', async () => {
      const seen = await certificate();
      return /Pebble/.test(seen.issuer?.CN) && seen;
    }, 60_000);
    assert.match(got.subjectaltname, new RegExp(`DNS:${NAME}`));
    assert.equal((await fetch(`${porteiro.origin}/healthz`)).status, 200);
    const log = fs.readFileSync(porteiro.log, 'utf8');
    assert.match(log, /there is no certificate for mcp\.example\.test yet/);
    assert.match(log, /helper: there is a new certificate for mcp\.example\.test/);
    assert.match(log, /address\s+https:\/\/mcp\.example\.test/);
    assert.equal(fs.statSync(`${porteiro.dir}/acme/private/${NAME}/key.pem`).mode & 0o077, 0, 'the key is only ours');
  });

  test('one that is near its end is renewed', async () => {
    const before = await certificate();
    // Half an hour is left of a day: a third of its life is more than that.
    const file = `${porteiro.dir}/acme/${NAME}/cert.pem`;
    const { cert } = await makeCertificate(dir, { file: 'old' });
    const made = await run('openssl', ['x509', '-in', cert, '-signkey', `${dir}/old.key`, '-days', '-1', '-out', `${dir}/expired.crt`]);
    assert.equal(made.code, 0, made.stderr);
    fs.copyFileSync(`${dir}/expired.crt`, file);
    fs.copyFileSync(`${dir}/old.key`, `${porteiro.dir}/acme/private/${NAME}/key.pem`);
    process.kill(porteiro.server.pid, 'SIGHUP'); // the helper looks at its start, then every six hours
    const after = await waitFor('another certificate', async () => {
      const seen = await certificate();
      return /Pebble/.test(seen.issuer?.CN) && seen.serialNumber !== before.serialNumber && seen;
    }, 60_000);
    assert.ok(new Date(after.valid_to) > new Date());
    assert.equal((await fetch(`${porteiro.origin}/healthz`)).status, 200);
  });

  test('an authority that does not answer is not asked in a loop, and serving goes on', async () => {
    await started.pop().stop('SIGTERM');
    const file = path.join(porteiro.dir, 'acme', NAME, 'cert.pem');
    fs.copyFileSync(`${dir}/expired.crt`, file);
    fs.copyFileSync(`${dir}/old.key`, `${porteiro.dir}/acme/private/${NAME}/key.pem`);
    process.kill(porteiro.server.pid, 'SIGHUP');
    await waitFor('the failure in the log', () => /helper: uacme issue failed \(2\): uacme: failed to fetch directory at https:/.test(fs.readFileSync(porteiro.log, 'utf8')), 30_000);
    assert.equal((await fetch(`${porteiro.origin}/healthz`)).status, 200);
    assert.equal([...fs.readFileSync(porteiro.log, 'utf8').matchAll(/uacme \w+ failed/g)].length, 1);
  });
});
