// Raw requests to porteiro, in both eras, and one answer to look at.
import { MODERN, envelope } from '../integration/lib/mcp.mjs';

const LEGACY = '2025-11-25';

function post(server, token, headers, message) {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, ...message });
  return [
    'POST /mcp HTTP/1.1', `Host: 127.0.0.1:${server.port}`, `Authorization: Bearer ${token}`, 'Content-Type: application/json',
    'Accept: application/json, text/event-stream', ...headers, `Content-Length: ${Buffer.byteLength(body)}`, '', body,
  ].join('\r\n');
}

export const legacy = (server, token, method, params) =>
  post(server, token, [`MCP-Protocol-Version: ${LEGACY}`], { method, ...(params && { params }) });

export const initialize = (server, token) =>
  post(server, token, [], {
    method: 'initialize',
    params: { protocolVersion: LEGACY, capabilities: {}, clientInfo: { name: 'bench', version: '1' } },
  });

export const modern = (server, token, method, params = {}) =>
  post(server, token, [`MCP-Protocol-Version: ${MODERN}`, `Mcp-Method: ${method}`], { method, params: { ...params, _meta: envelope() } });

// One request by node, to know the answer's bytes.
export async function answerTo(request, scheme = 'http') {
  const [head, body] = request.split('\r\n\r\n');
  const headers = Object.fromEntries(head.split('\r\n').slice(1).map(line => line.split(': ')).filter(([name]) => !/^(host|content-length)$/i.test(name)));
  const host = /Host: (.*)/.exec(head)[1];
  const response = await fetch(`${scheme}://${host}/mcp`, { method: 'POST', headers, body });
  const text = await response.text();
  const message = JSON.parse(text);
  if (!message.result || message.result.isError) throw new Error(`the server answers ${response.status} ${text.slice(0, 500)}`);
  return text;
}
