// The commands: what they answer with --json, what they refuse, and that secrets stay out of sight.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { hang, html, startFakeSite, status, stripAuthorization } from './lib/fake-site.mjs';
import { PAIRS, fixtures } from './lib/fixtures.mjs';
import { callTool, legacy } from './lib/mcp.mjs';
import { freePort } from './lib/ports.mjs';
import { Porteiro } from './lib/porteiro.mjs';

const ANA = 'ana@example.test';
const PASSWORD = 'correct horse battery staple';
const COMMANDS = ['serve', 'migrate', 'user', 'provider', 'connection', 'token', 'audit', 'config', 'version'];

for (const pair of PAIRS) {
  describe(`commands: ${pair.name}`, () => {
    let porteiro, connection;
    before(async () => {
      porteiro = await Porteiro.create(pair);
    });
    after(() => porteiro?.stop());

    test('migrate makes the database; again changes nothing; --status tells', async () => {
      assert.equal((await porteiro.cli(['migrate'])).code, 0);
      assert.equal((await porteiro.cli(['migrate'])).code, 0);
      const { code, stdout } = await porteiro.cli(['migrate', '--status']);
      assert.equal(code, 0);
      assert.match(stdout, pair.database === 'sqlite' ? /0000_foundation/ : /0001_black_legion/);
    });

    test('user add, list', async () => {
      await porteiro.addUser();
      const { items } = await porteiro.json(['user', 'list']);
      assert.equal(items.length, 1);
      assert.equal(items[0].email, ANA);
      assert.equal(items[0].name, 'Ana');
      assert.ok(!JSON.stringify(items).includes('argon2'), 'no hash is shown');
    });

    test('user add refuses an address that exists, in any case, and one that is none', async () => {
      for (const email of [ANA, 'ANA@Example.TEST', 'nonsense', '']) {
        const { code, stderr } = await porteiro.cli(['user', 'add', '--name', 'X', '--email', email, '--phone', '+5511999990002', '--password-stdin'], { stdin: `${PASSWORD}\n` });
        assert.notEqual(code, 0, email);
        assert.ok(stderr.length > 10);
      }
    });

    test('user check knows the password; passwd changes it', async () => {
      const check = password => porteiro.cli(['user', 'check', '--email', ANA, '--password-stdin'], { stdin: `${password}\n` });
      assert.equal((await check(PASSWORD)).code, 0);
      assert.notEqual((await check(`${PASSWORD}x`)).code, 0);
      assert.notEqual((await check('')).code, 0);
      assert.equal((await porteiro.cli(['user', 'passwd', '--email', ANA, '--password-stdin'], { stdin: 'another long password\n' })).code, 0);
      assert.notEqual((await check(PASSWORD)).code, 0);
      assert.equal((await check('another long password')).code, 0);
    });

    test('user check of nobody fails', async () => {
      assert.notEqual((await porteiro.cli(['user', 'check', '--email', 'nobody@example.test', '--password-stdin'], { stdin: `${PASSWORD}\n` })).code, 0);
    });

    test('provider list', async () => {
      const { items } = await porteiro.json(['provider', 'list']);
      assert.ok(items.some(item => JSON.stringify(item).includes('wordpress')));
    });

    test('connection add proves the password and shows the token once', async () => {
      connection = await porteiro.addConnection(pair.site, { rights: 'read,draft' });
      assert.match(connection.token, /^prt_pat_[0-9A-Za-z]{49}$/);
      assert.equal(connection.last4, connection.token.slice(-4));
      const { items } = await porteiro.json(['connection', 'list']);
      assert.equal(items.length, 1);
      assert.equal(String(items[0].id), String(connection.id));
      assert.equal(items[0].status, 'active');
      assert.ok(!JSON.stringify(items).includes(connection.token));
    });

    test('connection show tells what was found on the site', async () => {
      const shown = JSON.stringify(await porteiro.json(['connection', 'show', String(connection.id)]));
      assert.match(shown, /MCP test site/);
      assert.ok(shown.includes(pair.site.version), shown);
      assert.ok(shown.includes(pair.site.url), shown);
      assert.ok(shown.includes('editor'), shown);
      assert.ok(!shown.includes(connection.token));
    });

    test('no secret is readable in the data directory or in the database', async () => {
      const secret = pair.site.users.editor.app_password;
      const needles = [connection.token, secret, secret.replaceAll(' ', ''), 'another long password', PASSWORD];
      const files = fs.readdirSync(porteiro.dir, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile());
      for (const file of files) {
        const content = fs.readFileSync(path.join(file.parentPath, file.name), { encoding: 'latin1', mode: 0o600 });
        for (const needle of needles) assert.ok(!content.includes(needle), `${file.name} holds a secret`);
      }
      if (porteiro.database) {
        const { query } = await import('./lib/postgres.mjs');
        const rows = JSON.stringify([
          ...(await query(porteiro.database.url, 'SELECT * FROM mcp_service_connections')),
          ...(await query(porteiro.database.url, 'SELECT * FROM mcp_tokens')),
          ...(await query(porteiro.database.url, 'SELECT * FROM mcp_users')),
          ...(await query(porteiro.database.url, 'SELECT * FROM mcp_audit_logs')),
        ]);
        for (const needle of needles) assert.ok(!rows.includes(needle), 'the database holds a secret');
      }
    });

    test('the master key and the database are for their owner only', () => {
      for (const entry of fs.readdirSync(porteiro.dir, { withFileTypes: true }).filter(entry => entry.isFile())) {
        const { mode } = fs.statSync(path.join(porteiro.dir, entry.name));
        assert.equal(mode & 0o077, 0, `${entry.name} is ${(mode & 0o777).toString(8)}`);
      }
    });

    test('connection test', async () => {
      assert.equal((await porteiro.cli(['connection', 'test', String(connection.id)])).code, 0);
    });

    test('the same name twice is refused', async () => {
      const { code } = await porteiro.cli(porteiro.connectionArgs(pair.site), { stdin: pair.site.users.editor.app_password });
      assert.notEqual(code, 0);
    });

    test('the server is steered by commands beside it: token add, list, revoke', async () => {
      await porteiro.serve();
      const made = await porteiro.addToken(connection.id, '--name', 'second', '--rights', 'read', '--expires', '90d');
      assert.match(made.token, /^prt_pat_/);
      assert.equal(made.last4, made.token.slice(-4));
      assert.equal((await legacy(porteiro.url, made.token, 'ping')).status, 200);
      const { items } = await porteiro.json(['token', 'list', '--connection', String(connection.id)]);
      assert.ok(items.some(item => item.last4 === made.last4));
      assert.ok(!JSON.stringify(items).includes(made.token));
      await porteiro.json(['token', 'revoke', String(made.id)]);
      assert.equal((await legacy(porteiro.url, made.token, 'ping')).status, 401, 'revoked at once');
      assert.equal((await legacy(porteiro.url, connection.token, 'ping')).status, 200, 'the other goes on');
    });

    test('a read token lists only reading tools and is refused the others', async () => {
      const { token } = await porteiro.addToken(connection.id, '--rights', 'read');
      const { json } = await legacy(porteiro.url, token, 'tools/list');
      const names = json.result.tools.map(tool => tool.name);
      assert.ok(names.includes('wp_find') && !names.includes('wp_create') && !names.includes('wp_edit'), names.join());
      assert.ok(json.result.tools.every(tool => tool.annotations.readOnlyHint));
      const refused = await legacy(porteiro.url, token, 'tools/call', { name: 'wp_create', arguments: { title: 'x' } });
      assert.ok(refused.status === 403 || refused.json.error || refused.json.result.isError, refused.text);
    });

    test('rotate-token: the old one ends, the new one works', async () => {
      const rotated = await porteiro.json(['connection', 'rotate-token', String(connection.id)]);
      assert.match(rotated.token, /^prt_pat_/);
      assert.equal((await legacy(porteiro.url, connection.token, 'ping')).status, 401);
      assert.equal((await legacy(porteiro.url, rotated.token, 'ping')).status, 200);
      connection.token = rotated.token;
    });

    test('pause stops all tokens of the connection; provider disable too', async () => {
      await porteiro.json(['connection', 'pause', String(connection.id)]);
      const paused = await legacy(porteiro.url, connection.token, 'ping');
      assert.deepEqual([paused.status, paused.headers.get('www-authenticate')], [403, null], 'the token is good: no client need look for another');
      assert.match(paused.json.error.message, /paused.*resume/);
      const other = await porteiro.addConnection(pair.site, { name: 'second' });
      assert.equal((await legacy(porteiro.url, other.token, 'ping')).status, 200);
      await porteiro.json(['provider', 'disable', 'wordpress']);
      const off = await legacy(porteiro.url, other.token, 'ping');
      assert.deepEqual([off.status, off.headers.get('www-authenticate')], [403, null]);
      assert.match(off.json.error.message, /switched off/);
      await porteiro.json(['provider', 'enable', 'wordpress']);
      assert.equal((await legacy(porteiro.url, other.token, 'ping')).status, 200);
      await porteiro.json(['connection', 'revoke', String(other.id)]);
      assert.equal((await legacy(porteiro.url, other.token, 'ping')).status, 401);
      await porteiro.json(['connection', 'delete', String(other.id)]);
      const { items } = await porteiro.json(['connection', 'list']);
      assert.deepEqual(items.map(item => String(item.id)), [String(connection.id)]);
    });

    test('audit list has every event, without secrets', async () => {
      const { items } = await porteiro.json(['audit', 'list']);
      const text = JSON.stringify(items);
      for (const word of ['user', 'connection', 'token']) {
        assert.ok(items.some(item => item.action.includes(word)), `an event about ${word}: ${items.map(item => item.action)}`);
      }
      assert.ok(!text.includes(connection.token) && !text.includes(PASSWORD));
    });

    test('user delete takes its connections and tokens along; the audit stays', async () => {
      const events = (await porteiro.json(['audit', 'list'])).items.length;
      assert.equal((await porteiro.cli(['user', 'delete', '--email', ANA])).code, 0);
      assert.deepEqual((await porteiro.json(['user', 'list'])).items, []);
      assert.deepEqual((await porteiro.json(['connection', 'list'])).items, []);
      assert.ok((await porteiro.json(['audit', 'list'])).items.length >= Math.min(events, 50));
    });
  });
}

