// Another binary in our place, and a hundred reloads, under load: no request fails, and the process stays who it is.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fixtures } from '../integration/lib/fixtures.mjs';
import { PROGRAM, Porteiro } from '../integration/lib/porteiro.mjs';
import { start, temporaryDirectory, waitFor } from '../integration/lib/process.mjs';
import { countWorkers, isRunning, load, logOf, workersOf } from './help.mjs';

// How many upgrades, and how many requests are under way at least while it is done (./dev soak: 20, 1,000,000 over both databases).
const UPGRADES = Number(process.env.PORTEIRO_TEST_UPGRADES ?? 5), REQUESTS = Number(process.env.PORTEIRO_TEST_REQUESTS ?? 100);
const CLIENTS = Number(process.env.PORTEIRO_TEST_CLIENTS ?? 8);
const slow = process.env.ASAN_OPTIONS ? 4 : 1;

for (const { database, workers } of [{ database: 'sqlite', workers: 1 }, { database: fixtures.postgres.port, workers: 2 }]) {
  describe(`${workers} workers, ${database === 'sqlite' ? 'SQLite' : 'PostgreSQL'}`, { timeout: 1_500_000 }, () => {
    let porteiro, program, logged = 0; // of the log, before the test that runs: half a million requests are long to read again and again
    const settings = lines => fs.writeFileSync(`${porteiro.dir}/porteiro.conf`, lines.map(line => `${line}\n`).join(''));
    // A new file under the same name, as a package manager puts it there.
    const install = from => {
      fs.copyFileSync(from, `${program}.new`);
      fs.chmodSync(`${program}.new`, 0o755);
      fs.renameSync(`${program}.new`, program);
    };
    const runs = () => fs.statSync(`/proc/${porteiro.server.pid}/exe`).ino;
    const seen = pattern => [...logOf(porteiro, logged).matchAll(pattern)].length;
    const allNew = old => {
      const now = Object.values(workersOf(porteiro));
      return Object.keys(workersOf(porteiro)).length === workers && now.every(pid => !old.includes(pid)) && countWorkers(porteiro) === workers;
    };

    before(async () => {
      program = path.join(temporaryDirectory('upgrade'), 'porteiro');
      install(PROGRAM);
      porteiro = await Porteiro.create({ database });
      settings([`workers = ${workers}`]);
      porteiro.server = start(program, ['serve'], { env: porteiro.env, cwd: porteiro.dir, log: porteiro.log });
      await waitFor('porteiro', async () => (await fetch(`${porteiro.origin}/readyz`)).ok);
      await porteiro.addUser();
      ({ token: porteiro.token } = await porteiro.addConnection(fixtures.sites.new));
      await waitFor('all workers', () => allNew([]));
    });
    after(() => porteiro?.stop());

    test(`${UPGRADES} binary upgrades under load: no request fails, the process id stays`, async () => {
      const running = load(porteiro, CLIENTS);
      const { pid } = porteiro.server;
      for (let i = 0; i < UPGRADES; i++) {
        await waitFor('the requests of this upgrade', () => running.seen.sent >= (REQUESTS * i) / UPGRADES, 600_000);
        const old = Object.values(workersOf(porteiro));
        install(PROGRAM);
        const { ino } = fs.statSync(program);
        process.kill(pid, 'SIGUSR2');
        await waitFor('the new program', () => runs() === ino, 20_000 * slow);
        await waitFor('its workers', () => allNew(old), 30_000 * slow);
        for (const worker of Object.values(workersOf(porteiro))) assert.equal(fs.statSync(`/proc/${worker}/exe`).ino, ino);
      }
      await waitFor('the rest of the requests', () => running.seen.sent >= REQUESTS, 600_000);
      const { sent, failures } = await running.stop();
      console.log(`${sent} requests over ${UPGRADES} upgrades`);
      assert.ok(porteiro.server.running);
      assert.ok(sent > 100);
      assert.deepEqual(failures, []);
      const descriptors = fs.readdirSync(`/proc/${pid}/fd`).length;
      assert.ok(descriptors < 20 + 2 * workers, `${descriptors} descriptors: something stays open`);
    });

    test('SIGUSR2 to all processes at once, as systemctl kill sends it: no request fails, the program is replaced', async () => {
      const running = load(porteiro, CLIENTS);
      await waitFor('some requests', () => running.seen.sent >= 20);
      const old = Object.values(workersOf(porteiro));
      install(PROGRAM);
      const { ino } = fs.statSync(program);
      for (const pid of [...old, porteiro.server.pid]) process.kill(pid, 'SIGUSR2');
      await waitFor('the new program', () => runs() === ino, 20_000 * slow);
      await waitFor('its workers', () => allNew(old), 30_000 * slow);
      const { failures } = await running.stop();
      assert.deepEqual(failures, []);
      assert.doesNotMatch(logOf(porteiro, logged), /ended by a signal/);
    });

    // With one worker there is no second.
    if (workers > 1) test('an upgrade while the second worker is being replaced: no request fails, the one that was starting leaves by itself', async () => {
      logged = fs.statSync(porteiro.log).size;
      const running = load(porteiro, CLIENTS);
      const { pid } = porteiro.server;
      install(PROGRAM);
      const { ino } = fs.statSync(program);
      process.kill(pid, 'SIGHUP');
      await waitFor('the first worker', () => seen(/the settings were read again; replacing/g) === 1, 20_000 * slow, 1);
      const old = Object.values(workersOf(porteiro));
      process.kill(pid, 'SIGUSR2');
      await waitFor('the new program', () => runs() === ino, 20_000 * slow);
      await waitFor('its workers alone', () => allNew(old), 30_000 * slow);
      const { failures } = await running.stop();
      assert.deepEqual(failures, []);
      assert.doesNotMatch(logOf(porteiro, logged), /is ended$|by a signal/m);
    });

    test('a binary that does not start, or refuses the settings, is not taken', async () => {
      const ino = runs(), old = Object.values(workersOf(porteiro));
      fs.writeFileSync(`${program}.new`, 'no program');
      fs.chmodSync(`${program}.new`, 0o755);
      fs.renameSync(`${program}.new`, program);
      process.kill(porteiro.server.pid, 'SIGUSR2');
      await waitFor('the refusal', () => seen(/cannot be executed: Exec format error; this program goes on/g) === 1);
      install('/bin/false');
      process.kill(porteiro.server.pid, 'SIGUSR2');
      await waitFor('the refusal', () => seen(/does not start with these settings \(exit 1\); this program goes on/g) === 1);
      install(PROGRAM);
      settings([`workers = ${workers}`, 'listne = 1']);
      process.kill(porteiro.server.pid, 'SIGUSR2');
      await waitFor('the refusal', () => seen(/does not start with these settings \(exit 2\); this program goes on/g) === 1);
      settings([`workers = ${workers}`]);
      assert.equal(runs(), ino);
      assert.deepEqual(Object.values(workersOf(porteiro)), old);
      assert.equal((await fetch(`${porteiro.origin}/readyz`)).status, 200);
    });

    // Half a minute when it is wrong.
    if (workers === 1) test('a worker that was taken over has the patience of its own settings', async () => {
      settings(['workers = 1', 'drain_s = 1']);
      logged = fs.statSync(porteiro.log).size;
      process.kill(porteiro.server.pid, 'SIGHUP');
      await waitFor('the reload', () => seen(/the settings were read again; replacing/g) === 1 && countWorkers(porteiro) === 1, 20_000 * slow);
      settings(['workers = 1', 'drain_s = 20']);
      const [old] = Object.values(workersOf(porteiro));
      install(PROGRAM);
      process.kill(old, 'SIGSTOP');
      process.kill(porteiro.server.pid, 'SIGUSR2');
      await waitFor('the new worker', () => allNew([]) || Object.values(workersOf(porteiro))[0] !== old, 20_000 * slow);
      const since = performance.now();
      await waitFor('the end of the old one', () => !isRunning(old), 40_000);
      const took = performance.now() - since;
      assert.ok(took < 20_000, `${took} ms`);
      assert.match(logOf(porteiro, logged), /does not stop and is ended/);
      settings(['workers = 1']);
    });

    test('100 SIGHUPs under load: no request fails', async () => {
      logged = fs.statSync(porteiro.log).size;
      const running = load(porteiro);
      for (let i = 1; i <= 100; i++) {
        process.kill(porteiro.server.pid, 'SIGHUP');
        await waitFor(`reload ${i}`, () => seen(/the settings were read again; replacing/g) === i, 20_000 * slow, 5);
      }
      await waitFor('the last workers', () => countWorkers(porteiro) === workers, 60_000 * slow);
      const { sent, failures } = await running.stop();
      console.log(`${sent} requests over 100 reloads`);
      assert.ok(sent > 100);
      assert.deepEqual(failures, []);
      assert.doesNotMatch(logOf(porteiro, logged), /is ended$/m);
    });
  });
}
