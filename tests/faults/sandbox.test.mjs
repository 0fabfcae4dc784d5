// What a worker has given up, tried from inside it; and what a crash leaves behind.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fixtures } from '../integration/lib/fixtures.mjs';
import { callTool } from '../integration/lib/mcp.mjs';
import { PROGRAM } from '../integration/lib/porteiro.mjs';
import { mustRun, temporaryDirectory, waitFor } from '../integration/lib/process.mjs';
import { logOf, startWith, workersOf } from '../workers/help.mjs';

const sanitized = Boolean(process.env.ASAN_OPTIONS);
const statusOf = pid => Object.fromEntries(fs.readFileSync(`/proc/${pid}/status`, 'utf8').split('\n').map(line => line.split(/:\s*/)));
const oneOf = porteiro => Object.values(workersOf(porteiro))[0];

describe('the sandbox of a worker', { timeout: 120_000 }, () => {
  let porteiro;
  before(async () => {
    porteiro = await startWith([]);
  });
  after(() => porteiro?.stop());

  test('it is closed, for all threads', () => {
    const pid = oneOf(porteiro);
    for (const thread of fs.readdirSync(`/proc/${pid}/task`)) {
      const status = statusOf(`${pid}/task/${thread}`);
      assert.equal(status.Seccomp, '2', `thread ${thread}`);
      assert.equal(status.NoNewPrivs, '1');
    }
    assert.match(fs.readFileSync(`/proc/${pid}/limits`, 'utf8'), /Max core file size\s+0\s+0/);
    assert.match(fs.readFileSync(`/proc/${porteiro.server.pid}/limits`, 'utf8'), /Max core file size\s+0\s+0/);
  });

  test('the file with the settings, secrets included, is closed', () => {
    const open = fs.readdirSync(`/proc/${oneOf(porteiro)}/fd`).map(fd => fs.readlinkSync(`/proc/${oneOf(porteiro)}/fd/${fd}`));
    assert.ok(open.length > 5, 'they can be seen');
    assert.ok(!open.some(name => name.includes('porteiro-settings')), open.join('\n'));
  });

  test('the keys lie in memory that is locked and not dumped', () => {
    const pid = oneOf(porteiro);
    assert.ok(parseInt(statusOf(pid).VmLck) >= 4, 'something is locked');
    const locked = fs.readFileSync(`/proc/${pid}/smaps`, 'utf8').split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m).filter(area => /VmFlags:.* lo/.test(area));
    assert.ok(locked.length > 0);
    for (const area of locked) assert.match(area, /VmFlags:.* dd/, 'not in a dump');
  });

  test('tools, jobs and the database work behind it, and so does a new worker', async () => {
    const found = await callTool(porteiro.url, porteiro.token, 'wp_find', { limit: 2 });
    assert.ok(!found.isError, JSON.stringify(found));
    const before = oneOf(porteiro);
    process.kill(before, 'SIGKILL');
    await waitFor('another worker', () => oneOf(porteiro) && oneOf(porteiro) !== before);
    const again = await callTool(porteiro.url, porteiro.token, 'wp_find', { limit: 2 });
    assert.ok(!again.isError, JSON.stringify(again));
    assert.equal(statusOf(oneOf(porteiro)).Seccomp, '2');
  });

  test('a crash is one line: signal, build, no memory', { skip: sanitized }, async () => {
    const { stdout } = await mustRun('readelf', ['-n', PROGRAM]);
    const build = stdout.match(/Build ID: ([0-9a-f]+)/)[1];
    process.kill(oneOf(porteiro), 'SIGSEGV');
    const line = await waitFor('the report', () => logOf(porteiro).match(/error: worker 1: crashed: .*/)?.[0]);
    assert.match(line, new RegExp(`^error: worker 1: crashed: segmentation fault, (at \\+0x[0-9a-f]+|outside the program's own code), build ${build}, no call$`));
    await waitFor('the supervisor to notice', () => /was ended by a signal: Segmentation fault/.test(logOf(porteiro)));
    await waitFor('another worker', async () => (await fetch(`${porteiro.origin}/readyz`)).status === 200);
    assert.ok(!fs.readdirSync(porteiro.dir).some(name => name.startsWith('core')));
  });
});

// A library in the sanitizers' way would have to come first of all.
describe('somebody inside a worker', { skip: sanitized, timeout: 120_000 }, () => {
  let porteiro, report;
  before(async () => {
    const dir = temporaryDirectory('intruder');
    const library = path.join(dir, 'intruder.so');
    report = path.join(dir, 'report');
    fs.writeFileSync(report, '');
    await mustRun('gcc', ['-shared', '-fPIC', '-O2', '-o', library, path.join(import.meta.dirname, 'intruder.c')]);
    porteiro = await startWith([], { connection: false, env: { LD_PRELOAD: library, INTRUDER_REPORT: report } });
  });
  after(() => porteiro?.stop());

  test('reaches no file and no system call that serving does not take; execve ends it', async () => {
    const tried = await waitFor('all tries', () => /all tried/.test(fs.readFileSync(report, 'utf8')) && fs.readFileSync(report, 'utf8'));
    const lines = tried.split('\n').filter(line => line && !line.startsWith('all tried'));
    assert.ok(lines.length >= 25, tried);
    for (const line of lines) assert.match(line, /: (Permission denied|Operation not permitted|Function not implemented)$/, line);
    await waitFor('the report of the crash', async () => {
      await fetch(`${porteiro.origin}/healthz`, { headers: { Connection: 'close' } }).catch(() => {});
      return /crashed: a system call that is not allowed, number (59|221),/.test(logOf(porteiro));
    });
    assert.doesNotMatch(fs.readFileSync(report, 'utf8'), /execve/, 'it returns from execve()');
    await waitFor('the supervisor to notice', () => /was ended by a signal: Bad system call/.test(logOf(porteiro)));
  });
});

test('PORTEIRO_SANDBOX=off goes without', async () => {
  const porteiro = await startWith(['sandbox = off'], { connection: false });
  try {
    assert.equal(statusOf(oneOf(porteiro)).Seccomp, '0');
  } finally {
    await porteiro.stop();
  }
});

test('PostgreSQL, several workers', async () => {
  const porteiro = await startWith(['workers = 2'], { database: fixtures.postgres.port });
  try {
    await waitFor('two workers', () => Object.keys(workersOf(porteiro)).length === 2);
    for (const pid of Object.values(workersOf(porteiro))) assert.equal(statusOf(pid).Seccomp, '2');
    const found = await callTool(porteiro.url, porteiro.token, 'wp_find', { limit: 2 });
    assert.ok(!found.isError, JSON.stringify(found));
  } finally {
    await porteiro.stop();
  }
});

test('audit_checkpoints may lie anywhere that can be written; config check says where not', async () => {
  const elsewhere = path.join(temporaryDirectory('checkpoints'), 'marks.jsonl');
  const other = await startWith([`audit_checkpoints = ${elsewhere}`]);
  await other.stop(); // makes the last checkpoint
  assert.match(fs.readFileSync(elsewhere, 'utf8'), /^\{.*\}\n/);
  assert.equal((await other.cli(['config', 'check'])).code, 0);
  other.settings(['audit_checkpoints = /nonexistent/marks.jsonl']);
  const { code, stdout, stderr } = await other.cli(['config', 'check']);
  assert.notEqual(code, 0);
  assert.match(stdout + stderr, /the file \/nonexistent\/marks\.jsonl cannot be written: No such file or directory/);
});
