// Connections to the two services: to the emulators of tests/fakes, or to real ones named by the environment (docs/whatsapp.md has the
// variables: PORTEIRO_TEST_EVOLUTION_*, PORTEIRO_TEST_CLOUD_*).
import fs from 'node:fs';
import path from 'node:path';
import { ACCOUNT, NUMBER, SECRET, TOKEN } from '../../fakes/cloud.mjs';
import { KEY } from '../../fakes/evolution.mjs';
import { legacy } from './mcp.mjs';

const named = (service, first, words) =>
  process.env[`PORTEIRO_TEST_${service}_${first}`] && Object.fromEntries(Object.entries(words).map(([key, word]) => [key, process.env[`PORTEIRO_TEST_${service}_${word}`]]));
const people = { to: 'TO', nobody: 'NOBODY', heard: 'HEARD' };
export const real = {
  evolution: named('EVOLUTION', 'URL', { url: 'URL', instance: 'INSTANCE', key: 'KEY', ...people }),
  cloud: named('CLOUD', 'TOKEN', { token: 'TOKEN', number: 'NUMBER_ID', account: 'ACCOUNT_ID', secret: 'SECRET', ...people }),
};

export const EVERYTHING = 'read,draft,publish,delete,admin';
let made = 0;

const add = (porteiro, args, { name, rights = EVERYTHING, confirm, user = 'ana@example.test', rules = {}, stdin }) =>
  porteiro.json([
    'connection', 'add', '--user', user, '--provider', 'whatsapp', '--name', name ?? `number ${++made}`, '--rights', rights,
    ...(confirm ? ['--confirm', confirm] : []), ...Object.entries(rules).flatMap(([key, value]) => [`--${key}`, String(value)]), ...args, '--secret-stdin',
  ], { stdin });

// {id, token, ...}
export const addEvolution = (porteiro, service, options = {}) =>
  add(porteiro, ['--backend', 'evolution', '--url', service.url, '--instance', service.instance ?? 'loja'], { ...options, stdin: `${options.key ?? service.key ?? KEY}\n` });

export function addCloud(porteiro, service, options = {}) {
  const secret = path.join(porteiro.dir, `app-secret-${++made}`);
  fs.writeFileSync(secret, options.secret ?? SECRET, { mode: 0o600 });
  return add(porteiro, ['--backend', 'cloud', ...(service.url ? ['--url', service.url] : []), '--phone-number-id', service.number ?? NUMBER, '--business-account-id', service.account ?? ACCOUNT, '--app-secret-file', secret], { ...options, stdin: `${options.token ?? service.token ?? TOKEN}\n` });
}

// {text, isError}
export async function tool(porteiro, token, name, args = {}) {
  const { json, text } = await legacy(porteiro.url, token, 'tools/call', { name, arguments: args });
  if (!json?.result) throw new Error(`${name} ${JSON.stringify(args)}: ${text}`);
  return { text: json.result.content.map(part => part.text ?? '').join(''), isError: json.result.isError === true };
}

// With the code that the first call gives, when it gives one.
export async function confirmed(porteiro, token, name, args) {
  const first = await tool(porteiro, token, name, args);
  const code = /confirm_code "([^"]+)"/.exec(first.text)?.[1];
  return code ? { ...(await tool(porteiro, token, name, { ...args, confirm_code: code })), what: first.text } : first;
}

// One delivery of a webhook, as Meta or Evolution would make it: the answer's status.
export async function deliver(porteiro, connection, body, { headers = {}, method = 'POST', query = '', raw = JSON.stringify(body) } = {}) {
  const response = await fetch(`${porteiro.origin}/hooks/whatsapp/${connection}${query}`, { method, body: method === 'GET' ? undefined : raw, headers: { 'Content-Type': 'application/json', ...headers } });
  return { status: response.status, text: await response.text() };
}
