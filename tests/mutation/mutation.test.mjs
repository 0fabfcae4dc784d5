// The conformance suites judge the product's own code: taking a piece of it out turns them red. Each mutant is one file of a copy
// with one function's body (or one line) replaced, compiled as the conformance build compiles it and linked in front of that
// build's archive; only the scenarios concerned are run. PORTEIRO_MUTANTS=all: all of them (./dev soak), else three.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { ROOT, mustRun, run, start, temporaryDirectory, waitFor } from '../integration/lib/process.mjs';

const BUILD = path.join(ROOT, 'build/conformance');
process.env.PORTEIRO_BIN = path.join(BUILD, 'porteiro');
const { serveFixtures } = await import('../conformance/fixtures.mjs');

const SUITE = path.join(ROOT, 'tests/conformance');
const dir = temporaryDirectory('mutants');

// always: also in ./dev test. scenarios: of 2026-07-28 unless they say otherwise ("NAME@REVISION").
const MUTANTS = [
  { name: 'validation: headers are not compared with the body', always: true, file: 'src/mcp/era_modern.c', body: ['pass_headers', 'return true;'], scenarios: ['http-header-validation'] },
  { name: 'requestState: what does not open is passed over', always: true, file: 'src/mcp/host.c', replace: ['    int error = state_open(call, &place, json_str(state), &text, &host->nonce);', '    int error = state_open(call, &place, json_str(state), &text, &host->nonce);\n    if (error) { call_clear_error(call); return OK; }'], scenarios: ['input-required-result-tampered-state'] },
  { name: 'notifications: changes are not told', always: true, file: 'src/mcp/host.c', body: ['changed', ''], scenarios: ['server-stateless'] },
  { name: 'validation: _meta and version are not looked at', file: 'src/mcp/era_modern.c', body: ['pass_version', 'return true;'], scenarios: ['server-stateless'] },
  { name: 'validation: Mcp-Param-* are not looked at', file: 'src/mcp/tools.c', body: ['tools_check_headers', 'return OK;'], scenarios: ['http-custom-header-server-validation'] },
  { name: 'validation: Host and Origin are not looked at', file: 'src/mcp/endpoint.c', body: ['pass_outside', 'return true;'], scenarios: ['dns-rebinding-protection'] },
  { name: 'validation: answers to questions are not looked at', file: 'src/mcp/host.c', body: ['mcp_is_answer', 'return !json_is(answer, JSON_MISSING);'], scenarios: ['input-required-result-validate-input', 'input-required-result-missing-input-response'] },
  { name: 'validation: capabilities are not looked at', file: 'src/mcp/host.c', body: ['require', 'return OK;'], scenarios: ['server-stateless', 'input-required-result-capability-check'] },
  { name: 'validation: a resource that is not there is an internal error', file: 'src/mcp/resources.c', replace: ['if (error == E_NOT_FOUND) {', 'if (error == E_NOT_FOUND) error = E_INTERNAL;\n    if (error == E_NOT_FOUND) {'], scenarios: ['sep-2164-resource-not-found'] },
  { name: 'requestState: it forgets the answers of earlier rounds', file: 'src/mcp/host.c', replace: ['STR_ARG(buf_str(&host->answers))', 'STR_ARG(STR_EMPTY)'], scenarios: ['input-required-result-multi-round'] },
  { name: 'requestState: there is none', file: 'src/mcp/host.c', replace: ['buf_add(out, sealed);', 'buf_add(out, STR_EMPTY);'], scenarios: ['input-required-result-request-state'] },
  { name: 'notifications: listening is not acknowledged', file: 'src/mcp/listen.c', body: ['acknowledge', 'return OK;'], scenarios: ['server-stateless'] },
  { name: 'notifications: what nobody asked for is told', file: 'src/mcp/listen.c', replace: ['unsigned marks = self->marks & self->wanted;', 'unsigned marks = self->marks;'], scenarios: ['server-stateless'] },
  { name: 'notifications: no progress', file: 'src/mcp/host.c', body: ['progress', ''], scenarios: ['tools-call-with-progress', 'tools-call-with-progress@2025-11-25'] },
  { name: 'notifications: no log lines', file: 'src/mcp/host.c', body: ['log_line', ''], scenarios: ['tools-call-with-logging@2025-11-25'] },
  { name: 'questions of 2025-11-25 are not asked', file: 'src/mcp/ask.c', body: ['ask_client', 'return fail(call, E_DENIED, "no");'], scenarios: ['tools-call-elicitation@2025-11-25', 'tools-call-sampling@2025-11-25'] },
  { name: 'results have no hints for caches', file: 'src/mcp/era_modern.c', body: ['write_cache_hint', ''], scenarios: ['caching'] },
];

