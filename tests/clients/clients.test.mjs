// The official clients do everything they can do, over HTTP and over stdio, against the conformance provider: list, call, error,
// cancel, progress, listen, elicitation. stdio starts the program as `meson install` lays it down. The Inspector's command line,
// in both eras, against the same, and the installed release in front of a real WordPress.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fixtures } from '../integration/lib/fixtures.mjs';
import { Client1, Client2, ElicitRequestSchema, MODERN, Transport1, Transport2 } from '../integration/lib/mcp.mjs';
import { Stdio1, Stdio2 } from '../integration/lib/stdio.mjs';
import { ROOT, mustRun, run, temporaryDirectory, waitFor } from '../integration/lib/process.mjs';

process.env.PORTEIRO_BIN = process.env.PORTEIRO_CONFORMANCE_BIN ?? path.join(ROOT, 'build/conformance/porteiro');
const { serveFixtures } = await import('../conformance/fixtures.mjs');

const ME = { name: 'porteiro-tests', version: '1' };
const bin = name => path.join(import.meta.dirname, 'node_modules/.bin', name);
const installed = {};
const http = {}, stdio = {}; // {porteiro, token} each: a SQLite database has one writer

async function install(build) {
  const destdir = temporaryDirectory('destdir');
  await mustRun('meson', ['install', '-C', path.join(ROOT, 'build', build), '--no-rebuild', '--quiet', '--destdir', destdir]);
  const [program] = fs.globSync('**/bin/porteiro', { cwd: destdir });
  return path.join(destdir, program);
}

before(async () => {
  Object.assign(http, await serveFixtures());
  Object.assign(stdio, await serveFixtures());
  await stdio.porteiro.stop();
  installed.conformance = await install('conformance');
  installed.release = await install('release');
});
after(() => http.porteiro?.stop());

const stdioOptions = () => ({ command: installed.conformance, args: ['stdio'], env: { ...stdio.porteiro.env, PORTEIRO_TOKEN: stdio.token }, stderr: 'pipe' });
const headers = () => ({ requestInit: { headers: { Authorization: `Bearer ${http.token}` } } });
const remoteOptions = () => ({
  command: process.execPath,
  args: [bin('mcp-remote'), http.porteiro.url, '--allow-http', '--transport', 'http-only', '--header', `Authorization:Bearer ${http.token}`],
  env: { ...process.env, MCP_REMOTE_CONFIG_DIR: temporaryDirectory('mcp-remote') }, stderr: 'ignore',
});

const capabilities = { elicitation: {} };
const sdk1 = () => new Client1(ME, { capabilities });
const client2 = mode => () => new Client2(ME, { capabilities, versionNegotiation: { mode } });
const overHttp1 = () => new Transport1(new URL(http.porteiro.url), headers());
const overHttp2 = () => new Transport2(new URL(http.porteiro.url), headers());

// era: what is expected. at: whose audit log has the calls.
const WAYS = [
  { name: 'sdk 1.x, HTTP', make: sdk1, connect: overHttp1, era: 'legacy', at: http },
  { name: 'client 2.x auto, HTTP', make: client2('auto'), connect: overHttp2, era: 'modern', at: http },
  { name: 'client 2.x pinned, HTTP', make: client2({ pin: MODERN }), connect: overHttp2, era: 'modern', at: http },
  { name: 'client 2.x legacy, HTTP', make: client2('legacy'), connect: overHttp2, era: 'legacy', at: http },
  { name: 'sdk 1.x through mcp-remote', make: sdk1, connect: () => new Stdio1(remoteOptions()), era: 'legacy', at: http },
  { name: 'sdk 1.x, stdio', make: sdk1, connect: () => new Stdio1(stdioOptions()), era: 'legacy', at: stdio },
  { name: 'client 2.x auto, stdio', make: client2('auto'), connect: () => new Stdio2(stdioOptions()), era: 'modern', at: stdio },
  { name: 'client 2.x pinned, stdio', make: client2({ pin: MODERN }), connect: () => new Stdio2(stdioOptions()), era: 'modern', at: stdio },
  { name: 'client 2.x legacy, stdio', make: client2('legacy'), connect: () => new Stdio2(stdioOptions()), era: 'legacy', at: stdio },
];

