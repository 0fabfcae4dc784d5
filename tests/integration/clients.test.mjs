// The official clients, of both protocol eras, against both pairs of WordPress and database: list, call, error.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { PAIRS } from './lib/fixtures.mjs';
import { MODERN, connectClient2, connectSdk1 } from './lib/mcp.mjs';
import { Porteiro } from './lib/porteiro.mjs';

const CLIENTS = [
  { name: '@modelcontextprotocol/sdk 1.x', connect: connectSdk1 },
  { name: '@modelcontextprotocol/client 2.x, auto', connect: (url, token) => connectClient2(url, token, 'auto'), era: 'modern' },
  { name: '@modelcontextprotocol/client 2.x, pinned', connect: (url, token) => connectClient2(url, token, { pin: MODERN }), era: 'modern' },
  { name: '@modelcontextprotocol/client 2.x, legacy', connect: (url, token) => connectClient2(url, token, 'legacy'), era: 'legacy' },
];
const TOOLS = ['wp_site', 'wp_find', 'wp_read', 'wp_create', 'wp_edit'];

for (const pair of PAIRS) {
  describe(`clients: ${pair.name}`, () => {
    let porteiro, token;
    before(async () => {
      porteiro = await (await Porteiro.create(pair)).serve();
      await porteiro.addUser();
      ({ token } = await porteiro.addConnection(pair.site));
    });
    after(() => porteiro?.stop());

    for (const { name, connect, era } of CLIENTS) {
      describe(name, () => {
        let client;
        before(async () => {
          client = await connect(porteiro.url, token);
        });
        after(() => client?.close());

        test('connects', () => {
          assert.equal(client.getServerVersion().name, 'porteiro');
          if (era) assert.equal(client.getProtocolEra(), era);
        });

        test('tools/list', async () => {
          const { tools } = await client.listTools();
          const names = tools.map(tool => tool.name);
          for (const tool of TOOLS) assert.ok(names.includes(tool), `${tool} is listed`);
        });

        test('tools/call', async () => {
          const site = await client.callTool({ name: 'wp_site', arguments: {} });
          assert.ok(!site.isError, JSON.stringify(site));
          assert.match(site.content[0].text, /MCP test site/);
          const found = await client.callTool({ name: 'wp_find', arguments: { type: 'book', limit: 3 } });
          assert.ok(!found.isError, JSON.stringify(found));
          assert.match(found.content[0].text, /Book \d+/);
        });

        test('an error of the tool is a result', async () => {
          const result = await client.callTool({ name: 'wp_read', arguments: { id: '99999999' } });
          assert.equal(result.isError, true);
          assert.match(result.content[0].text, /99999999/);
        });

        test('an unknown tool is a protocol error', async () => {
          await assert.rejects(client.callTool({ name: 'no_such_tool', arguments: {} }), error => error.code === -32602);
        });
      });
    }

    test('a wrong token fails to connect', async () => {
      await assert.rejects(connectClient2(porteiro.url, `${token}x`, 'auto'));
      await assert.rejects(connectSdk1(porteiro.url, `${token}x`));
    });
  });
}