// The definition's body, from its "{" to its "}", both alone on a line as clang-format puts them.
function withBody(source, name, body) {
  const definition = new RegExp(`^(?:[a-z].*[ *])?${name}\\([^;{]*\\)\\n\\{\\n[^]*?^\\}$`, 'gm');
  const found = [...source.matchAll(definition)];
  assert.equal(found.length, 1, `${name} is defined once`);
  return source.replace(definition, text => `${text.slice(0, text.indexOf('\n{\n'))}\n{\n${body}\n}`);
}

function mutate({ file, body, replace }) {
  const source = fs.readFileSync(path.join(ROOT, file), 'utf8');
  if (body) return withBody(source, ...body);
  assert.equal(source.split(replace[0]).length, 2, `"${replace[0]}" stands in ${file} once`);
  return source.replace(replace[0], () => replace[1]);
}

// The program with that file changed: one compilation and one link, as ninja would do them.
async function build(mutant, number) {
  const shell = command => mustRun('sh', ['-c', command], { cwd: BUILD, timeout: 120_000 });
  const { stdout } = await mustRun('ninja', ['-C', BUILD, '-t', 'commands', 'porteiro']);
  const commands = stdout.split('\n').filter(Boolean);
  const compile = commands.find(line => line.endsWith(` -c ../../${mutant.file}`));
  const link = commands.at(-1);
  assert.ok(compile && / -o porteiro /.test(link), 'ninja says how it is built');
  const source = path.join(dir, `${number}.c`), object = path.join(dir, `${number}.o`), program = path.join(dir, `porteiro-${number}`);
  fs.writeFileSync(source, mutate(mutant));
  // Ours is not ours to judge by warnings, and ninja's own records stay as they are.
  await shell(compile.replace(/ -M[DQF]\b( \S*\.o(\.d)?)?/g, '').replace(/ -o \S+/, ` -o ${object}`).replace(/ -c \S+$/, ` -w -c ${source}`));
  await shell(link.replace(' -o porteiro ', ` -o ${program} ${object} `));
  return program;
}

let porteiro, token;
before(async () => {
  ({ porteiro, token } = await serveFixtures());
  await porteiro.stop();
});
after(() => porteiro?.stop());

// {passed, other}: checks of the scenarios against that program.
async function judge(program, scenarios) {
  const server = start(program, ['serve'], { env: porteiro.env, cwd: porteiro.dir, log: porteiro.log });
  try {
    await waitFor('the server', async () => (await fetch(`${porteiro.origin}/readyz`)).status === 200);
    const seen = { passed: 0, other: [] };
    for (const scenario of scenarios) {
      const [name, revision = '2026-07-28'] = scenario.split('@');
      const out = temporaryDirectory('checks');
      await run(process.execPath, ['--require', path.join(SUITE, 'bearer.cjs'), path.join(SUITE, 'node_modules/conformance-alpha/dist/index.js'),
        'server', '--url', porteiro.url, '--scenario', name, '--spec-version', revision, '--output-dir', out], { env: { ...process.env, MCP_BEARER: token, MCP_ORIGIN: porteiro.origin } });
      const files = fs.globSync('**/checks.json', { cwd: out });
      assert.equal(files.length, 1, `${scenario} was run`);
      for (const { id, status } of JSON.parse(fs.readFileSync(path.join(out, files[0])))) {
        if (status === 'SUCCESS') seen.passed++;
        else if (status !== 'INFO') seen.other.push(`${name}: ${id} ${status}`);
      }
    }
    return seen;
  } finally {
    await server.stop();
  }
}

const wanted = MUTANTS.filter(({ always }) => always || process.env.PORTEIRO_MUTANTS === 'all');

test('each mutant still fits the source, also those that only ./dev soak builds', () => {
  for (const mutant of MUTANTS) assert.notEqual(mutate(mutant), fs.readFileSync(path.join(ROOT, mutant.file), 'utf8'), mutant.name);
});

test('without a mutation all is green', { timeout: 120_000 }, async () => {
  const scenarios = [...new Set(wanted.flatMap(mutant => mutant.scenarios))];
  const { passed, other } = await judge(process.env.PORTEIRO_BIN, scenarios);
  assert.deepEqual(other, []);
  assert.ok(passed >= scenarios.length);
});

for (const [number, mutant] of wanted.entries()) {
  test(`red: ${mutant.name}`, { timeout: 180_000 }, async () => {
    const { passed, other } = await judge(await build(mutant, number), mutant.scenarios);
    console.log(`${mutant.name}: ${passed} passed, ${other.length} did not: ${other.slice(0, 4).join('; ')}`);
    assert.ok(other.length > 0, 'the suite stayed green');
  });
}
