// SQLite: what was acknowledged is there after kill -9, and after the disk was full. PORTEIRO_TEST_KILLS: so many kills.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, test } from 'node:test';
import { fixtures } from '../integration/lib/fixtures.mjs';
import { callTool } from '../integration/lib/mcp.mjs';
import { Porteiro } from '../integration/lib/porteiro.mjs';
import { run, sleep, temporaryDirectory, waitFor } from '../integration/lib/process.mjs';
import { workersOf } from '../workers/help.mjs';

const KILLS = Number(process.env.PORTEIRO_TEST_KILLS ?? 6);
const site = fixtures.sites.old;

const rowsOf = (porteiro, sql) => {
  const database = new DatabaseSync(path.join(porteiro.dir, 'porteiro.db'), { readOnly: true });
  const rows = database.prepare(sql).all();
  database.close();
  return rows;
};

describe('kill -9 (SQLite)', () => {
  let porteiro, token;
  before(async () => {
    porteiro = await Porteiro.create({});
    await porteiro.addUser();
    ({ token } = await porteiro.addConnection(site, { rights: 'read,draft,publish,delete' }));
    await porteiro.serve();
  });
  after(() => porteiro?.stop());

  test(`of worker or supervisor, ${KILLS} times under writes: every acknowledged write is in the database`, { timeout: 60_000 + KILLS * 10_000 }, async () => {
    const acknowledged = [];
    let going = true, failed = 0, number = 0;
    const clients = Array.from({ length: 3 }, async () => {
      while (going) {
        const title = `Kill ${number++}`;
        try {
          const result = await callTool(porteiro.url, token, 'wp_create', { type: 'page', title, content: 'x' });
          if (!result.isError) acknowledged.push(title);
        } catch {
          failed++;
          await sleep(20);
        }
      }
    });
    for (let kill = 0; kill < KILLS; kill++) {
      const had = acknowledged.length;
      await waitFor('writes', () => acknowledged.length >= had + 2, 30_000);
      await sleep(Math.random() * 60);
      if (kill % 2) {
        process.kill(porteiro.server.pid, 'SIGKILL');
        await porteiro.server.ended;
        await waitFor('the workers to end', async () => !(await fetch(`${porteiro.origin}/healthz`).catch(() => null)), 30_000);
        await porteiro.serve();
      } else {
        process.kill(workersOf(porteiro)[1], 'SIGKILL');
      }
    }
    going = false;
    await Promise.all(clients);
    await porteiro.stop();
    const outcomes = rowsOf(porteiro, "SELECT data ->> 'outcome' AS outcome, action FROM mcp_audit_logs WHERE action LIKE 'tool.wp_create%'");
    const done = outcomes.filter(({ action, outcome }) => action === 'tool.wp_create' && outcome === 'ok').length;
    const intents = outcomes.filter(({ action }) => action === 'tool.wp_create.intent').length;
    assert.ok(done >= acknowledged.length, `${acknowledged.length} were acknowledged, ${done} outcomes are recorded`);
    assert.ok(intents >= done, `${intents} intents, ${done} outcomes`);
    assert.equal(rowsOf(porteiro, 'PRAGMA integrity_check')[0].integrity_check, 'ok');
    const verdict = await porteiro.json(['audit', 'verify']);
    assert.ok(verdict.ok, JSON.stringify(verdict));
    console.log(`${KILLS} kills, ${acknowledged.length} acknowledged writes, ${failed} failed requests, ${intents} intents`);
    await porteiro.serve();
  });
});

const tmpfs = await (async () => {
  const dir = temporaryDirectory('full');
  return (await run('mount', ['-t', 'tmpfs', '-o', 'size=8m,mode=700', 'tmpfs', dir])).code === 0 ? dir : null;
})();

describe('a full disk (SQLite on a tmpfs of 8 MiB)', { skip: !tmpfs && 'no right to mount a tmpfs' }, () => {
  let porteiro, token;
  const fill = path.join(tmpfs ?? '', 'fill');
  before(async () => {
    porteiro = await Porteiro.create({ env: { DATABASE_URL: `sqlite:${tmpfs}/porteiro.db` } });
    await porteiro.addUser();
    ({ token } = await porteiro.addConnection(site, { rights: 'read,draft' }));
    await porteiro.serve();
  });
  after(async () => {
    await porteiro?.stop();
    await run('umount', [tmpfs]);
  });

  const create = async title => {
    const result = await callTool(porteiro.url, token, 'wp_create', { type: 'page', title, content: 'x' }).catch(error => ({ isError: true, error }));
    return !result.isError;
  };
  const fillUp = () => {
    const file = fs.openSync(fill, 'w');
    try {
      for (;;) fs.writeSync(file, Buffer.alloc(4096, 1));
    } catch (error) {
      assert.equal(error.code, 'ENOSPC');
    }
    fs.closeSync(file);
  };

  test('writes are refused, nothing acknowledged is lost, and it works again by itself', async () => {
    let acknowledged = 0;
    for (let cycle = 0; cycle < 3; cycle++) {
      for (let i = 0; i < 3; i++) acknowledged += await create(`Full ${cycle} ${i}`);
      fillUp();
      let refused = 0;
      for (let i = 0; i < 40 && refused < 3; i++) {
        const ok = await create(`Full ${cycle} after ${i}`);
        if (ok) acknowledged++;
        else refused++;
      }
      assert.ok(refused >= 3, 'a full disk refuses writes');
      fs.rmSync(fill);
      const began = Date.now();
      await waitFor('a write to work again', () => create(`Again ${cycle}`), 10_000);
      acknowledged++;
      assert.ok(Date.now() - began < 5000, `it took ${Date.now() - began} ms`);
    }
    await porteiro.stop();
    const database = new DatabaseSync(path.join(tmpfs, 'porteiro.db'));
    assert.equal(database.prepare('PRAGMA integrity_check').get().integrity_check, 'ok');
    const { n } = database.prepare("SELECT count(*) AS n FROM mcp_audit_logs WHERE action = 'tool.wp_create' AND data ->> 'outcome' = 'ok'").get();
    database.close();
    assert.ok(n >= acknowledged, `${acknowledged} were acknowledged, ${n} are recorded`);
    assert.equal((await porteiro.json(['audit', 'verify'])).ok, true);
    await porteiro.serve();
  });
});
