// porteiro stdio: the official clients start the program themselves, with a token and with a site's password; and by hand, what
// no client would send.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, test } from 'node:test';
import { startFakeSite } from '../integration/lib/fake-site.mjs';
import { fixtures } from '../integration/lib/fixtures.mjs';
import { MODERN, envelope } from '../integration/lib/mcp.mjs';
import { Porteiro } from '../integration/lib/porteiro.mjs';
import { Client1, Client2, Stdio1, Stdio2 } from '../integration/lib/stdio.mjs';
import { ROOT, run, sleep, temporaryDirectory, waitFor } from '../integration/lib/process.mjs';

const PROGRAM = process.env.PORTEIRO_BIN ?? path.join(ROOT, 'build/porteiro');
const site = fixtures.sites.new;
const ME = { name: 'porteiro-tests', version: '1' };

function directEnvironment(as = 'editor') {
  const home = temporaryDirectory('home');
  return {
    PATH: process.env.PATH, HOME: home, XDG_STATE_HOME: path.join(home, 'state'), TMPDIR: home, PORTEIRO_EGRESS_ALLOW: '127.0.0.0/8',
    WORDPRESS_URL: site.url, WORDPRESS_USERNAME: as, WORDPRESS_APP_PASSWORD: site.users[as].app_password,
  };
}

const CLIENTS = [
  ['@modelcontextprotocol/sdk 1.x', Stdio1, () => new Client1(ME, { capabilities: {} })],
  ['@modelcontextprotocol/client 2.x, auto', Stdio2, () => new Client2(ME, { capabilities: {}, versionNegotiation: { mode: 'auto' } }), 'modern'],
  ['@modelcontextprotocol/client 2.x, pinned', Stdio2, () => new Client2(ME, { capabilities: {}, versionNegotiation: { mode: { pin: MODERN } } }), 'modern'],
  ['@modelcontextprotocol/client 2.x, legacy', Stdio2, () => new Client2(ME, { capabilities: {}, versionNegotiation: { mode: 'legacy' } }), 'legacy'],
];

// By hand: send() a value or a text as a line; next() the message with that id (or, without one, the next that has none).
function converse(env, args = []) {
  const child = spawn(PROGRAM, ['stdio', ...args], { env, stdio: ['pipe', 'pipe', 'pipe'] });
  const seen = [], waiting = [];
  let stderr = '';
  child.stderr.on('data', chunk => (stderr += chunk));
  child.stdin.on('error', () => {});
  createInterface({ input: child.stdout }).on('line', line => {
    seen.push(JSON.parse(line));
    for (const look of waiting) look();
  });
  const ended = new Promise(resolve => child.on('close', (code, signal) => resolve({ code, signal, stderr })));
  process.on('exit', () => child.kill('SIGKILL'));
  return {
    child, seen, ended,
    send: message => child.stdin.write(typeof message === 'string' ? message : `${JSON.stringify(message)}\n`),
    next: id => waitFor(`the answer to ${id}: ${stderr}`, () => seen.find(message => message.id === id), 20_000),
  };
}
const legacy = (id, method, params) => ({ jsonrpc: '2.0', id, method, ...(params && { params }) });
const modern = (id, method, params = {}) => ({ jsonrpc: '2.0', id, method, params: { ...params, _meta: envelope() } });