describe('commands', () => {
  let porteiro;
  before(async () => {
    porteiro = await Porteiro.create();
    await porteiro.addUser();
  });

  for (const command of COMMANDS) {
    test(`${command} --help shows an example`, async () => {
      const { code, stdout } = await porteiro.cli([command, '--help']);
      assert.equal(code, 0);
      assert.ok(stdout.includes(`porteiro ${command}`), stdout);
      assert.match(stdout, /example/i);
    });
  }

  test('version', async () => {
    const { version } = await porteiro.json(['version']);
    assert.match(version, /^\d+\.\d+\.\d+/);
  });

  test('an unknown command, subcommand or option is refused with the usage', async () => {
    for (const args of [['nonsense'], ['user', 'nonsense'], ['user', 'list', '--nonsense'], []]) {
      const { code, stderr, stdout } = await porteiro.cli(args);
      assert.notEqual(code, 0, args.join(' '));
      assert.match(stderr + stdout, /usage|--help/i);
    }
  });

  test('secrets are not taken from the command line', async () => {
    for (const args of [
      ['user', 'add', '--name', 'B', '--email', 'b@example.test', '--phone', '+5511999990003', '--password', 'long enough secret'],
      [...porteiro.connectionArgs(fixtures.sites.new).filter(arg => arg !== '--secret-stdin'), '--secret', 'x'],
    ]) {
      assert.notEqual((await porteiro.cli(args)).code, 0);
    }
  });

  test('config check: good settings pass, bad ones are named', async () => {
    assert.equal((await porteiro.cli(['config', 'check'])).code, 0);
    for (const [name, value] of [
      ['PORTEIRO_LISTEN', 'nonsense'],
      ['PORTEIRO_EGRESS_ALLOW', '300.0.0.0/8'],
      ['DATABASE_URL', 'mysql://x'],
      ['PORTEIRO_LOG', 'xml'],
      ['PORTEIRO_PUBLIC_URL', 'not a url'],
    ]) {
      const { code, stdout, stderr } = await porteiro.cli(['config', 'check'], { env: { [name]: value } });
      assert.notEqual(code, 0, `${name}=${value}`);
      assert.ok((stdout + stderr).includes(name), `${name}: ${stdout}${stderr}`);
    }
  });

  test('a database with data and another key is refused', async () => {
    const key = fs.readdirSync(porteiro.dir).find(name => name.includes('key'));
    assert.ok(key, `a key file in ${fs.readdirSync(porteiro.dir)}`);
    const file = path.join(porteiro.dir, key);
    const kept = fs.readFileSync(file);
    fs.rmSync(file);
    assert.notEqual((await porteiro.cli(['user', 'list'])).code, 0, 'no key');
    assert.ok(!fs.existsSync(file), 'no new key was made');
    fs.writeFileSync(file, kept.toString('latin1').replace(/[0-9A-Za-z]/g, c => (c === '1' ? '2' : '1')), { encoding: 'latin1', mode: 0o600 });
    assert.notEqual((await porteiro.cli(['user', 'list'])).code, 0, 'another key');
    fs.rmSync(file);
    fs.writeFileSync(file, kept, { mode: 0o600 });
    assert.equal((await porteiro.cli(['user', 'list'])).code, 0);
  });
});

