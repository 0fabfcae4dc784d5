// Client ID metadata documents on a TLS server of the tests: {url(name), ca, stop}. `documents`: name to what is answered, a value
// that becomes JSON with its own address as client_id, or a function (request, response, address).
import { startFakeSite } from '../integration/lib/fake-site.mjs';
import { REDIRECT } from './flow.mjs';

export const describeApp = (address, more = {}) => ({
  client_id: address, client_name: 'Documented app', redirect_uris: [REDIRECT, 'http://127.0.0.1/callback'], token_endpoint_auth_method: 'none', ...more,
});

export async function startDocuments(documents = {}) {
  const server = await startFakeSite(null, { tls: true });
  const url = name => `${server.url}/${name}`;
  server.answer = (request, response) => {
    const name = request.url.slice(1);
    const found = documents[name];
    if (found === undefined) return response.writeHead(404).end();
    if (typeof found === 'function') return found(request, response, url(name));
    response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(describeApp(url(name), found)));
  };
  return { url, ca: server.ca, requests: server.requests, documents, stop: server.stop };
}
