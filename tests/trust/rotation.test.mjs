// A new master key while clients work, first with new data keys and everything sealed anew (--deep): no request fails, both keys are
// good until the old one is retired, and what lies in the database is of no use to whoever steals it.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { createHmac, randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { Person } from '../integration/lib/api.mjs';
import { PAIRS } from '../integration/lib/fixtures.mjs';
import { callTool } from '../integration/lib/mcp.mjs';
import { Porteiro } from '../integration/lib/porteiro.mjs';
import { query } from '../integration/lib/postgres.mjs';
import { mustRun, waitFor } from '../integration/lib/process.mjs';
import { openSqlite } from '../integration/lib/sqlite.mjs';

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

const rows = (porteiro, text) =>
  porteiro.database ? query(porteiro.database.url, text) : openSqlite(path.join(porteiro.dir, 'porteiro.db'), { readOnly: true }).prepare(text).all();

// Every column of every table that holds a sealed value, whatever its name: {"table.column": numbers of the keys that are named}.
async function sealed(porteiro) {
  const columns = await rows(porteiro, porteiro.database
    ? `SELECT table_name AS place, column_name AS col FROM information_schema.columns WHERE table_schema = 'public' AND table_name LIKE 'mcp%' AND data_type IN ('text', 'character varying', 'jsonb')`
    : `SELECT m.name AS place, p.name AS col FROM sqlite_master m JOIN pragma_table_info(m.name) p WHERE m.type = 'table' AND m.name LIKE 'mcp%'`);
  const found = {};
  const parts = columns.map(({ place, col }) => `SELECT '${place}.${col}' AS place, substr(CAST(${col} AS text), 1, 65536) AS v FROM ${place} WHERE CAST(${col} AS text) LIKE '{"%"kid":%' AND CAST(${col} AS text) LIKE '%"n":%'`);
  for (let i = 0; i < parts.length; i += 100) { // SQLite takes 500 at most
    for (const { place, v } of await rows(porteiro, parts.slice(i, i + 100).join(' UNION ALL '))) {
      (found[place] ??= new Set()).add(Number(/"kid": ?(\d+)/.exec(v)?.[1] ?? assert.fail(`${place}: ${v.slice(0, 100)}`)));
    }
  }
  return Object.fromEntries(Object.entries(found).map(([where, kids]) => [where, [...kids].sort()]));
}

function totp(secret, at = Date.now()) {
  const bits = [...secret].map(c => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0')).join('');
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(at / 30000)));
  const mac = createHmac('sha1', Buffer.from(bits.match(/.{8}/g).map(byte => parseInt(byte, 2)))).update(counter).digest();
  return String((mac.readUInt32BE(mac[19] & 15) & 0x7fffffff) % 1e6).padStart(6, '0');
}

const KEPT = ['mcp_changes.after_sealed', 'mcp_changes.before_sealed', 'mcp_changes.note_sealed', 'mcp_confirmations.difference_sealed', 'mcp_jobs.arguments', 'mcp_jobs.result',
  'mcp_outbox.mail_sealed', 'mcp_service_connections.secret_json', 'mcp_user_profiles.totp_sealed'];

