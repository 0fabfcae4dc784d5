// The official suite has no option for a token. Loaded before it (node --require), this adds the header to its requests
// to the server under test, through Node's own diagnostics channels: nothing of the suite is changed.
const channel = require('node:diagnostics_channel');

const { MCP_BEARER, MCP_ORIGIN } = process.env;
const value = `Bearer ${MCP_BEARER}`;

channel.subscribe('undici:request:create', ({ request }) => {
  if (String(request.origin) !== MCP_ORIGIN) return;
  const headers = Array.isArray(request.headers) ? request.headers.join('\n') : String(request.headers ?? '');
  if (!/^authorization\b/im.test(headers)) request.addHeader('authorization', value);
});
channel.subscribe('http.client.request.created', ({ request }) => {
  if (`http://${request.getHeader('host')}` !== MCP_ORIGIN && request.host !== new URL(MCP_ORIGIN).hostname) return;
  if (!request.hasHeader('authorization')) request.setHeader('authorization', value);
});