describe('connection add finds', () => {
  let porteiro, fake;
  before(async () => {
    porteiro = await (await Porteiro.create()).serve();
    await porteiro.addUser();
    fake = await startFakeSite(fixtures.sites.new);
  });
  after(() => Promise.all([fake?.stop(), porteiro?.stop()]));

  let count = 0;
  async function finds(site, options = {}) {
    const { token } = await porteiro.addConnection(site, { name: `found${count++}`, ...options });
    assert.match((await callTool(porteiro.url, token, 'wp_site')).text, /MCP test site/);
  }

  test('the site behind what people paste', async () => {
    for (const end of ['/', '/wp-admin/', '/wp-login.php', '/wp-json/', '/?utm=x#top']) {
      await finds(fixtures.sites.new, { url: fixtures.sites.new.url + end });
    }
  });

  test('an application password with or without its spaces', async () => {
    await finds(fixtures.sites.new, { secret: fixtures.sites.new.users.editor.app_password.replaceAll(' ', '') });
  });

  test('a site without pretty links (only ?rest_route=)', async () => {
    fake.answer = (request, response, pass) => (request.url.startsWith('/wp-json') ? html('', 404)(request, response) : pass());
    await finds(fake);
  });

  test('a site that prints a notice before its JSON', async () => {
    fake.answer = (request, response, pass) => pass({ edit: text => (text.startsWith('{') || text.startsWith('[') ? `<br />\n<b>Warning</b>: x\n${text}` : text) });
    await finds(fake);
  });
});

