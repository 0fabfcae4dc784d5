// Runs in a network namespace of its own, see ../egress.test.mjs. Exits with 1 and says why when a promise is broken.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import https from 'node:https';
import net from 'node:net';
import path from 'node:path';
import readline from 'node:readline';
import { Person } from '../../integration/lib/api.mjs';
import { callTool } from '../../integration/lib/mcp.mjs';
import { Porteiro } from '../../integration/lib/porteiro.mjs';
import { mustRun, temporaryDirectory, waitFor } from '../../integration/lib/process.mjs';
import { Flow, PASSWORD } from '../../oauth/flow.mjs';
import { V4, V6, ZONE, nameOf, spellings } from './addresses.mjs';
import { startNames } from './names.mjs';

const REBINDS = Number(process.env.PORTEIRO_TEST_REBINDS ?? 100), IS_LONG = REBINDS > 100;
const PUBLIC = '93.184.216.34', RESOLVER = '127.0.0.53', AT_ONCE = 8;
const PORTS = [22, 80, 443, 3306, 5432, 6379, 8080, 8443, 9200, 11211];
const site = `https://site.${ZONE}`;
const dir = temporaryDirectory('egress');
const text = value => Buffer.from(value).toString('base64url');

// ---- the network: everything is here

async function makeNetwork() {
  await mustRun('ip', ['link', 'set', 'lo', 'up']);
  for (const version of ['-4', '-6']) await mustRun('ip', [version, 'route', 'add', 'local', 'default', 'dev', 'lo']);
  // Link-local addresses are of an interface.
  await mustRun('ip', ['link', 'add', 'lan0', 'type', 'veth', 'peer', 'name', 'lan1']);
  for (const end of ['lan0', 'lan1']) await mustRun('ip', ['link', 'set', end, 'up']);
  const conf = path.join(dir, 'resolv.conf');
  fs.writeFileSync(conf, `nameserver ${RESOLVER}\noptions timeout:2\n`);
  await mustRun('mount', ['--bind', conf, '/etc/resolv.conf']);
}

// A certificate that is good for the public address and all names, so that only the address guard stands in the way.
async function makeCertificate() {
  const [key, cert] = ['key.pem', 'cert.pem'].map(name => path.join(dir, name));
  await mustRun('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', `/CN=${ZONE}`,
    '-addext', `subjectAltName=DNS:*.${ZONE},DNS:${ZONE},IP:${PUBLIC}`, '-keyout', key, '-out', cert]);
  return { key, cert };
}

class Packets {
  static async start() {
    const self = new Packets();
    self.child = spawn('python3', [path.join(import.meta.dirname, 'packets.py')], { stdio: ['pipe', 'pipe', 'inherit'] });
    self.seen = [];
    self.lost = null;
    readline.createInterface({ input: self.child.stdout }).on('line', line => {
      const [what, address, port] = line.split(' ');
      if (what === 'lost') self.lost = Number(address);
      else self.seen.push({ what, address, port: Number(port) });
    });
    await waitFor('the packets\' reader', () => self.seen.length > 0);
    self.seen.length = 0;
    return self;
  }

  // All that was sent so far, up to a connection of our own that marks the end: in its order nothing is missing before it.
  async read() {
    const before = this.count('10.255.0.9');
    await once(net.connect(80, '10.255.0.9').on('connect', function () { this.destroy(); }), 'close');
    await waitFor('the mark', () => this.count('10.255.0.9') > before);
    this.lost = null;
    this.child.stdin.write('?\n');
    await waitFor('how many were lost', () => this.lost !== null);
    assert.equal(this.lost, 0, 'packets were not looked at');
    return this.seen;
  }

  count(address) {
    return this.seen.filter(one => one.address === address).length;
  }
}

// What a site and whoever describes himself answers at the public address. /to/URL redirects to it.
function answer(request, response) {
  const { pathname } = new URL(request.url, site);
  const to = /^\/(?:to|deep\/[^/]*)\/([\w-]+)/.exec(pathname)?.[1];
  const json = body => response.writeHead(200, { 'Content-Type': 'application/json', Link: `<${site}/wp-json/>; rel="https://api.w.org/"` }).end(JSON.stringify(body));
  if (to) return response.writeHead(302, { Location: Buffer.from(to, 'base64url').toString('latin1') }).end();
  const linked = /^\/link\/([\w-]+)/.exec(pathname)?.[1];
  if (linked) return response.writeHead(200, { 'Content-Type': 'text/html', Link: `<${Buffer.from(linked, 'base64url').toString('latin1')}>; rel="https://api.w.org/"` }).end('<!doctype html><title>A site</title>');
  if (pathname.startsWith('/wp-json/wp/v2/users/me')) return json({ id: 1, name: 'Ana', username: 'ana', slug: 'ana', roles: ['editor'], capabilities: { upload_files: true } });
  if (pathname === '/wp-json/' || pathname === '/') return json({ name: 'A site', namespaces: ['wp/v2'], authentication: { 'application-passwords': { endpoints: {} } } });
  if (pathname.endsWith('.png')) return response.writeHead(200, { 'Content-Type': 'image/png' }).end('no picture');
  return response.writeHead(404, { 'Content-Type': 'application/json' }).end('{"code":"rest_no_route","message":"no","data":{"status":404}}');
}