for (const { name, make, connect, era, at } of WAYS) {
  describe(name, () => {
    let client, asked;
    const call = (params, options) => (client instanceof Client1 ? client.callTool(params, undefined, options) : client.callTool(params, options));
    before(async () => {
      client = make();
      const answer = async ({ params }) => {
        asked = params;
        return { action: 'accept', content: Object.fromEntries(Object.keys(params.requestedSchema.properties).map(key => [key, 'Alice'])) };
      };
      if (client instanceof Client1) client.setRequestHandler(ElicitRequestSchema, answer);
      else client.setRequestHandler('elicitation/create', answer);
      await client.connect(connect());
    });
    after(() => client?.close());

    test('list', async () => {
      assert.equal(client.getServerVersion().name, 'porteiro');
      if (client.getProtocolEra) assert.equal(client.getProtocolEra(), era);
      const { tools } = await client.listTools();
      assert.ok(tools.some(tool => tool.name === 'test_simple_text'));
      assert.ok((await client.listPrompts()).prompts.length > 2);
      assert.ok((await client.listResources()).resources.length > 2);
      assert.ok((await client.listResourceTemplates()).resourceTemplates.length > 0);
    });

    test('call', async () => {
      const { content } = await call({ name: 'test_multiple_content_types', arguments: {} });
      assert.deepEqual(content.map(({ type }) => type), ['text', 'image', 'resource']);
      assert.match((await client.readResource({ uri: 'test://static-text' })).contents[0].text, /static text resource/);
      assert.equal((await client.getPrompt({ name: 'test_prompt_with_arguments', arguments: { arg1: 'x', arg2: 'y' } })).messages.length, 1);
      const { completion } = await client.complete({ ref: { type: 'ref/prompt', name: 'test_prompt_with_arguments' }, argument: { name: 'arg1', value: 'par' } });
      assert.deepEqual(completion.values, ['paris', 'park', 'party']);
    });

    test('error', async () => {
      assert.equal((await call({ name: 'test_error_handling', arguments: {} })).isError, true);
      await assert.rejects(call({ name: 'no_such_tool', arguments: {} }), ({ code }) => code === -32602);
      await assert.rejects(client.readResource({ uri: 'test://nope' }), ({ code }) => code === (era === 'legacy' && client instanceof Client1 ? -32002 : -32602)); // client 2.x reads both as -32602
      await assert.rejects(client.getPrompt({ name: 'nope' }), ({ code }) => code === -32602);
    });

    test('progress', async () => {
      const seen = [];
      await call({ name: 'test_tool_with_progress', arguments: {} }, { onprogress: ({ progress, total }) => seen.push([progress, total]) });
      assert.deepEqual(seen, [[0, 100], [50, 100], [100, 100]]);
    });

    test('cancel: the work stops', async () => {
      const cancelled = async () => (await at.porteiro.json(['audit', 'list', '--limit', '200'])).items.filter(({ action, data }) => action === 'tool.test_tool_with_progress' && data.outcome === 'cancelled').length;
      const before = await cancelled();
      const controller = new AbortController();
      const promise = call({ name: 'test_tool_with_progress', arguments: {} }, { signal: controller.signal, onprogress: () => controller.abort('enough') });
      await assert.rejects(promise);
      await waitFor('the record', async () => (await cancelled()) === before + 1, 8000, 100);
      assert.ok(!(await call({ name: 'test_simple_text', arguments: {} })).isError, 'and the client goes on');
    });

    test('elicitation', async () => {
      asked = undefined;
      const { content } = await call({ name: 'test_input_required_result_elicitation', arguments: {} });
      assert.equal(content[0].text, 'Hello, Alice!');
      assert.ok(asked.message.length > 0 && asked.requestedSchema.type === 'object');
    });

    if (era === 'modern') {
      test('listen', async () => {
        let heard = 0;
        client.setNotificationHandler('notifications/tools/list_changed', () => { heard++; });
        const subscription = await client.listen({ toolsListChanged: true });
        assert.deepEqual(subscription.honoredFilter, { toolsListChanged: true });
        await call({ name: 'test_trigger_tool_change', arguments: {} });
        await waitFor('the notification', () => heard === 1, 3000);
        await subscription.close();
      });
    }
  });
}