for (const { name, site, database } of PAIRS) {
  describe(`rotation (${name})`, () => {
    let porteiro, token, connection, person, secret, edited;
    const password = 'correct horse battery staple';
    const env = { PORTEIRO_SMTP_URL: 'smtp://127.0.0.1:9', PORTEIRO_MAIL_FROM: 'porteiro@example.test' }; // mails stay where they are
    before(async () => {
      porteiro = await Porteiro.create({ database, env });
      await porteiro.addUser(undefined, { password });
      ({ token, id: connection } = await porteiro.addConnection(site, { rights: 'read,draft,publish,delete' }));
      await porteiro.serve();
    });
    after(() => porteiro?.stop());

    const find = async () => {
      const result = await callTool(porteiro.url, token, 'wp_find', { type: 'page' });
      assert.ok(!result.isError, JSON.stringify(result));
    };

    async function works(tool, args, as = token) {
      const { isError, text } = await callTool(porteiro.url, as, tool, args);
      assert.ok(!isError, `${tool}: ${text}`);
      return text;
    }
    // What is kept says what it said: history, what would be different, a job, the second factor.
    async function allReadable() {
      assert.match(await works('wp_history', { diff: edited.change }), /tide[^]*moon|moon[^]*tide/);
      const { items } = await person.ok('GET', '/api/approvals');
      assert.ok(items.length > 0 && items.every(({ difference }) => difference), JSON.stringify(items));
      assert.match(await works('wp_bulk', { job: edited.job }), /1/);
      assert.equal((await porteiro.json(['connection', 'test', String(connection)])).ok, true);
    }

    test('something of everything is kept', async () => {
      person = new Person(porteiro);
      await person.login('ana@example.test', password);
      const id = /\b(\d+)\b/.exec(await works('wp_create', { type: 'page', title: 'Key', content: 'the tide' }))[1];
      const change = /undo (\d+)/.exec(await works('wp_edit', { id, edits: [{ find: 'the tide', replace: 'the moon' }] }))[1];
      const { token: careful } = await person.ok('POST', `/api/connections/${connection}/tokens`, { name: 'careful', rights: 'read,draft,publish', confirm: 'human' });
      await callTool(porteiro.url, careful, 'wp_edit', { id, set: { title: 'The sun', status: 'publish' } });
      const preview = await works('wp_bulk', { type: 'page', ids: [Number(id)], set: { title: 'Keys' } });
      const done = await works('wp_bulk', { type: 'page', ids: [Number(id)], set: { title: 'Keys' }, confirm_code: /confirm_code "(\w+)"/.exec(preview)?.[1] });
      edited = { id, change, job: /[Jj]ob (\S+)/.exec(done)?.[1] ?? (await rows(porteiro, 'SELECT id FROM mcp_jobs'))[0].id };
      ({ secret } = await person.ok('POST', '/api/me/second-factor'));
      await porteiro.addUser('ben@example.test', { phone: '+5511999990003' });
      await new Person(porteiro).call('POST', '/api/auth/request-reset', { emailOrPhone: 'ben@example.test' });
      await waitFor('all of it', async () => Object.keys(await sealed(porteiro)).length >= KEPT.length + 1);
      const where = await sealed(porteiro);
      for (const column of KEPT) assert.deepEqual(where[column], [1], column);
      await allReadable();
    });

    test('clients notice nothing', async () => {
      let calls = 0, edits = 0, going = true;
      const clients = Array.from({ length: 3 }, async () => {
        for (; going; calls++) await find();
      });
      clients.push((async () => {
        for (; going; edits++) await works('wp_edit', { id: edited.id, set: { title: `Number ${edits}` } });
      })());
      const whatever = Promise.all(clients);
      whatever.catch(() => {});
      await waitFor('calls', () => calls > 5 && edits > 1);
      const rotated = await porteiro.json(['key', 'rotate', '--deep']);
      assert.equal(rotated.began && rotated.current, 2);
      assert.ok(rotated.rewrapped >= 0 && rotated.data_keys === 2 && rotated.resealed >= KEPT.length, JSON.stringify(rotated));
      assert.equal(rotated.unreadable, 0);
      const soFar = calls, before = edits;
      await waitFor('more calls', () => calls > soFar + 10 && edits > before + 2);
      going = false;
      await whatever;
      await allReadable();
      const status = await porteiro.json(['key', 'status']);
      assert.deepEqual(status.wraps.map(({ key }) => key), [2]);
      assert.deepEqual(status.data_keys, [{ data_key: 2, accounts: 2, with_previous: 2 }]);
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
      const retired = await porteiro.json(['key', 'retire', '1']);
      assert.deepEqual([retired.current, retired.dropped, retired.unreadable], [2, 2, 0]);
      await find();
    });

    test('nothing is left under the old data keys, and all of it opens', async () => {
      const where = await sealed(porteiro);
      for (const column of KEPT) assert.ok(where[column], column);
      for (const [column, kids] of Object.entries(where)) assert.deepEqual(kids, [2], column);
      await person.login('ana@example.test', password);
      await allReadable();
      await person.ok('POST', '/api/me/second-factor/confirm', { code: totp(secret) });
      assert.deepEqual((await porteiro.json(['key', 'status'])).data_keys, [{ data_key: 2, accounts: 2, with_previous: 0 }]);
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
      // Somebody new, while the server has the old key only.
      await porteiro.addUser('bia@example.test', { phone: '+5511999990002' });
      const bia = await porteiro.addConnection(site, { user: 'bia@example.test' });
      await works('wp_find', { type: 'page' }, bia.token);
      assert.equal((await porteiro.json(['key', 'status'])).holders.every(({ key }) => key === 2), true);
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

// The same files again, older numbers, names that are taken: what an operator's shell history does to keys.
describe('keys typed wrong', () => {
  test('an older number ends nothing', async () => {
    const porteiro = await Porteiro.create();
    for (const kid of ['1', '2']) {
      if (kid === '2') await porteiro.json(['key', 'retire', '1']);
      await porteiro.json(['key', 'rotate']);
    }
    const again = await porteiro.cli(['key', 'retire', '1']);
    assert.equal(again.code, 1);
    assert.match(again.stderr, /no master key 1 to retire; the current one is 3, the old one 2/);
    assert.equal((await porteiro.json(['key', 'status'])).rotating, true);
    assert.match((await porteiro.cli(['key', 'rotate'])).stdout, /`porteiro key retire 2` ends the old one/);
    assert.equal((await porteiro.json(['key', 'retire', '2'])).retired, 2);
  });

  test('a new key file is made once, and another one is refused', async () => {
    const porteiro = await Porteiro.create();
    const inDir = name => path.join(porteiro.dir, name);
    Object.assign(porteiro.env, { PORTEIRO_SECRET_KEY_FILE: keyFile(porteiro.dir, 'first') });
    const rotate = ['key', 'rotate', '--new-key-file', 'new.key'];
    const first = await porteiro.cli(rotate);
    assert.equal(first.code, 0, first.stderr);
    assert.match(first.stderr, /a new master key was made in new\.key/);
    assert.equal(fs.statSync(inDir('new.key')).mode & 0o777, 0o600);
    const made = fs.readFileSync(inDir('new.key'), 'utf8');
    assert.equal((await porteiro.json(rotate)).began, false);
    fs.renameSync(inDir('new.key'), inDir('second'));
    const missing = await porteiro.cli(rotate);
    assert.deepEqual([missing.code, fs.existsSync(inDir('new.key'))], [1, false]);
    keyFile(porteiro.dir, 'new.key');
    const another = await porteiro.cli(rotate);
    assert.equal(another.code, 1);
    assert.match(another.stderr, /new\.key holds another key than its new one, number 2\. Nothing was changed/);
    assert.equal((await porteiro.json(['key', 'rotate'])).current, 2);
    assert.equal(fs.readFileSync(inDir('second'), 'utf8'), made);
    Object.assign(porteiro.env, { PORTEIRO_SECRET_KEY_FILE: inDir('second') });
    assert.equal((await porteiro.json(['key', 'retire', '1'])).current, 2);
  });

  test('the old key is kept also where its second name is taken', async () => {
    const porteiro = await Porteiro.create();
    const inDir = name => path.join(porteiro.dir, name);
    const text = name => fs.readFileSync(inDir(name), 'utf8');
    await porteiro.json(['key', 'status']); // makes the first key
    const old = text('master.key');
    const stranger = fs.readFileSync(keyFile(porteiro.dir, 'master.key.1'), 'utf8'); // of another database that was here before
    for (let again = 0; again < 2; again++) {
      const refused = await porteiro.cli(['key', 'rotate']);
      assert.equal(refused.code, 1);
      assert.match(refused.stderr, /master\.key\.1, which is there already and holds another: move it away/);
      assert.deepEqual([text('master.key'), text('master.key.1')], [old, stranger]);
    }
    fs.renameSync(inDir('master.key.1'), inDir('stranger'));
    // As after a run that was killed before the new key took its place, in a folder that was copied since.
    fs.copyFileSync(inDir('master.key'), inDir('master.key.1'));
    assert.equal((await porteiro.json(['key', 'rotate'])).began, false);
    assert.equal(text('master.key.1'), old);
    assert.notEqual(text('master.key'), old);
    assert.equal((await porteiro.json(['key', 'retire', '1'])).current, 2);
  });
});
