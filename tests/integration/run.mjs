// node tests/integration/run.mjs [FILE...]: starts what the tests share (PostgreSQL, both WordPress sites), runs the
// test files (all tests/*/*.test.mjs, or those given) two at a time, and stops everything.
// RESULTS=FILE: the results also go there, for ./dev test. PORTEIRO_TEST_TIMEOUT_S: how long a test may take that does not say it
// itself (600), for long forms.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { startPostgres } from './lib/postgres.mjs';
import { ROOT } from './lib/process.mjs';
import { startWordPress } from './lib/wordpress.mjs';

const files = process.argv.slice(2).length
  ? process.argv.slice(2)
  : fs.globSync('tests/*/*.test.mjs', { cwd: ROOT }).sort().map(file => path.join(ROOT, file));

const started = await Promise.allSettled([startPostgres(), startWordPress('new'), startWordPress('old')]);
const stopAll = () => Promise.allSettled(started.map(({ value }) => value?.stop()));

let code = 1;
try {
  const [postgres, newSite, oldSite] = started.map(({ value, reason }) => {
    if (reason) throw reason;
    return value;
  });
  const fixtures = { postgres: { port: postgres.port }, sites: { new: newSite, old: oldSite } };
  const reporters = ['--test-reporter=spec', '--test-reporter-destination=stdout'];
  if (process.env.RESULTS) {
    reporters.push(`--test-reporter=${path.join(import.meta.dirname, 'lib/reporter.mjs')}`, `--test-reporter-destination=${process.env.RESULTS}`);
  }
  const child = spawn(
    process.execPath,
    ['--no-warnings', '--test', '--test-concurrency=2', `--test-timeout=${1000 * Number(process.env.PORTEIRO_TEST_TIMEOUT_S ?? 600)}`, ...reporters, ...files],
    { stdio: ['ignore', 'inherit', 'inherit'], env: { ...process.env, PORTEIRO_TEST_FIXTURES: JSON.stringify(fixtures), NODE_OPTIONS: '--no-warnings' } },
  );
  process.prependListener('exit', () => child.exitCode === null && child.kill()); // cut off: it ends its files, which end what they started
  code = await new Promise(resolve => child.on('close', resolve));
} catch (error) {
  console.error(error);
} finally {
  await stopAll();
}
process.exit(code ?? 1);