describe('stdio', () => {
  let porteiro, token, tokenId;
  before(async () => {
    porteiro = await Porteiro.create();
    await porteiro.addUser();
    ({ token, token_id: tokenId } = await porteiro.addConnection(site));
  });

  for (const [how, environment] of [
    ['with a token', () => ({ ...porteiro.env, PORTEIRO_TOKEN: token })],
    ['with WORDPRESS_URL, WORDPRESS_USERNAME, WORDPRESS_APP_PASSWORD', () => directEnvironment()],
  ]) {
    for (const [name, Transport, make, era] of CLIENTS) {
      test(`${name}, ${how}: list, call, error, end`, async () => {
        const client = make();
        const transport = new Transport({ command: PROGRAM, args: ['stdio'], env: environment(), stderr: 'pipe' });
        let stderr = '';
        transport.stderr?.on('data', chunk => (stderr += chunk));
        await client.connect(transport);
        assert.equal(client.getServerVersion().name, 'porteiro');
        if (era) assert.equal(client.getProtocolEra(), era);
        const { tools } = await client.listTools();
        assert.ok(tools.some(tool => tool.name === 'wp_find'));
        const found = await client.callTool({ name: 'wp_find', arguments: { type: 'book', limit: 3 } });
        assert.ok(!found.isError, JSON.stringify(found));
        assert.match(found.content[0].text, /Book \d+/);
        assert.equal((await client.callTool({ name: 'wp_read', arguments: { id: '99999999' } })).isError, true);
        await assert.rejects(client.callTool({ name: 'no_such_tool', arguments: {} }), error => error.code === -32602);
        const { pid } = transport;
        await client.close();
        if (pid) await waitFor('the program to end', () => !fs.existsSync(`/proc/${pid}`), 5000);
        assert.doesNotMatch(stderr, /error:/);
      });
    }
  }

  test('without a database: rights, the audit log, and nothing left behind', async () => {
    const env = directEnvironment();
    const talk = converse(env);
    talk.send(legacy(1, 'tools/call', { name: 'wp_create', arguments: { type: 'post', title: 'By stdio', content: 'A draft.' } }));
    const { result } = await talk.next(1);
    assert.ok(!result.isError, JSON.stringify(result));
    talk.child.stdin.end();
    assert.deepEqual(await talk.ended, { code: 0, signal: null, stderr: '' });

    const file = path.join(env.XDG_STATE_HOME, 'porteiro/audit.jsonl');
    assert.equal(fs.statSync(file).mode & 0o777, 0o600);
    const text = fs.readFileSync(file, 'utf8');
    const events = text.trim().split('\n').map(line => JSON.parse(line));
    const intent = events.findIndex(event => /wp_create.*intent/.test(event.action));
    assert.ok(intent >= 0 && events.length > intent + 1, text);
    assert.ok(events.every(event => /^\d{4}-/.test(event.at) && typeof event.action === 'string'));
    assert.ok(!text.includes(site.users.editor.app_password));
    assert.deepEqual(fs.readdirSync(env.TMPDIR).filter(name => name.startsWith('porteiro')), []);

    // What only reads is in it, too, however short the conversation is; and nothing stays of a file that was on its way.
    const short = converse(env);
    short.send(legacy(1, 'tools/call', { name: 'wp_upload', arguments: { data: Buffer.from('%PDF-1.4').toString('base64'), filename: 'short.pdf' } }));
    await short.next(1);
    short.send(legacy(2, 'tools/call', { name: 'wp_site', arguments: {} }));
    await short.next(2);
    short.child.stdin.end();
    assert.equal((await short.ended).code, 0);
    assert.match(fs.readFileSync(file, 'utf8'), /"tool\.wp_site"/);
    assert.deepEqual(fs.readdirSync(env.TMPDIR).filter(name => name.startsWith('porteiro')), []);

    const reading = converse(env, ['--rights', 'read']);
    reading.send(legacy(1, 'tools/list'));
    const names = (await reading.next(1)).result.tools.map(tool => tool.name);
    assert.ok(names.includes('wp_find') && !names.includes('wp_create'), names.join());
    reading.child.kill('SIGTERM');
    assert.equal((await reading.ended).code, 0);
    assert.deepEqual(fs.readdirSync(env.TMPDIR).filter(name => name.startsWith('porteiro')), []);
  });

  test('what is said when it cannot start', async () => {
    const { WORDPRESS_USERNAME: _, ...half } = directEnvironment();
    for (const [env, code, words] of [
      [{ PATH: process.env.PATH, HOME: half.HOME }, 2, /set PORTEIRO_TOKEN .* or WORDPRESS_URL, WORDPRESS_USERNAME/],
      [half, 2, /WORDPRESS_USERNAME must be set, too/],
      [{ ...directEnvironment(), WORDPRESS_APP_PASSWORD: 'wrong wrong wrong wrong wron' }, 1, /password/i],
      [{ ...porteiro.env, PORTEIRO_TOKEN: 'prt_pat_nonsense' }, 1, /not a token of this server/],
    ]) {
      const result = await run(PROGRAM, ['stdio'], { env });
      assert.equal(result.code, code, result.stderr);
      assert.equal(result.stdout, '');
      assert.match(result.stderr, words);
    }
  });

  test('--token-file', async () => {
    const file = path.join(temporaryDirectory('token'), 'token');
    fs.writeFileSync(file, `${token}\n`, { mode: 0o600 });
    const talk = converse(porteiro.env, ['--token-file', file]);
    talk.send(modern(1, 'tools/list'));
    assert.ok((await talk.next(1)).result.tools.length > 3);
    talk.child.stdin.end();
    assert.equal((await talk.ended).code, 0);
  });

  describe('by hand', () => {
    let talk, fake, slow;
    before(async () => {
      fake = await startFakeSite(site);
      ({ token: slow } = await porteiro.addConnection(fake, { name: 'slow' }));
      talk = converse({ ...porteiro.env, PORTEIRO_TOKEN: slow });
    });
    after(async () => {
      talk?.child.kill('SIGKILL');
      await fake?.stop();
    });

    test('lines that are no messages get an error, and the next one is served', async () => {
      talk.send('{"jsonrpc":"2.0",\n\n  \r\n[]\n{"jsonrpc":"2.0","id":"a","method":"ping"}\r\n');
      assert.deepEqual((await talk.next('a')).result, {});
      assert.deepEqual(talk.seen.slice(0, 2).map(message => [message.error?.code, 'id' in message]), [[-32700, false], [-32600, false]]);
    });

    test('both eras on one pipe', async () => {
      talk.send(legacy(10, 'initialize', { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: ME }));
      assert.equal((await talk.next(10)).result.protocolVersion, '2025-06-18');
      talk.send({ jsonrpc: '2.0', method: 'notifications/initialized' });
      talk.send(modern(11, 'server/discover'));
      assert.deepEqual((await talk.next(11)).result.supportedVersions, [MODERN]);
      talk.send(modern(12, 'initialize'));
      assert.equal((await talk.next(12)).error.code, -32601);
    });

    test('a message in pieces, and many in one', async () => {
      const text = `${JSON.stringify(legacy(20, 'ping'))}\n`;
      for (const character of text) {
        talk.send(character);
        await sleep(1);
      }
      await talk.next(20);
      talk.send(Array.from({ length: 500 }, (_, i) => `${JSON.stringify(legacy(1000 + i, 'ping'))}\n`).join(''));
      for (let i = 0; i < 500; i++) await talk.next(1000 + i);
    });

    test('a line of more than 4 MiB is refused, and the next one is served', async () => {
      const before = talk.seen.length;
      talk.send(`{"jsonrpc":"2.0","id":30,"method":"ping","params":{"x":"${'x'.repeat(6 * 1024 * 1024)}"}}\n`);
      talk.send(legacy(31, 'ping'));
      await talk.next(31);
      const errors = talk.seen.slice(before).filter(message => message.error);
      assert.deepEqual(errors.map(message => message.error.code), [-32600]);
    });

    test('a call that runs out of memory gets an error, whole, and the next one is served', async () => {
      const before = talk.seen.length;
      const lists = kib => `[${'[],'.repeat((kib * 1024) / 3)}[]]`; // each takes many times its text
      for (const kib of [4000, 2000, 1000, 700, 600, 500, 450, 400, 350, 300, 250, 200]) {
        talk.send(`{"jsonrpc":"2.0","id":32,"method":"tools/call","params":{"name":"wp_find","arguments":{"type":"post","x":${lists(kib)}}}}\n`);
      }
      await waitFor('an answer to each', () => talk.seen.length === before + 12);
      talk.send(legacy(33, 'ping'));
      await talk.next(33);
      const answers = talk.seen.slice(before, before + 12);
      const short = answers.filter(({ error }) => error?.code === -32603);
      assert.ok(short.length >= 1 && short.length < 12, JSON.stringify(answers.map(({ id, error, result }) => [id, error, result?.isError])));
      for (const { error } of short) assert.match(error.message, /needed more memory than one request may use/);
    });

    for (const [era, ask] of [['legacy', legacy], ['modern', modern]]) {
      test(`notifications/cancelled, ${era}: no answer, and the call to the site stops`, async () => {
        let reached, gone;
        const inside = new Promise(resolve => (reached = resolve)), closed = new Promise(resolve => (gone = resolve));
        fake.answer = (request, response) => {
          response.on('close', gone);
          reached();
        };
        talk.send(ask(`cancel ${era}`, 'tools/call', { name: 'wp_find', arguments: { type: 'post' } }));
        await inside;
        talk.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: `cancel ${era}`, reason: 'test' } });
        await closed;
        fake.answer = null;
        talk.send(legacy(`after ${era}`, 'ping'));
        await talk.next(`after ${era}`);
        await sleep(100);
        assert.ok(!talk.seen.some(message => message.id === `cancel ${era}`));
      });
    }

    test('notifications/cancelled of one request of a batch: the others are answered', async () => {
      let reached, gone;
      const inside = new Promise(resolve => (reached = resolve)), closed = new Promise(resolve => (gone = resolve));
      fake.answer = (request, response, pass) => {
        if (!request.url.includes('hangs')) return pass();
        response.on('close', gone);
        reached();
      };
      const find = (id, q) => legacy(id, 'tools/call', { name: 'wp_find', arguments: { type: 'post', q } });
      talk.send([find('b1', 'one'), find('b2', 'hangs'), find('b3', 'three')]);
      await inside;
      talk.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 'b2' } });
      await closed;
      const batch = await waitFor('the answer of the batch', () => talk.seen.find(Array.isArray));
      fake.answer = null;
      assert.deepEqual(batch.map(({ id, result }) => [id, result?.isError ?? false]), [['b1', false], ['b3', false]]);
    });

    test('subscriptions/listen is acknowledged and goes on beside other calls', async () => {
      talk.send(modern(50, 'subscriptions/listen', { notifications: { toolsListChanged: true } }));
      await waitFor('the acknowledgement', () => talk.seen.find(message => message.method === 'notifications/subscriptions/acknowledged'));
      talk.send(legacy(51, 'ping'));
      await talk.next(51);
      assert.ok(!talk.seen.some(message => message.id === 50));
    });

    test('what came before the end of input is answered, and every stream ends with its result', async () => {
      fake.answer = async (request, response, pass) => {
        await sleep(300);
        return pass();
      };
      talk.send(legacy(60, 'tools/call', { name: 'wp_find', arguments: { type: 'post', limit: 1 } }));
      talk.child.stdin.end();
      assert.equal((await talk.ended).code, 0);
      assert.ok(!(await talk.next(60)).result.isError);
      assert.equal((await talk.next(50)).result.resultType, 'complete');
    });
  });

  test('input from a file', async () => {
    const file = path.join(temporaryDirectory('input'), 'in');
    fs.writeFileSync(file, `${JSON.stringify(legacy(1, 'ping'))}\n${JSON.stringify(legacy(2, 'tools/list'))}`);
    const child = spawn(PROGRAM, ['stdio'], { env: { ...porteiro.env, PORTEIRO_TOKEN: token }, stdio: [fs.openSync(file), 'pipe', 'inherit'] });
    let text = '';
    child.stdout.on('data', chunk => (text += chunk));
    const code = await new Promise(resolve => child.on('close', resolve));
    assert.equal(code, 0);
    assert.deepEqual(text.trim().split('\n').map(line => JSON.parse(line).id).sort(), [1, 2]);
  });

  test('a client that has gone does not leave the program behind', async () => {
    const talk = converse({ ...porteiro.env, PORTEIRO_TOKEN: token });
    talk.send(legacy(1, 'ping'));
    await talk.next(1);
    talk.child.stdout.destroy();
    talk.send(legacy(2, 'ping'));
    const { code } = await talk.ended;
    assert.equal(code, 0);
  });

  test('a revoked token is refused, in words', async () => {
    const talk = converse({ ...porteiro.env, PORTEIRO_TOKEN: token });
    talk.send(legacy(1, 'ping'));
    await talk.next(1);
    await porteiro.json(['token', 'revoke', String(tokenId)]);
    talk.send(legacy(2, 'tools/list'));
    const { error } = await talk.next(2);
    assert.match(error.message, /revoked/);
    talk.child.stdin.end();
    assert.equal((await talk.ended).code, 0);
  });
});