const accepted = [];
async function listen(certificate) {
  const server = https.createServer({ key: fs.readFileSync(certificate.key), cert: fs.readFileSync(certificate.cert) }, answer);
  for (const port of PORTS) {
    const one = net.createServer(socket => {
      const address = socket.localAddress.replace(/^::ffff:/, '');
      socket.on('error', () => {});
      if (port === 443 && address === PUBLIC) return server.emit('connection', socket);
      accepted.push(`${address} ${port}`);
      socket.destroy();
    });
    one.listen({ port, host: '::', ipv6Only: false });
    await once(one, 'listening');
  }
  server.on('tlsClientError', () => {});
}

// ---- who tries

const made = { addresses: 0 };
const said = new Map(); // what tried -> what came of it -> how often

function count(kind, what) {
  const of = said.get(kind) ?? said.set(kind, new Map()).get(kind);
  of.set(what, (of.get(what) ?? 0) + 1);
}

const hidden = url => Buffer.from(/\/to\/([\w-]+)/.exec(url)?.[1] ?? '', 'base64url').toString();

// In words of the answers: what became of a try. None may have succeeded, and none may have failed because somebody answered.
function judge(kind, url, answer) {
  const outcomes = [
    ['refused by its address', /which this server does not call/], ['refused as plain http', /without encryption/], ['refused by its port', /Port \d+ of .* is not open/],
    ['no address', /is no address|redirects? .*to (nothing|what is no)|is not taken|holds a percent sign/], ['not followed', /answered with status 302/], ['no such name', /was not found \(DNS\)/],
    ...(/both-/.test(url + hidden(url)) ? [['answered by the public address beside it', /plain text|not_wordpress|The service refused this|answered with status 404/]] : []),
    ...(kind === 'REST roots that sites name' ? [['not gone there', /not_wordpress/]] : []),
  ];
  const [what] = outcomes.find(([, pattern]) => pattern.test(answer)) ?? [];
  if (what) return count(kind, what);
  count(kind, 'else');
  (made.else ??= []).push(`${kind} ${url}: ${answer.slice(0, 600)}`);
}

async function each(list, work) {
  const rest = list.values();
  await Promise.all(Array.from({ length: AT_ONCE }, async () => { for (const one of rest) await work(one); }));
}

const targets = () => {
  const direct = V4.flatMap(address => spellings(address)).concat(V6.map(address => `[${address}]`), ['localhost', 'localhost.', 'LOCALHOST', 'ip6-localhost', '[fe80::1%25lan0]', '[fe80::1%lan0]', '①⓪.0.0.1']);
  const names = [...V4, ...V6].flatMap(address => ['plain', 'cname', 'both'].map(kind => nameOf(address, kind)));
  made.spellings = direct.length;
  made.names = names.length;
  return [...direct, ...names].map(host => `https://${host}/picture.png`);
};

