// Secrets that were planted are nowhere: every secret that a server meets is one that can be found again; it is used, misused,
// sent to the wrong place and lost in a crash, and then looked for in the log, the database, a backup, the metrics, the exports
// of the audit log, what commands print, every answer that is an error, and what a crash leaves.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { startFakeSite, status } from '../integration/lib/fake-site.mjs';
import { Person } from '../integration/lib/api.mjs';
import { PAIRS } from '../integration/lib/fixtures.mjs';
import { callTool, post } from '../integration/lib/mcp.mjs';
import { Porteiro } from '../integration/lib/porteiro.mjs';
import { mustRun, waitFor } from '../integration/lib/process.mjs';
import { PASSWORD, Flow } from '../oauth/flow.mjs';
import { workersOf } from '../workers/help.mjs';

const canary = what => `canary-${what}-${randomBytes(12).toString('hex')}`;

for (const { name, site, database } of PAIRS) {
  describe(`canaries (${name})`, () => {
    let porteiro, slow, token, connection, person;
    const secrets = {}, errors = [];
    const settings = { PORTEIRO_METRICS_TOKEN: canary('metrics'), PORTEIRO_SMTP_URL: `smtp://mailer:${canary('smtp')}@127.0.0.1:9`, PORTEIRO_MAIL_FROM: 'porteiro@example.test' };
    const keep = async answer => {
      const { status: code, text = await answer.text?.() } = answer;
      if (code >= 400) errors.push(text);
      return answer;
    };
    before(async () => {
      slow = await startFakeSite(site);
      porteiro = await Porteiro.create({ database, env: { ...settings, PORTEIRO_LOG: 'json', PORTEIRO_LOG_LEVEL: 'debug' } });
      await porteiro.addUser(undefined, { password: PASSWORD });
      await porteiro.addUser('ben@example.test', { name: 'Ben', phone: '+5511999990002', password: (secrets.login = canary('login')) });
      ({ token, id: connection } = await porteiro.addConnection(slow, { rights: 'read,draft,publish,delete' }));
      Object.assign(secrets, {
        token, password: PASSWORD, site: site.users.editor.app_password, siteBare: site.users.editor.app_password.replaceAll(' ', ''),
        metrics: settings.PORTEIRO_METRICS_TOKEN, smtp: settings.PORTEIRO_SMTP_URL.split(/[:@]/)[2], key: fs.readFileSync(path.join(porteiro.dir, 'master.key'), 'utf8').trim(),
      });
      secrets.siteBasic = Buffer.from(`editor:${secrets.site}`).toString('base64');
      await porteiro.serve();
    });
    after(async () => {
      await porteiro?.stop();
      await slow?.stop();
    });

    test('people log in, and do it wrongly', async () => {
      person = new Person(porteiro);
      await person.login('ana@example.test', PASSWORD);
      secrets.session = person.cookie.split('=')[1];
      const wrong = new Person(porteiro);
      for (const [who, what] of [['ana@example.test', canary('wrong')], ['ben@example.test', `${secrets.login}x`], [secrets.login, secrets.login]]) {
        await keep(await wrong.call('POST', '/api/auth/login', { emailOrPhone: who, password: what }));
      }
      await keep(await wrong.call('POST', '/api/auth/login', `{"emailOrPhone":"ben@example.test","password":"${secrets.login}"`)); // cut off
      await keep(await person.call('PATCH', '/api/me', { name: 7, password: secrets.login }));
      const added = await keep(await person.call('POST', '/api/connections', { provider: 'wordpress', name: 'x', url: slow.url, username: 'editor', secret: (secrets.refused = canary('refused')) }));
      assert.ok(added.status >= 400);
    });

    test('tokens are used, and put where they do not belong', async () => {
      assert.ok(!(await callTool(porteiro.url, token, 'wp_find', { type: 'page' })).isError);
      const ask = (address, headers = {}) => fetch(porteiro.origin + address, { headers }).then(keep);
      for (const address of [`/mcp?token=${token}`, `/mcp/${token}`, `/${token}`, `/api/me?access_token=${token}`, `/hooks/evolution/1?token=${token}`]) await ask(address);
      for (const headers of [{ 'x-token': token }, { authorization: token }, { authorization: `Basic ${btoa(`x:${token}`)}` }, { authorization: `Bearer ${token}x` }, { cookie: `porteiro_session=${token}` }]) {
        await ask('/api/connections', headers);
        await keep(await post(porteiro.url, null, { jsonrpc: '2.0', id: 1, method: 'tools/list' }, headers));
      }
      await keep(await post(porteiro.url, token, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"${token}","arguments":{}}`));
      await ask('/metrics', { authorization: `Bearer ${secrets.metrics}x` });
    });

    test('a client logs in, refreshes, and uses old tokens again', async () => {
      const flow = new Flow(porteiro);
      const client_id = await flow.dynamic();
      const granted = await flow.login(await flow.person(), client_id);
      Object.assign(secrets, { code: granted.code, verifier: granted.verifier, access: granted.access_token, refresh: granted.refresh_token });
      const { json } = await flow.refresh(client_id, granted.refresh_token);
      Object.assign(secrets, { nextAccess: json.access_token, nextRefresh: json.refresh_token });
      await keep(await flow.refresh(client_id, `${json.refresh_token}x`));
      await keep(await flow.token({ ...granted.fields, code_verifier: `${granted.verifier}x` }));
      await keep(await flow.token(granted.fields));
    });

    test('a site fails in every way while its password is in use', async () => {
      const ways = [status(500), status(403), status(302, {}, { Location: `${slow.url}/elsewhere` }), (request, response) => response.destroy(),
        (request, response) => response.writeHead(200, { 'Content-Type': 'text/html' }).end(`<p>${request.headers.authorization}`)]; // says it back
      for (const way of ways) {
        slow.answer = way;
        for (const [tool, args] of [['wp_find', { type: 'post' }], ['wp_create', { type: 'page', title: 'x', content: 'x' }]]) {
          errors.push(JSON.stringify(await callTool(porteiro.url, token, tool, args).catch(error => error.message)));
        }
      }
      slow.answer = null;
      errors.push((await porteiro.cli(['connection', 'test', String(connection)], { env: { PORTEIRO_SECRET_KEY: Buffer.alloc(32, 7).toString('base64') } })).stderr);
    });

    const out = async (...args) => { const { stdout, stderr } = await porteiro.cli(args); return stdout + stderr; };

    test('a worker crashes', async () => {
      // Reads are on record within a second; those of the last one would go with the worker.
      await waitFor('the audit log to be written', async () => (await out('audit', 'export')).includes('tool.wp_find'));
      const [pid] = Object.values(workersOf(porteiro));
      process.kill(pid, 'SIGSEGV');
      await waitFor('its successor', async () => Object.values(workersOf(porteiro))[0] !== pid && (await fetch(`${porteiro.origin}/readyz`)).status === 200);
      assert.deepEqual(fs.readdirSync(porteiro.dir).filter(file => /^(core|vgcore)/.test(file)), [], 'no core file');
    });

    test('none of them is anywhere', async () => {
      const places = { errors: errors.join('\n') };
      places.metrics = await (await fetch(`${porteiro.origin}/metrics`, { headers: { authorization: `Bearer ${secrets.metrics}` } })).text();
      places.exports = (await out('audit', 'export')) + (await out('audit', 'export', '--format', 'csv'));
      places.commands = (await Promise.all([['config', 'check'], ['doctor'], ['connection', 'list'], ['token', 'list'], ['user', 'list'], ['key', 'status']].map(args => out(...args, '--json')))).join('');
      assert.equal((await porteiro.cli(['backup', path.join(porteiro.dir, 'out.backup')])).code, 0);
      places.backup = fs.readFileSync(path.join(porteiro.dir, 'out.backup'), 'latin1');
      places.database = porteiro.database ? (await mustRun('pg_dump', ['--inserts', porteiro.database.url])).stdout
        : ['porteiro.db', 'porteiro.db-wal'].map(file => path.join(porteiro.dir, file)).filter(file => fs.existsSync(file)).map(file => fs.readFileSync(file, 'latin1')).join('');
      places.log = fs.readFileSync(porteiro.log, 'latin1');
      places.processes = [porteiro.server.pid, ...Object.values(workersOf(porteiro))].map(pid => fs.readFileSync(`/proc/${pid}/cmdline`, 'latin1')).join('');
      assert.match(places.metrics, /^porteiro_/m, 'they are the metrics');
      assert.ok(places.database.includes('ana@example.test') && places.log.includes('"text"') && places.exports.includes('wp_create') && errors.length > 20, 'something was looked through');
      for (const [what, secret] of Object.entries(secrets)) {
        assert.ok(secret.length >= 16, `${what} can be told from other text`);
        const forms = [secret, encodeURIComponent(secret), Buffer.from(secret).toString('base64'), Buffer.from(secret).toString('hex')];
        for (const [place, text] of Object.entries(places)) for (const form of forms) assert.ok(!text.includes(form), `the ${what} is in the ${place}`);
      }
      console.log(`canaries: ${Object.keys(secrets).length} secrets, in 4 forms each, in none of ${Object.keys(places).length} places (${Object.values(places).reduce((n, text) => n + text.length, 0)} bytes, ${errors.length} errors)`);
    });
  });
}