test('mcp-remote with a wrong token says so and ends', { timeout: 60_000 }, async () => {
  const options = remoteOptions();
  options.args[options.args.length - 1] = `Authorization:Bearer ${http.token}x`;
  const client = sdk1();
  await assert.rejects(client.connect(new Stdio1(options), { timeout: 15_000 }));
  await client.close().catch(() => {});
});

describe('Inspector, on the command line', () => {
  const home = temporaryDirectory('inspector');
  async function inspect(target, era, args, env = {}) {
    const { code, stdout, stderr } = await run(process.execPath, [bin('mcp-inspector'), '--cli', ...target, '--protocol-era', era, '--format', 'json', ...args], { env: { ...process.env, HOME: home, ...env }, timeout: 60_000 });
    let json;
    try {
      json = JSON.parse(stdout);
    } catch {}
    return { code, json, text: stdout + stderr };
  }
  const overHttp = () => ({ target: [http.porteiro.url, '--header', `Authorization: Bearer ${http.token}`] });
  const overStdio = () => ({ target: [...Object.entries({ ...stdio.porteiro.env, PORTEIRO_TOKEN: stdio.token }).flatMap(([key, value]) => ['-e', `${key}=${value}`]), '--', installed.conformance, 'stdio'] });

  for (const [how, target] of [['HTTP', overHttp], ['stdio', overStdio]]) {
    for (const era of ['legacy', 'modern']) {
      test(`${how}, ${era}: list, call, error, read, prompt`, { timeout: 180_000 }, async () => {
        const ask = args => {
          const { target: words } = target();
          const at = words.indexOf('--');
          // Options stand before the command that the Inspector starts.
          return at < 0 ? inspect(words, era, args) : inspect([...words.slice(0, at)], era, [...args, ...words.slice(at)]);
        };
        const [list, call, error, read, prompt] = await Promise.all([
          ask(['--method', 'tools/list', '--strict']),
          ask(['--method', 'tools/call', '--tool-name', 'test_simple_text']),
          ask(['--method', 'tools/call', '--tool-name', 'no_such_tool']),
          ask(['--method', 'resources/read', '--uri', 'test://static-text']),
          ask(['--method', 'prompts/get', '--prompt-name', 'test_simple_prompt']),
        ]);
        assert.equal(list.code, 0, list.text);
        assert.match(list.text, /test_simple_text/);
        assert.equal(call.code, 0, call.text);
        assert.match(call.text, /This is a simple text response for testing/);
        assert.notEqual(error.code, 0, error.text);
        assert.match(error.text, /no_such_tool/);
        assert.match(read.text, /static text resource/);
        assert.match(prompt.text, /"messages"/);
      });
    }
  }
});

describe('the installed release, in front of a WordPress', () => {
  const site = fixtures.sites.new;
  const home = temporaryDirectory('home');
  const env = {
    PATH: process.env.PATH, HOME: home, XDG_STATE_HOME: path.join(home, 'state'), TMPDIR: home, PORTEIRO_EGRESS_ALLOW: '127.0.0.0/8',
    WORDPRESS_URL: site.url, WORDPRESS_USERNAME: 'editor', WORDPRESS_APP_PASSWORD: site.users.editor.app_password,
  };
  for (const [name, make, Transport] of [['sdk 1.x', sdk1, Stdio1], ['client 2.x auto', client2('auto'), Stdio2], ['client 2.x legacy', client2('legacy'), Stdio2]]) {
    test(`${name}: list, call, error`, async () => {
      const client = make();
      await client.connect(new Transport({ command: installed.release, args: ['stdio'], env, stderr: 'pipe' }));
      assert.ok((await client.listTools()).tools.some(tool => tool.name === 'wp_find'));
      assert.match((await client.callTool({ name: 'wp_find', arguments: { type: 'book', limit: 2 } })).content[0].text, /Book \d+/);
      assert.equal((await client.callTool({ name: 'wp_read', arguments: { id: '99999999' } })).isError, true);
      await client.close();
    });
  }

  test('it is a release: it knows its version and holds no fixture', async () => {
    assert.ok(!fs.readFileSync(installed.release, 'latin1').includes('test_simple_text'));
    assert.match((await mustRun(installed.release, ['version'])).stdout, /\d+\.\d+\.\d+/);
  });
});