describe('connection add says what is wrong and what to do', () => {
  let porteiro, strict, fake, tls;
  const { site } = { site: fixtures.sites.new };
  before(async () => {
    porteiro = await Porteiro.create();
    await porteiro.addUser();
    strict = await Porteiro.create({ egress: null });
    await strict.addUser();
    fake = await startFakeSite(site);
    tls = await startFakeSite(site, { tls: true });
  });
  after(() => Promise.all([fake?.stop(), tls?.stop()]));

  // Fails, with a text that matches every pattern; nothing is kept, and the secret is not repeated.
  async function fails(program, options, ...patterns) {
    const secret = options.secret ?? site.users.editor.app_password;
    const { code, stdout, stderr } = await program.cli([...program.connectionArgs(site, options), '--json'], { stdin: `${secret}\n`, timeout: 90_000 });
    const text = stdout + stderr;
    assert.notEqual(code, 0, text);
    assert.notEqual(code, null, `it was killed: ${text}`);
    for (const pattern of patterns) assert.match(text, pattern);
    assert.ok(!text.includes(secret), 'the secret is not repeated');
    assert.deepEqual((await program.json(['connection', 'list'])).items, []);
  }

  test('the login password instead of an application password', () =>
    fails(porteiro, { secret: site.users.editor.password }, /application password/i, /profile|Users/i));
  test('a wrong application password', () => fails(porteiro, { secret: 'abcd efgh ijkl mnop qrst uvwx' }, /application password/i));
  test('a user that is not there', () => fails(porteiro, { as: 'nobody', secret: site.users.editor.app_password }, /user/i));
  test("another user's application password", () => fails(porteiro, { as: 'author', secret: site.users.editor.app_password }, /application password|user/i));
  test('a web server that strips the Authorization header', () => {
    fake.answer = stripAuthorization;
    return fails(porteiro, { url: fake.url }, /Authorization/, /SetEnvIf|CGIPassAuth|HTTP_AUTHORIZATION|fastcgi_param/);
  });
  test('REST for nobody (a plugin)', () => {
    fake.answer = (request, response, pass) =>
      /wp-json|rest_route/.test(request.url) ? status(401, { code: 'rest_disabled', message: 'The REST API is disabled.', data: { status: 401 } })(request, response) : pass();
    return fails(porteiro, { url: fake.url }, /REST/);
  });
  test('REST is not there (404)', () => {
    fake.answer = (request, response, pass) => (/wp-json|rest_route/.test(request.url) ? html('Not found', 404)(request, response) : pass());
    return fails(porteiro, { url: fake.url }, /REST/);
  });
  test('a site that is not WordPress', () => {
    fake.answer = html();
    return fails(porteiro, { url: fake.url }, /WordPress/);
  });
  test('a firewall that answers 403 with HTML', () => {
    fake.answer = html('<title>Attention Required!</title>', 403);
    return fails(porteiro, { url: fake.url }, /403|firewall|block/i);
  });
  test('a redirect to another place', () => {
    fake.answer = (request, response) => response.writeHead(301, { Location: `http://127.0.0.2:9/` }).end();
    return fails(porteiro, { url: fake.url }, /redirect|moved|127\.0\.0\.2/i);
  });
  test('a certificate nobody vouches for', () => fails(porteiro, { url: tls.url }, /certificate/i));
  test('https where there is none', () => fails(porteiro, { url: fake.url.replace('http:', 'https:') }, /TLS|https/i));
  test('no answer', { timeout: 90_000 }, () => {
    fake.answer = hang;
    return fails(porteiro, { url: fake.url }, /time|in time|answer/i);
  });
  test('nobody listens', async () => fails(porteiro, { url: `http://127.0.0.1:${await freePort()}` }, /refused|connect/i));
  test('a name that does not exist', () => fails(porteiro, { url: 'https://no-such-site.invalid' }, /no-such-site\.invalid/, /name|found|resolve|exist/i));
  test('plain http on the internet', () => fails(strict, { url: 'http://1.1.1.1' }, /https/));
  for (const url of ['https://127.0.0.1', 'https://[::1]', 'https://10.0.0.1', 'https://169.254.169.254', 'https://2130706433', 'https://0x7f.1', 'https://[::ffff:127.0.0.1]', 'https://localhost']) {
    test(`a private address: ${url}`, () => fails(strict, { url }, /private|loopback|PORTEIRO_EGRESS_ALLOW|not allowed/i));
  }
  for (const url of ['nonsense', 'ftp://example.com', 'https://', 'https://user:pw@example.com', 'javascript:alert(1)', 'file:///etc/passwd']) {
    test(`not an address of a site: ${url}`, () => fails(porteiro, { url }, /URL|address|https/i));
  }
});
