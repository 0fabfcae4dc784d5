// One allocation after the other fails while requests are served: the request may fail, with an answer or a closed connection,
// but the process goes on, the next request is served, and nothing hangs.
//
// One exception is known and counted: libcurl 7.88 (Debian 12) divides by zero when it cannot make the hash of a socket's
// transfers (multi.c, sh_addentry). Then the worker ends, and the supervisor must have the next one ready at once.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fixtures } from '../integration/lib/fixtures.mjs';
import { callTool, legacy, modern } from '../integration/lib/mcp.mjs';
import { Porteiro } from '../integration/lib/porteiro.mjs';
import { mustRun, sleep, temporaryDirectory, waitFor } from '../integration/lib/process.mjs';

const STEPS = 60; // allocations failed, one by one, in each scenario

describe('allocation failures', { timeout: 240_000 }, () => {
  let porteiro, token, file, pids;
  before(async () => {
    const dir = temporaryDirectory('faults');
    const library = path.join(dir, 'fail_malloc.so');
    file = path.join(dir, 'which');
    fs.writeFileSync(file, '0');
    await mustRun('gcc', ['-shared', '-fPIC', '-O2', '-o', library, path.join(import.meta.dirname, 'fail_malloc.c')]);
    porteiro = await Porteiro.create({ env: { PORTEIRO_SANDBOX: 'off' } }); // the library reads its file in the worker
    await porteiro.addUser();
    ({ token } = await porteiro.addConnection(fixtures.sites.new, { rights: 'read,draft' }));
    Object.assign(porteiro.env, { LD_PRELOAD: library, FAIL_MALLOC_FILE: file });
    await porteiro.serve();
  });
  // Those that serve: the supervisor's workers.
  const workers = () =>
    fs.readFileSync(`/proc/${porteiro.server.pid}/task/${porteiro.server.pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
  const isReady = pid => porteiro.logTail(Infinity).includes(`is ready (process ${pid})`);
  const isThere = pid => {
    try {
      return !/^State:\tZ/m.test(fs.readFileSync(`/proc/${pid}/status`, 'utf8'));
    } catch {
      return false;
    }
  };
  const arm = async n => {
    fs.writeFileSync(file, String(n));
    await waitFor('a worker that is ready', () => (pids = workers()).length > 0 && pids.every(pid => isThere(pid) && isReady(pid)));
    for (const pid of pids) process.kill(pid, 'SIGUSR2');
  };
  after(() => porteiro?.stop());

  // Every request has an end: an answer, or an error of the connection.
  const tried = work => Promise.race([work().then(() => 'answered', () => 'broken'), sleep(45_000).then(() => 'hangs')]);

  const scenarios = {
    'tools/list': () => legacy(porteiro.url, token, 'tools/list'),
    'server/discover': () => modern(porteiro.url, token, 'server/discover'),
    'wp_find': () => callTool(porteiro.url, token, 'wp_find', { limit: 3, fields: ['terms'] }),
    'wp_read': () => callTool(porteiro.url, token, 'wp_read', { id: '1' }),
    'a bad token': () => legacy(porteiro.url, 'prt_pat_no', 'tools/list'),
    'bad JSON': () => fetch(porteiro.url, { method: 'POST', headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' }, body: '{"a":' }),
  };
  for (const [name, work] of Object.entries(scenarios)) {
    test(`${name}: each of ${STEPS} allocations fails once`, async () => {
      let ended = 0;
      for (let n = 1; n <= STEPS; n += name.startsWith('wp_') ? 3 : 1) {
        await arm(n);
        const result = await tried(work);
        assert.notEqual(result, 'hangs', `allocation ${n}`);
        assert.ok(porteiro.server.running, `the server ended at allocation ${n}:\n${porteiro.logTail()}`);
        if (pids.every(isThere)) continue;
        await waitFor('the supervisor to see it', () => pids.every(pid => porteiro.logTail(Infinity).includes(`(process ${pid}) was ended`)));
        assert.match(porteiro.logTail(5), /Floating point exception/, `a worker ended at allocation ${n}:\n${porteiro.logTail()}`);
        assert.ok(name.startsWith('wp_') && ++ended <= 1, `a worker ended again at allocation ${n}:\n${porteiro.logTail()}`);
      }
      await arm(0);
      assert.equal((await legacy(porteiro.url, token, 'tools/list')).status, 200, 'served afterwards');
    });
  }
});
