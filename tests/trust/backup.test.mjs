// A backup while clients write, what restore refuses, and a restore into the other kind of database that goes on working.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { PAIRS, fixtures } from '../integration/lib/fixtures.mjs';
import { callTool } from '../integration/lib/mcp.mjs';
import { Porteiro } from '../integration/lib/porteiro.mjs';
import { query } from '../integration/lib/postgres.mjs';
import { waitFor } from '../integration/lib/process.mjs';
import { openSqlite } from '../integration/lib/sqlite.mjs';

// Rows of each table that is in a backup.
async function counts(porteiro) {
  const names = ['mcp_users', 'mcp_service_connections', 'mcp_tokens', 'mcp_token_details', 'mcp_data_keys', 'mcp_changes', 'mcp_user_profiles'];
  const sql = names.map(name => `SELECT '${name}' AS name, count(*) AS n FROM ${name}`).join(' UNION ALL ');
  if (porteiro.database) return Object.fromEntries((await query(porteiro.database.url, sql)).map(({ name, n }) => [name, Number(n)]));
  const database = openSqlite(path.join(porteiro.dir, 'porteiro.db'), { readOnly: true });
  const rows = database.prepare(sql).all();
  database.close();
  return Object.fromEntries(rows.map(({ name, n }) => [name, n]));
}

for (const { name, site, database } of PAIRS) {
  describe(`backup (${name})`, () => {
    let porteiro, token, file, key;
    const others = [];
    const create = async kind => {
      const other = await Porteiro.create({ database: kind });
      others.push(other);
      fs.copyFileSync(key, path.join(other.dir, 'master.key'));
      return other;
    };
    before(async () => {
      porteiro = await Porteiro.create({ database });
      await porteiro.addUser();
      ({ token } = await porteiro.addConnection(site, { rights: 'read,draft,publish,delete' }));
      file = path.join(porteiro.dir, 'backup.jsonl');
      key = path.join(porteiro.dir, 'master.key');
      // The newest of its kind is gone: its number must not be given again.
      await porteiro.addUser('gone@example.test', { phone: '+5511999990009' });
      await porteiro.json(['user', 'delete', '2']);
      await porteiro.serve();
    });
    after(() => Promise.all([porteiro, ...others].map(one => one?.stop())));

    test('it is made while clients write', async () => {
      let going = true, writes = 0;
      const client = (async () => {
        for (; going; writes++) {
          const result = await callTool(porteiro.url, token, 'wp_create', { type: 'page', title: `B ${writes}`, content: 'x' });
          assert.ok(!result.isError, JSON.stringify(result));
        }
      })();
      client.catch(() => {});
      await waitFor('writes', () => writes > 2);
      const made = await porteiro.json(['backup', file]);
      const soFar = writes;
      await waitFor('more writes', () => writes > soFar + 1);
      going = false;
      await client;
      assert.ok(made.rows > 20 && made.bytes === fs.statSync(file).size);
      assert.equal(fs.statSync(file).mode & 0o777, 0o600);
      const again = await porteiro.cli(['backup', file]);
      assert.equal(again.code, 1);
      assert.match(again.stderr, /is there already/);
      const secrets = [site.users.editor.app_password, token, fs.readFileSync(key, 'utf8').trim(), 'correct horse battery staple'];
      const text = fs.readFileSync(file, 'utf8');
      for (const secret of secrets) assert.ok(!text.includes(secret), 'no secret is in it');
      const trial = await porteiro.json(['restore', file, '--verify']);
      assert.ok(trial.audit_ok && !trial.restored && trial.rows === made.rows && trial.secrets === 1 && trial.keys >= 3, JSON.stringify(trial));
      assert.ok(!fs.readdirSync(porteiro.dir).some(entry => entry.startsWith('restore-')), 'the trial is gone');
    });

    test('what is refused, before anything is touched', async () => {
      const empty = await Porteiro.create({});
      const fresh = path.join(empty.dir, 'new');
      const refused = async (from, what, env = {}) => {
        const { code, stderr } = await empty.cli(['restore', from], { env: { PORTEIRO_DATA_DIR: fresh, PORTEIRO_SECRET_KEY_FILE: key, ...env } });
        assert.equal(code, 1, stderr);
        assert.match(stderr, what);
        assert.ok(!fs.existsSync(fresh), 'not even the data directory was made');
      };
      const other = path.join(empty.dir, 'other.key');
      fs.writeFileSync(other, Buffer.alloc(32, 7).toString('base64'), { mode: 0o600 });
      await refused(file, /belongs to another master key.*Nothing was touched/, { PORTEIRO_SECRET_KEY_FILE: other });
      await refused(file, /There is no master key.*Nothing was touched/, { PORTEIRO_SECRET_KEY_FILE: '' });
      const text = fs.readFileSync(file, 'utf8'), bad = path.join(empty.dir, 'bad.jsonl');
      const lines = text.split('\n');
      for (const [changed, what] of [
        [text.replace('ana@example.test', 'eva@example.test'), /signature does not fit/],
        [text.slice(0, text.length / 2), /cut off/],
        [lines.slice(0, -2).join('\n') + '\n', /the end is missing/],
        [lines.toSpliced(3, 1).join('\n'), /signature does not fit/],
        [text + 'x\n', /behind the end/],
        ['hello\n', /no backup of this program/],
        [lines[0] + '\n[99,"x"]\n', /no row of one of the tables/],
        ['', /no backup of this program/],
      ]) {
        fs.writeFileSync(bad, changed);
        await refused(bad, what);
      }
      const full = await porteiro.cli(['restore', file]);
      assert.equal(full.code, 1);
      assert.match(full.stderr, /not empty: .* Nothing was touched/);
    });

    for (const kind of ['sqlite', fixtures.postgres.port]) {
      test(`restored into ${kind === 'sqlite' ? 'SQLite' : 'PostgreSQL'}, it goes on`, async () => {
        const other = await create(kind);
        const restored = await other.json(['restore', file]);
        assert.ok(restored.restored && restored.audit_ok, JSON.stringify(restored));
        const had = await counts(porteiro), has = await counts(other);
        assert.deepEqual({ ...has, mcp_changes: 0 }, { ...had, mcp_changes: 0 });
        assert.ok(has.mcp_changes > 0 && has.mcp_changes < had.mcp_changes, 'as it was when the backup was made');
        await other.serve();
        const found = await callTool(other.url, token, 'wp_find', { type: 'page' });
        assert.ok(!found.isError, JSON.stringify(found));
        assert.equal((await other.addUser('new@example.test', { phone: '+5511999990005' })).id, 3, 'no number is given twice');
        assert.equal((await other.json(['audit', 'verify'])).ok, true);
      });
    }
  });
}
