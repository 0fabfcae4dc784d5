// MCP by hand, for what the official clients never send; and the official clients themselves.
import { Client as Client2, StreamableHTTPClientTransport as Transport2, UnauthorizedError } from '@modelcontextprotocol/client';
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as Transport1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';

export { Client1, Client2, ElicitRequestSchema, Transport1, Transport2, UnauthorizedError };
export const MODERN = '2026-07-28';
export const LEGACY = '2025-11-25';
const ME = { name: 'porteiro-tests', version: '1' };

// One POST: {status, headers, text, json}. body may be a string, a Buffer, or a value that becomes JSON.
export async function post(url, token, body, headers = {}) {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      Accept: 'application/json, text/event-stream',
      ...(token && { Authorization: `Bearer ${token}` }),
      ...headers,
    },
    body: typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body),
  });
  const text = await response.text();
  let json;
  try {
    // What takes more than 15 s comes as a stream: comments that keep the line open, then the answer.
    json = JSON.parse(/^text\/event-stream/.test(response.headers.get('content-type')) ? text.match(/^data: (.*)$/gm)?.at(-1).slice(6) : text);
  } catch {}
  return { status: response.status, headers: response.headers, text, json };
}

let nextId = 1;
export const request = (method, params) => ({ jsonrpc: '2.0', id: nextId++, method, ...(params && { params }) });

export const legacy = (url, token, method, params, headers) =>
  post(url, token, request(method, params), { 'MCP-Protocol-Version': LEGACY, ...headers });

export const envelope = (extra = {}) => ({
  'io.modelcontextprotocol/protocolVersion': MODERN,
  'io.modelcontextprotocol/clientCapabilities': {},
  'io.modelcontextprotocol/clientInfo': ME,
  ...extra,
});

export function modern(url, token, method, params = {}, headers = {}) {
  const name = params.name ?? params.uri;
  return post(url, token, request(method, { ...params, _meta: { ...envelope(), ...params._meta } }), {
    'MCP-Protocol-Version': MODERN,
    'Mcp-Method': method,
    ...(name && { 'Mcp-Name': name }),
    ...headers,
  });
}

// A tool's answer as text, by one legacy call: {isError, text}. A JSON-RPC error is thrown.
export async function callTool(url, token, name, args = {}) {
  const { status, json, text } = await legacy(url, token, 'tools/call', { name, arguments: args });
  if (!json?.result) throw Object.assign(new Error(`tools/call ${name}: ${status} ${text}`), { status, rpc: json?.error });
  return { isError: json.result.isError === true, text: json.result.content.map(part => part.text).join('\n') };
}

export async function connectSdk1(url, token) {
  const client = new Client1(ME, { capabilities: {} });
  await client.connect(new Transport1(new URL(url), { requestInit: { headers: { Authorization: `Bearer ${token}` } } }));
  return client;
}

// mode: 'auto', 'legacy', or {pin: '2026-07-28'}
export async function connectClient2(url, token, mode) {
  const client = new Client2(ME, { capabilities: {}, versionNegotiation: { mode } });
  await client.connect(new Transport2(new URL(url), { requestInit: { headers: { Authorization: `Bearer ${token}` } } }));
  return client;
}
