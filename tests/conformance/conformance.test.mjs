// The official MCP conformance suite, stable and alpha, against porteiro in front of a real WordPress. What needs the
// suite's own fixture tools cannot pass there; it stands in expected-*.yml. A failure that is not listed fails here, and
// so does a listed one that passes: the lists can only shrink.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fixtures } from '../integration/lib/fixtures.mjs';
import { Porteiro } from '../integration/lib/porteiro.mjs';
import { run, temporaryDirectory } from '../integration/lib/process.mjs';

const here = name => path.join(import.meta.dirname, name);
const RUNS = [
  { name: 'stable 0.1.16, all scenarios', suite: 'stable', args: ['--suite', 'all'], expected: 'expected-stable.yml' },
  { name: '0.2.0-alpha.12, what 2025-11-25 requires', suite: 'alpha', args: ['--requirements', '2025-11-25'], expected: 'expected-2025-11-25.yml' },
  { name: '0.2.0-alpha.12, what 2026-07-28 requires', suite: 'alpha', args: ['--requirements', '2026-07-28'], expected: 'expected-2026-07-28.yml' },
];

// {scenario: [check, ...]} out of the suite's output directory, whose folders are server-SCENARIO-TIMESTAMP.
function readChecks(dir) {
  const scenarios = {};
  for (const file of fs.globSync('**/checks.json', { cwd: dir })) {
    const scenario = path.basename(path.dirname(file)).replace(/^server-/, '').replace(/-\d{4}-\d\d-\d\dT[\d-]+Z?$/, '');
    scenarios[scenario] = JSON.parse(fs.readFileSync(path.join(dir, file)));
  }
  return scenarios;
}

describe('conformance', () => {
  let porteiro, token;
  before(async () => {
    porteiro = await (await Porteiro.create()).serve();
    await porteiro.addUser();
    ({ token } = await porteiro.addConnection(fixtures.sites.new, { rights: 'read' }));
  });
  after(() => porteiro?.stop());

  for (const { name, suite, args, expected } of RUNS) {
    test(name, { timeout: 300_000 }, async t => {
      const out = temporaryDirectory('conformance');
      const program = here(`node_modules/conformance-${suite}/dist/index.js`);
      const { code, stdout, stderr } = await run(
        process.execPath,
        ['--require', here('bearer.cjs'), program, 'server', '--url', porteiro.url, ...args, '--expected-failures', here(expected), '--output-dir', out],
        { timeout: 280_000, env: { ...process.env, MCP_BEARER: token, MCP_ORIGIN: porteiro.origin } },
      );
      const summary = stdout.slice(Math.max(0, stdout.indexOf('=== SUMMARY')));
      const unexpected = [...(/Unexpected failures([^]*)/.exec(summary)?.[1] ?? '').matchAll(/\u2717 ([\w.-]+)/g)].map(match => match[1]);
      const listed = fs.readFileSync(here(expected), 'utf8').split('\n');
      const scenarios = readChecks(out);
      for (const [scenario, checks] of Object.entries(scenarios).sort()) {
        if (listed.includes(`  - ${scenario}`)) continue;
        await t.test(scenario, () => {
          const failed = checks.filter(check => check.status === 'FAILURE').map(check => `${check.id}: ${check.errorMessage}`);
          assert.ok(!unexpected.includes(scenario), failed.join('\n'));
        });
      }
      await t.test('no failure beyond the list, nothing on the list that passes', () => {
        assert.equal(code, 0, `${summary.slice(-6000)}\n${stderr.slice(-1000)}`);
        assert.ok(Object.keys(scenarios).length > 20, 'the suite ran');
      });
    });
  }
});
