// node demo.mjs URL TOKEN: what an AI client does first, by the official client: tools/list and one tools/call.
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';

const [url, token] = process.argv.slice(2);
const client = new Client({ name: 'porteiro-demo', version: '1.0.0' }, { versionNegotiation: { mode: 'auto' } });
const headers = { Authorization: `Bearer ${token}` };
await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }));

const { tools } = await client.listTools();
console.log(`\n> tools/list   (${client.getProtocolEra()} protocol)\n`);
for (const tool of tools) console.log(`  ${tool.name.padEnd(12)} ${tool.description.split('. ')[0]}.`);

const args = { type: 'post', limit: 5 };
const result = await client.callTool({ name: 'wp_find', arguments: args });
console.log(`\n> tools/call   wp_find ${JSON.stringify(args)}\n`);
for (const part of result.content) console.log(part.text.replace(/^/gm, '  '));
await client.close();
process.exit(result.isError ? 1 : 0);
