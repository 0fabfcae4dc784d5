// porteiro doctor: each thing that goes wrong is found by its check, with what to do about it; and it changes nothing.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { startFakeSite } from '../integration/lib/fake-site.mjs';
import { fixtures } from '../integration/lib/fixtures.mjs';
import { PROGRAM, Porteiro } from '../integration/lib/porteiro.mjs';
import { mustRun, run } from '../integration/lib/process.mjs';
import { documentedShapes, misfits } from './lib.mjs';

describe('doctor', () => {
  const shape = documentedShapes().doctor[0];
  let porteiro, site, connection;

  async function doctor({ env = {}, args = [] } = {}) {
    const { code, stdout, stderr } = await porteiro.cli(['doctor', ...args, '--json'], { env });
    assert.ok(stdout, stderr);
    const answer = JSON.parse(stdout);
    assert.deepEqual(misfits(shape, answer), []);
    assert.equal(code, answer.failed ? 1 : 0);
    assert.equal(answer.ok, answer.failed === 0);
    for (const finding of answer.checks) {
      assert.ok(['ok', 'skip', 'warn', 'fail'].includes(finding.result));
      if (finding.result === 'fail' && !args.length) assert.ok(finding.fix, `${finding.check} has a fix`);
    }
    return Object.assign(answer, { find: name => answer.checks.find(finding => finding.check === name) });
  }
  const finds = (answer, check, result, words) => {
    const finding = answer.find(check);
    assert.equal(finding?.result, result, `${check}: ${JSON.stringify(finding)}`);
    assert.match(`${finding.text} ${finding.fix}`, words);
  };
  const sql = text => mustRun('psql', ['-qX', '-v', 'ON_ERROR_STOP=1', porteiro.database.url, '-c', text]);

  before(async () => {
    site = await startFakeSite(fixtures.sites.new);
    porteiro = await Porteiro.create({ database: fixtures.postgres.port });
  });
  after(() => site?.stop());

  test('of a server that was never started: what is not there yet is no failure, and nothing is made', async () => {
    const fresh = path.join(porteiro.dir, 'fresh');
    const { stdout } = await porteiro.cli(['doctor', '--json'], { env: { PORTEIRO_DATA_DIR: fresh, DATABASE_URL: '' } });
    assert.equal(JSON.parse(stdout).failed, 0, stdout);
    assert.equal(fs.existsSync(fresh), false);
    finds(await doctor(), 'migrations', 'warn', /porteiro migrate/);
    assert.equal((await porteiro.json(['migrate', '--status'])).state, 'empty');
    assert.equal(fs.existsSync(path.join(porteiro.dir, 'master.key')), false);
  });

  test('of one that works: more than 25 checks, each with its own name', async () => {
    await porteiro.addUser();
    connection = await porteiro.addConnection(site);
    await porteiro.serve();
    await porteiro.stop();
    const answer = await doctor();
    assert.equal(answer.failed, 0, JSON.stringify(answer.checks.filter(finding => finding.result === 'fail')));
    assert.ok(answer.checks.length >= 35);
    assert.equal(new Set(answer.checks.map(finding => finding.check)).size, answer.checks.length);
    for (const check of ['settings', 'data_directory', 'permissions', 'master_key', 'database', 'database_version', 'migrations', 'keys', 'audit', 'providers', 'connections']) finds(answer, check, 'ok', /./);
    finds(answer, 'administrator', 'warn', /setup-url/);
    const text = (await porteiro.cli(['doctor'])).stdout;
    assert.match(text, /^ok {4}settings {10}all can be read/m);
    assert.match(text, /\n\d+ checks: 0 failed, \d+ to look at\n$/);
  });

  test('settings that are wrong or dangerous', async () => {
    finds(await doctor({ env: { PORTEIRO_WORKERS: 'many' } }), 'settings', 'fail', /PORTEIRO_WORKERS/);
    finds(await doctor({ env: { PORTEIRO_PUBLIC_URL: 'http://mcp.example.test' } }), 'public_url', 'fail', /TLS/);
    finds(await doctor({ env: { PORTEIRO_PUBLIC_URL: 'https://mcp.invalid' } }), 'public_name', 'fail', /record/);
    finds(await doctor({ env: { PORTEIRO_PUBLIC_URL: 'https://mcp.invalid' } }), 'trusted_proxies', 'warn', /TRUSTED_PROXIES/);
    for (const wide of ['0.0.0.0/0', '127.0.0.1,::/0', '128.0.0.0/7, 10.0.0.0/8']) {
      finds(await doctor({ env: { PORTEIRO_TRUSTED_PROXIES: wide } }), 'trusted_proxies', 'warn', /\/[07] trusts nearly everybody.*anybody chooses the address.*Set PORTEIRO_TRUSTED_PROXIES to the proxies' own addresses/);
    }
    finds(await doctor({ env: { PORTEIRO_TRUSTED_PROXIES: '127.0.0.1,10.0.0.0/8,fd00::/8' } }), 'trusted_proxies', 'ok', /10\.0\.0\.0/);
    finds(await doctor({ env: { PORTEIRO_ALLOWED_ORIGINS: 'http://evil.example' } }), 'allowed_origins', 'warn', /evil/);
    finds(await doctor({ env: { PORTEIRO_EGRESS_ALLOW: '0.0.0.0/0' } }), 'egress', 'fail', /0\.0\.0\.0\/0/);
    finds(await doctor(), 'egress', 'warn', /127\.0\.0\.0\/8/);
    finds(await doctor({ env: { PORTEIRO_REGISTRATION: 'open' } }), 'registration', 'warn', /SMTP/);
    finds(await doctor({ env: { PORTEIRO_WORKERS: '64' } }), 'workers', 'warn', /cores/);
    finds(await doctor({ env: { PORTEIRO_LISTEN: '192.0.2.1:80' } }), 'listen', 'fail', /192\.0\.2\.1/);
    finds(await doctor({ env: { PORTEIRO_CA_FILE: '/nowhere.pem' } }), 'authorities', 'fail', /nowhere/);
    finds(await doctor({ env: { PORTEIRO_SMTP_URL: 'smtps://me:pw@mail.invalid', PORTEIRO_MAIL_FROM: 'a@b.example' } }), 'mail', 'fail', /mail\.invalid/);
    finds(await doctor({ env: { PORTEIRO_SANDBOX: 'off' } }), 'sandbox', 'warn', /PORTEIRO_SANDBOX/);
  });

  test('files and the machine', async () => {
    const key = path.join(porteiro.dir, 'master.key');
    fs.chmodSync(porteiro.dir, 0o755);
    finds(await doctor(), 'permissions', 'fail', /chmod 700/);
    fs.chmodSync(porteiro.dir, 0o700);
    fs.chmodSync(key, 0o644);
    finds(await doctor(), 'master_key', 'fail', /chmod 600/);
    fs.chmodSync(key, 0o600);
    const secret = fs.readFileSync(key, 'utf8').trim();
    finds(await doctor({ env: { PORTEIRO_SECRET_KEY: secret } }), 'master_key', 'warn', /PORTEIRO_SECRET_KEY_FILE/);
    const few = await run('sh', ['-c', `ulimit -n 500; exec ${PROGRAM} doctor --json`], { env: porteiro.env });
    assert.equal(JSON.parse(few.stdout).checks.find(finding => finding.check === 'open_files').result, 'fail');
    finds(await doctor({ env: { PORTEIRO_TLS_CERT: '/nowhere.pem', PORTEIRO_TLS_KEY: '/nowhere.key' } }).catch(() => doctor()), 'certificate', 'fail', /nowhere/);
  });

  test('the database and what is in it', async () => {
    const answer = await doctor({ env: { DATABASE_URL: 'postgres://nobody:hidden-word@127.0.0.1:1/x' } });
    finds(answer, 'database', 'fail', /DATABASE_URL/);
    assert.ok(!JSON.stringify(answer).includes('hidden-word'));
    finds(await doctor({ env: { DATABASE_URL: `${porteiro.database.url}?sslmode=require` } }), 'database_tls', 'warn', /verify-full/);
    finds(await doctor({ env: { DATABASE_URL: 'postgres://x@ep-1-pooler.invalid/x' } }), 'database_pooler', 'warn', /DIRECT/);
    finds(await doctor({ env: { PORTEIRO_SECRET_KEY: Buffer.alloc(32, 9).toString('base64') } }), 'keys', 'fail', /master key/);
    const kinds = (await porteiro.json(['provider', 'list'])).items.map(({ key }) => key);
    for (const kind of kinds) await porteiro.json(['provider', 'disable', kind]);
    finds(await doctor(), 'providers', 'fail', /provider enable/);
    for (const kind of kinds) await porteiro.json(['provider', 'enable', kind]);
    await sql(`UPDATE mcp_service_connections SET status = 'error'`);
    finds(await doctor(), 'connections', 'warn', /doctor --connection/);
    await sql(`UPDATE mcp_service_connections SET status = 'active'`);
    await sql(`UPDATE mcp_audit_logs SET action = 'nothing.happened' WHERE id = (SELECT min(id) FROM mcp_audit_logs)`);
    finds(await doctor(), 'audit', 'fail', /changed/);
  });

  test('one connection, step by step', async () => {
    const args = ['--connection', String(connection.id)];
    const well = await doctor({ args });
    assert.equal(well.failed, 0, JSON.stringify(well.checks));
    finds(well, 'status', 'ok', /active/);
    finds(well, 'tokens', 'ok', /1/);
    finds(well, 'address', 'warn', /certificate/);
    for (const step of ['reach', 'api', 'login']) finds(well, step, 'ok', /works, in \d+ ms/);
    finds(well, 'user', 'ok', /editor/);
    finds(well, 'speed', 'ok', /answers in \d+ ms/);
    await site.stop();
    finds(await doctor({ args }), 'reach', 'fail', /./);
    await porteiro.json(['connection', 'pause', String(connection.id)]);
    finds(await doctor({ args }), 'status', 'fail', /resume/);
    assert.equal((await porteiro.cli(['doctor', '--connection', '999'])).code, 1);
    assert.equal((await porteiro.cli(['doctor', '--connection', 'x'])).code, 2);
  });
});