async function main() {
  await makeNetwork();
  const certificate = await makeCertificate();
  const names = await startNames(RESOLVER, PUBLIC);
  const packets = await Packets.start();
  await listen(certificate);

  const porteiro = await (await Porteiro.create({ egress: null, env: { PORTEIRO_CA_FILE: certificate.cert, PORTEIRO_BREAKER_FAILURES: '0' } })).serve();
  await porteiro.addUser();
  await porteiro.addUser('bia@example.test', { name: 'Bia', phone: '+5511999990002' });
  const ana = new Person(porteiro);
  await ana.login('ana@example.test', PASSWORD);
  const secrets = { username: 'ana', app_password: 'abcd efgh ijkl mnop qrst uvwx' };
  const { id, token } = await ana.ok('POST', '/api/connections', { provider: 'wordpress', name: 'a site', config: { url: site }, secrets, rights: 'read,draft,publish,fetch' });
  assert.ok(id && token, 'the public site is a connection');

  const connect = async (url, kind = 'connections') => {
    const answer = await ana.call('POST', '/api/connections', { provider: 'wordpress', name: 'x', config: { url }, secrets });
    assert.ok(answer.status >= 400 && answer.status !== 429, `${url}: ${answer.status} ${answer.text}`);
    judge(kind, url, answer.text);
  };
  const upload = async (url, kind = 'uploads by address') => {
    const { isError, text: said } = await callTool(porteiro.url, token, 'wp_upload', { url });
    assert.ok(isError, `${url}: ${said}`);
    judge(kind, url, said);
  };

  const urls = targets();
  const share = (short, long) => urls.filter((_, i) => i % (IS_LONG ? long : short) === 0);
  await each(share(2, 1), url => upload(url));
  await each(share(9, 1), url => connect(url));
  const few = share(17, 5);
  await each(few, url => upload(`${site}/to/${text(url)}`, 'redirects of files'));
  await each(few.slice(0, 20), url => upload(`${site}/to/${text(`${site}/to/${text(`${site}/to/${text(url)}`)}`)}`, 'redirects of files, three deep'));
  await each(few, url => connect(`${site}/to/${text(url)}`, 'redirects of sites'));
  await each(few, url => connect(`${site}/link/${text(url)}`, 'REST roots that sites name'));
  for (const port of PORTS.filter(port => port !== 443)) {
    await upload(`https://10.0.0.1:${port}/x.png`, 'other ports');
    await upload(`http://127.0.0.1:${port}/x.png`, 'other ports');
    await connect(`http://169.254.169.254:${port}/`, 'other ports');
  }
  await each(few, async url => {
    const answer = await ana.call('POST', '/api/connections', { provider: 'whatsapp', name: 'x', config: { backend: 'evolution', url, instance: 'loja' }, secrets: { apikey: 'k' } });
    assert.ok(answer.status >= 400, `${url}: ${answer.status} ${answer.text}`);
    judge('WhatsApp services', url, answer.text);
  });
  // Descriptions of clients: ten in a row for a person, so two people.
  const flow = new Flow(porteiro);
  const documents = [...['10.0.0.1', '127.0.0.1', '169.254.169.254', '192.168.0.1', '::1', 'fd00:ec2::254'].flatMap(address => ['plain', 'cname', 'both'].map(kind => `https://${nameOf(address, kind)}/client.json`)),
    `${site}/to/${text('https://10.0.0.1/client.json')}`, `${site}/to/${text(`https://${nameOf('127.0.0.1', 'plain')}/client.json`)}`];
  for (const [i, email] of ['ana@example.test', 'bia@example.test'].entries()) {
    const person = await flow.person(email);
    for (const url of documents.slice(i * 10, i * 10 + 10)) {
      const page = await person.request('GET', flow.address(url));
      assert.ok(page.status >= 400 && page.status !== 429, `${url}: ${page.status} ${page.text}`);
      judge('client documents', url, page.text);
    }
  }
  // Names whose answers turn: about half of each try's questions get an address that is not public.
  for (let i = 0; names.turned < REBINDS; i++) {
    assert.ok(i < REBINDS, 'the names are asked for');
    await each(Array.from({ length: 64 }, (_, k) => `https://turn-${i * 64 + k}.${ZONE}/${k % 2 ? 'picture.png' : `to/${text(`https://turn-${i * 64 + k}.${ZONE}/picture.png`)}`}`), async url => {
      const { isError, text: said } = await callTool(porteiro.url, token, 'wp_upload', { url });
      assert.ok(isError, said);
      count('names that turn', /which this server does not call/.test(said) ? 'refused by its address' : 'answered by the public address');
    });
  }
  await porteiro.stop();

  const seen = await packets.read();
  const isOurs = ({ what, address, port }) => (what === 'tcp' && ((address === PUBLIC && port === 443) || (address === '127.0.0.1' && port === porteiro.port) || (address === '10.255.0.9' && port === 80))) ||
    (what === 'udp' && ((address === RESOLVER && port === 53) || (address.startsWith('127.0.0.') && port >= 32768))); // questions to the name server, and its answers
  const leaks = seen.filter(one => !isOurs(one));
  for (const [kind, outcomes] of said) console.log(`${kind}: ${[...outcomes].map(([what, n]) => `${n} ${what}`).join(', ')}`);
  console.log(`${made.spellings} spellings, ${made.names} names, ${names.turned} answers of names that turn, ${names.answers} answers that were not public; ${packets.count(PUBLIC)} connections to the public address, ${leaks.length} packets elsewhere, ${accepted.length - 1} connections accepted there`);
  assert.deepEqual(made.else ?? [], []);
  assert.deepEqual(leaks, []);
  assert.deepEqual(accepted, ['10.255.0.9 80'], 'the mark, and nothing else');
  assert.ok(packets.count(PUBLIC) > 0 && names.answers > REBINDS / 3);

  // And the same is seen when it is allowed: the guard is what stood in the way.
  porteiro.env.PORTEIRO_EGRESS_ALLOW = '10.0.0.0/8';
  await porteiro.serve();
  await callTool(porteiro.url, token, 'wp_upload', { url: 'https://10.0.0.1/picture.png' });
  await porteiro.stop();
  await packets.read();
  assert.ok(packets.count('10.0.0.1') > 0, 'a connection that is allowed is seen');
  packets.child.stdin.end();
  names.stop();
}

try {
  await main();
} catch (error) {
  console.error(error);
  process.exit(1);
}
process.exit(0);
