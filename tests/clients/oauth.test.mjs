// A whole login through mcp-remote, the bridge for hosts that only start programs: it registers itself, says where the person is to go,
// and waits for the browser to come back.
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fixtures } from '../integration/lib/fixtures.mjs';
import { Client1 } from '../integration/lib/mcp.mjs';
import { Stdio1 } from '../integration/lib/stdio.mjs';
import { Porteiro } from '../integration/lib/porteiro.mjs';
import { run, temporaryDirectory, waitFor } from '../integration/lib/process.mjs';
import { Flow } from '../oauth/flow.mjs';

const bin = name => path.join(import.meta.dirname, 'node_modules/.bin', name);

describe('logging in through other programs', () => {
  let porteiro, flow, ana;
  before(async () => {
    porteiro = await (await Porteiro.create()).serve();
    await porteiro.addUser();
    await porteiro.addConnection(fixtures.sites.new);
    flow = new Flow(porteiro);
    ana = await flow.person();
  });
  after(() => porteiro?.stop());

  test('mcp-remote', { timeout: 120_000 }, async () => {
    const home = temporaryDirectory('mcp-remote');
    const options = {
      command: process.execPath, args: [bin('mcp-remote'), porteiro.url, '--allow-http', '--transport', 'http-only'],
      env: { ...process.env, MCP_REMOTE_CONFIG_DIR: home, HOME: home, BROWSER: 'true' }, stderr: 'pipe',
    };
    const transport = new Stdio1(options);
    const client = new Client1({ name: 'through-mcp-remote', version: '1' });
    let said = '', asked = 0;
    transport.stderr.on('data', async chunk => {
      said += chunk;
      const [address] = said.match(/https?:\/\/\S*code_challenge=\S*/) ?? [];
      if (!address || asked++) return;
      const url = new URL(address);
      const page = await flow.decide(ana, await ana.request('GET', url.pathname + url.search));
      // It says where to go before it listens for the way back.
      await waitFor('mcp-remote to listen', async () => {
        await (await fetch(page.headers.get('location'))).text();
        return true;
      }, 30_000, 200);
    });
    await client.connect(transport, { timeout: 90_000 });
    assert.ok((await client.listTools()).tools.length >= 8, said);
    assert.ok(asked >= 1, 'a person was asked');
    await client.close();

    // The next start has its tokens.
    const again = new Client1({ name: 'through-mcp-remote', version: '1' });
    await again.connect(new Stdio1({ ...options, stderr: 'ignore' }), { timeout: 60_000 });
    assert.ok((await again.listTools()).tools.length >= 8);
    await again.close();
  });

  test('the Inspector sees that it has to log in, and works with an access token', { timeout: 120_000 }, async () => {
    const inspect = args => run(process.execPath, [bin('mcp-inspector'), '--cli', porteiro.url, ...args, '--method', 'tools/list'], { timeout: 60_000 });
    const refused = await inspect([]);
    assert.equal(refused.code, 3, `${refused.stdout}${refused.stderr}`);
    const { access_token } = await flow.login(ana, await flow.dynamic('http://localhost:6274/oauth/callback'), { redirect_uri: 'http://localhost:6274/oauth/callback' });
    const listed = await inspect(['--header', `Authorization: Bearer ${access_token}`]);
    assert.equal(listed.code, 0, listed.stderr);
    assert.ok(JSON.parse(listed.stdout).tools.length >= 8);
  });
});
