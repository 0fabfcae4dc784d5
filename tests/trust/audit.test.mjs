// The audit log of a running server: checkpoints outside the database, retention while clients write, and what verify says.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { PAIRS } from '../integration/lib/fixtures.mjs';
import { callTool } from '../integration/lib/mcp.mjs';
import { Porteiro } from '../integration/lib/porteiro.mjs';
import { waitFor } from '../integration/lib/process.mjs';

for (const { name, site, database } of PAIRS) {
  describe(`audit (${name})`, () => {
    let porteiro, token;
    before(async () => {
      porteiro = await Porteiro.create({ database });
      await porteiro.addUser();
      ({ token } = await porteiro.addConnection(site));
      await porteiro.serve();
    });
    after(() => porteiro?.stop());
    const checkpoints = () => fs.readFileSync(path.join(porteiro.dir, 'audit-checkpoints.jsonl'), 'utf8').trim().split('\n').map(line => JSON.parse(line));

    test('every process that wrote leaves a signed checkpoint in the file and in the log', async () => {
      const commands = checkpoints();
      assert.ok(commands.length >= 2 && commands.every(line => /\/main$/.test(line.writer) && line.signature.length === 128));
      await callTool(porteiro.url, token, 'wp_find', { type: 'page' });
      await porteiro.stop();
      const last = checkpoints().at(-1);
      assert.match(last.writer, /\/worker-1$/);
      assert.ok(fs.readFileSync(porteiro.log, 'utf8').includes(last.signature));
      const verdict = await porteiro.json(['audit', 'verify']);
      assert.ok(verdict.ok && verdict.checkpoints >= 2 * commands.length, JSON.stringify(verdict));
      await porteiro.serve();
    });

    test('retention while clients write, and a check beside it', async () => {
      let going = true, calls = 0;
      const begun = new Date();
      const client = (async () => {
        for (; going; calls++) await callTool(porteiro.url, token, 'wp_find', { type: 'page' });
      })();
      client.catch(() => {});
      await waitFor('calls', () => calls > 3);
      const { removed } = await porteiro.json(['audit', 'prune', '--before', begun.toISOString().replace('T', ' ').replace('Z', '')]);
      assert.ok(removed > 0);
      const verdict = await porteiro.json(['audit', 'verify']);
      assert.ok(verdict.ok && verdict.removed >= removed, JSON.stringify(verdict));
      going = false;
      await client;
      await porteiro.stop();
      assert.equal((await porteiro.json(['audit', 'verify'])).ok, true);
    });

    test('a copy of the file that says otherwise', async () => {
      const copy = path.join(porteiro.dir, 'copy.jsonl');
      const [line] = fs.readFileSync(path.join(porteiro.dir, 'audit-checkpoints.jsonl'), 'utf8').trim().split('\n').slice(-1);
      fs.writeFileSync(copy, `${line.replace(/"seq":(\d+)/, (_, seq) => `"seq":${Number(seq) + 1}`)}\n`);
      const { code, stderr } = await porteiro.cli(['audit', 'verify', '--checkpoints', copy]);
      assert.equal(code, 1);
      assert.match(stderr, /line 1 of .*copy\.jsonl is no checkpoint that this server signed/);
    });
  });
}
