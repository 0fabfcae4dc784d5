// A new master key while clients work: no request fails, both keys are good until the old one is retired, and what lies in the
// database is of no use to whoever steals it.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { PAIRS } from '../integration/lib/fixtures.mjs';
import { callTool } from '../integration/lib/mcp.mjs';
import { Porteiro } from '../integration/lib/porteiro.mjs';
import { mustRun, waitFor } from '../integration/lib/process.mjs';

const keyFile = (folder, name) => {
  const file = path.join(folder, name);
  fs.writeFileSync(file, `${randomBytes(32).toString('base64')}\n`, { mode: 0o600 });
  return file;
};

// All of the database as bytes: the file and its log, or a dump.
async function dump(porteiro) {
  if (!porteiro.database) {
    return ['porteiro.db', 'porteiro.db-wal'].map(name => path.join(porteiro.dir, name)).filter(file => fs.existsSync(file))
      .map(file => fs.readFileSync(file, 'latin1')).join('');
  }
  return (await mustRun('pg_dump', ['--inserts', porteiro.database.url], { timeout: 60_000 })).stdout;
}

for (const { name, site, database } of PAIRS) {
  describe(`rotation (${name})`, () => {
    let porteiro, token, connection;
    const password = 'correct horse battery staple';
    before(async () => {
      porteiro = await Porteiro.create({ database });
      await porteiro.addUser(undefined, { password });
      ({ token, id: connection } = await porteiro.addConnection(site));
      await porteiro.serve();
    });
    after(() => porteiro?.stop());

    const find = async () => {
      const result = await callTool(porteiro.url, token, 'wp_find', { type: 'page' });
      assert.ok(!result.isError, JSON.stringify(result));
    };

    test('clients notice nothing', async () => {
      let calls = 0, going = true;
      const clients = Array.from({ length: 3 }, async () => {
        for (; going; calls++) await find();
      });
      const whatever = Promise.all(clients);
      whatever.catch(() => {});
      await waitFor('calls', () => calls > 5);
      const rotated = await porteiro.json(['key', 'rotate']);
      assert.equal(rotated.began && rotated.current, 2);
      assert.ok(rotated.rewrapped > 0);
      const soFar = calls;
      await waitFor('more calls', () => calls > soFar + 10);
      assert.equal((await porteiro.json(['connection', 'test', String(connection)])).ok, true);
      // Somebody new, while the server still has the old key only.
      await porteiro.addUser('bia@example.test', { phone: '+5511999990002' });
      const bia = await porteiro.addConnection(site, { user: 'bia@example.test' });
      assert.ok(!(await callTool(porteiro.url, bia.token, 'wp_find', { type: 'page' })).isError);
      going = false;
      await whatever;
      const status = await porteiro.json(['key', 'status']);
      assert.deepEqual(status.wraps.map(({ key }) => key), [2]);
      assert.ok(status.rotating && status.holders.every(({ key }) => key === 1) && status.holders.length > 0);
    });

    test('the old key stays until nothing has it any more', async () => {
      const refused = await porteiro.cli(['key', 'retire', '1']);
      assert.equal(refused.code, 1);
      assert.match(refused.stderr, /worker-1, started at .* was given master key 1/);
      await porteiro.stop();
      assert.deepEqual((await porteiro.json(['key', 'status'])).holders, []);
      await porteiro.serve();
      await find();
      assert.ok((await porteiro.json(['key', 'status'])).holders.every(({ key }) => key === 2));
      assert.equal((await porteiro.json(['key', 'retire', '1'])).current, 2);
      await find();
    });

    test('the old key opens nothing any more, and says so', async () => {
      const old = await porteiro.cli(['connection', 'list'], { env: { PORTEIRO_SECRET_KEY_FILE: path.join(porteiro.dir, 'master.key.1') } });
      assert.equal(old.code, 1);
      assert.match(old.stderr, /belongs to another master key \(its number 2\)/);
    });

    test('a key of the operator, by file and by credential', async () => {
      const folder = path.join(porteiro.dir, 'credentials');
      fs.mkdirSync(folder);
      const third = keyFile(folder, 'third');
      assert.equal((await porteiro.json(['key', 'rotate', '--new-key-file', third])).current, 3);
      const env = { PORTEIRO_SECRET_KEY_FILE: third };
      assert.equal((await porteiro.json(['key', 'status'], { env })).given, 3);
      const without = await porteiro.cli(['key', 'rotate'], { env });
      assert.equal(without.code, 0, 'nothing is left to do, so no key is needed');
      fs.copyFileSync(third, path.join(folder, 'master.key'));
      // What systemd hands over comes before the data directory's file, which is still the second key.
      assert.equal((await porteiro.json(['key', 'status'], { env: { CREDENTIALS_DIRECTORY: folder } })).given, 3);
      assert.equal((await porteiro.json(['key', 'status'])).given, 2);
      await porteiro.stop();
      Object.assign(porteiro.env, { CREDENTIALS_DIRECTORY: folder });
      await porteiro.serve();
      await find();
      assert.equal((await porteiro.json(['key', 'retire', '2'])).retired, 2);
      const needed = await porteiro.cli(['key', 'rotate']);
      assert.equal(needed.code, 2);
      assert.match(needed.stderr, /--new-key-file FILE is needed/);
      assert.equal((await porteiro.json(['connection', 'test', String(connection)])).ok, true);
    });

    test('a stolen database and the log hold no secret', async () => {
      const secrets = [password, token, site.users.editor.app_password, site.users.editor.app_password.replaceAll(' ', ''),
        ...['master.key', 'master.key.1', 'credentials/third'].map(file => fs.readFileSync(path.join(porteiro.dir, file), 'utf8').trim())];
      secrets.push(...secrets.slice(-3).map(text => Buffer.from(text, 'base64').toString('latin1')));
      const places = { database: await dump(porteiro), log: fs.readFileSync(porteiro.log, 'latin1') };
      assert.ok(places.database.includes('ana@example.test'), 'it is a dump');
      for (const [place, text] of Object.entries(places)) {
        for (const secret of secrets) {
          assert.ok(!text.includes(secret), `a secret of ${secret.length} characters is in the ${place}`);
          assert.ok(!text.includes(Buffer.from(secret, 'latin1').toString('base64')), `... in base64 in the ${place}`);
        }
      }
      assert.equal((await porteiro.json(['audit', 'verify'])).ok, true);
    });
  });
}
