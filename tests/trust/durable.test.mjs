// SQLite: what was acknowledged is there after the disk was full. PORTEIRO_TEST_CYCLES: so many times (./dev soak: 50).
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fixtures } from '../integration/lib/fixtures.mjs';
import { callTool } from '../integration/lib/mcp.mjs';
import { Porteiro } from '../integration/lib/porteiro.mjs';
import { run, temporaryDirectory, waitFor } from '../integration/lib/process.mjs';
import { openSqlite } from '../integration/lib/sqlite.mjs';

const CYCLES = Number(process.env.PORTEIRO_TEST_CYCLES ?? 3);
const site = fixtures.sites.old;
// Rows stay, so more cycles need more room.
const MIB = 8 + Math.ceil(CYCLES / 4);

const tmpfs = await (async () => {
  const dir = temporaryDirectory('full');
  return (await run('mount', ['-t', 'tmpfs', '-o', `size=${MIB}m,mode=700`, 'tmpfs', dir])).code === 0 ? dir : null;
})();

describe(`a full disk (SQLite on a tmpfs of ${MIB} MiB)`, { skip: !tmpfs && 'no right to mount a tmpfs' }, () => {
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

  test('writes are refused, nothing acknowledged is lost, and it works again by itself', { timeout: 60_000 + CYCLES * 20_000 }, async () => {
    let acknowledged = 0, slowest = 0;
    for (let cycle = 0; cycle < CYCLES; cycle++) {
      for (let i = 0; i < 3; i++) acknowledged += await create(`Full ${cycle} ${i}`);
      fillUp();
      let refused = 0;
      // Whatever room the write-ahead log had left inside its file is used up first: a few hundred rows at the most.
      for (let i = 0; i < 400 && refused < 3; i++) {
        const ok = await create(`Full ${cycle} after ${i}`);
        if (ok) acknowledged++;
        else refused++;
      }
      assert.ok(refused >= 3, 'a full disk refuses writes');
      fs.rmSync(fill);
      const began = Date.now();
      await waitFor('a write to work again', () => create(`Again ${cycle}`), 10_000);
      acknowledged++;
      slowest = Math.max(slowest, Date.now() - began);
      assert.ok(slowest < 5000, `it took ${slowest} ms`);
    }
    await porteiro.stop();
    const database = openSqlite(path.join(tmpfs, 'porteiro.db'));
    assert.equal(database.prepare('PRAGMA integrity_check').get().integrity_check, 'ok');
    const { n } = database.prepare("SELECT count(*) AS n FROM mcp_audit_logs WHERE action = 'tool.wp_create' AND data ->> 'outcome' = 'ok'").get();
    database.close();
    assert.ok(n >= acknowledged, `${acknowledged} were acknowledged, ${n} are recorded`);
    assert.equal((await porteiro.json(['audit', 'verify'])).ok, true);
    console.log(`full disk: ${CYCLES} cycles, ${acknowledged} acknowledged writes, works again after ${slowest} ms at the latest`);
    await porteiro.serve();
  });
});
