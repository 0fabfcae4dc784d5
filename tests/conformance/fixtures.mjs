// The official suites against the conformance provider: the product's own protocol, reached with a normal token, in front of
// tools that do what the suites' descriptions say. A line for each scenario; exit 1 when one fails.
//   fixtures.mjs               run everything
//   fixtures.mjs --serve PORT  leave the server running; prints {"url","token"}
import fs from 'node:fs';
import path from 'node:path';
import { Porteiro } from '../integration/lib/porteiro.mjs';
import { run, temporaryDirectory } from '../integration/lib/process.mjs';

const here = name => path.join(import.meta.dirname, name);
const version = suite => JSON.parse(fs.readFileSync(here(`node_modules/conformance-${suite}/package.json`))).version;

// What is not scored fails here as well.
const RUNS = [
  { suite: 'stable', name: 'all', args: ['--suite', 'all'], scenarios: 32 },
  { suite: 'alpha', name: '2025-11-25', args: ['--requirements', '2025-11-25'], scenarios: 30 },
  { suite: 'alpha', name: '2026-07-28', args: ['--requirements', '2026-07-28'], scenarios: 37 },
];

export async function serveFixtures(port) {
  const porteiro = await Porteiro.create();
  if (port) {
    porteiro.port = port;
    porteiro.origin = `http://127.0.0.1:${port}`;
    porteiro.url = `${porteiro.origin}/mcp`;
    Object.assign(porteiro.env, { PORTEIRO_LISTEN: `127.0.0.1:${port}`, PORTEIRO_PUBLIC_URL: porteiro.origin });
  }
  await porteiro.serve();
  await porteiro.addUser();
  const { token } = await porteiro.json(['connection', 'add', '--user', 'ana@example.test', '--provider', 'conformance', '--name', 'suite']);
  return { porteiro, token };
}

// The suite prints what is not scored in a block of its own.
function unscoredOf(stdout) {
  return [...(/Not scored for[^]*/.exec(stdout)?.[0] ?? '').matchAll(/[✓✗] ([\w-]+)/g)].map(match => match[1]);
}

// {scenario: {passed, failed}} out of the summary's lines.
function resultsOf(stdout) {
  const summary = stdout.slice(Math.max(0, stdout.indexOf('=== SUMMARY')));
  return [...summary.matchAll(/^[✓✗~?] ([\w-]+): (\d+) passed, (\d+) failed/gm)]
    .map(([, name, passed, failed]) => ({ name, passed: Number(passed), failed: Number(failed) }));
}

// {scenario: number}: checks with a warning, which the suite's summary does not count: what is only a SHOULD, and ours to keep.
// Its output directory has a folder server-SCENARIO-TIMESTAMP for each.
function warningsIn(dir) {
  const warned = {};
  for (const file of fs.globSync('**/checks.json', { cwd: dir })) {
    const scenario = path.basename(path.dirname(file)).replace(/^server-/, '').replace(/-\d{4}-\d\d-\d\dT[\d-]+Z?$/, '');
    warned[scenario] = JSON.parse(fs.readFileSync(path.join(dir, file))).filter(check => check.status === 'WARNING').length;
  }
  return warned;
}

export async function runSuite(porteiro, token, { suite, args }) {
  const out = temporaryDirectory('conformance');
  const { code, stdout, stderr } = await run(
    process.execPath,
    ['--require', here('bearer.cjs'), here(`node_modules/conformance-${suite}/dist/index.js`), 'server', '--url', porteiro.url, ...args, '--output-dir', out],
    { timeout: 280_000, env: { ...process.env, MCP_BEARER: token, MCP_ORIGIN: porteiro.origin } },
  );
  const unscored = unscoredOf(stdout);
  const warned = warningsIn(out);
  const results = resultsOf(stdout).map(result => ({ ...result, warned: warned[result.name] ?? 0, scored: !unscored.includes(result.name) }));
  return { code, results, stdout, stderr };
}

async function main() {
  const [verb, port] = process.argv.slice(2);
  if (verb && (verb !== '--serve' || !Number(port))) throw new Error('usage: conformance [--serve PORT]');
  const { porteiro, token } = await serveFixtures(Number(port) || undefined);
  if (verb) {
    console.log(JSON.stringify({ url: porteiro.url, token }));
    await new Promise(resolve => process.once('SIGINT', resolve).once('SIGTERM', resolve));
    await porteiro.stop();
    return;
  }
  let bad = 0;
  for (const one of RUNS) {
    const { code, results, stdout, stderr } = await runSuite(porteiro, token, one);
    for (const { name, passed, failed, warned, scored } of results) {
      const wrong = failed + warned > 0;
      if (wrong) bad++;
      console.log(`${wrong ? 'FAILED' : 'ok'}\t${one.suite} ${one.name}\t${name}\t${passed} passed, ${failed} failed${warned ? `, ${warned} warned` : ''}${scored ? '' : ', not scored'}`);
    }
    const scored = results.filter(result => result.scored);
    const good = scored.filter(result => !result.failed && !result.warned).length;
    console.log(`${version(one.suite)} ${one.name}: ${good} of ${scored.length} scored scenarios pass`);
    if (code !== 0 || scored.length < one.scenarios) {
      bad++;
      console.error(`the suite ended with ${code}; ${scored.length} of ${one.scenarios} scenarios were seen\n${stdout.slice(-2000)}\n${stderr.slice(-2000)}`);
    }
  }
  await porteiro.stop();
  console.log(bad ? `${bad} failed` : 'all passed');
  process.exitCode = bad ? 1 : 0;
}

if (process.argv[1] === import.meta.filename) await main();
