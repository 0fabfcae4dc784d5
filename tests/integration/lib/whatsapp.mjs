// Connections to the two services: to the emulators of tests/fakes, or to real ones named by the environment:
//   PORTEIRO_TEST_EVOLUTION_URL, _INSTANCE, _KEY, _TO     PORTEIRO_TEST_CLOUD_TOKEN, _NUMBER_ID, _ACCOUNT_ID, _SECRET, _TO
import fs from 'node:fs';
import path from 'node:path';
import { ACCOUNT, NUMBER, SECRET, TOKEN } from '../../fakes/cloud.mjs';
import { KEY } from '../../fakes/evolution.mjs';
import { legacy } from './mcp.mjs';

export const real = {
  evolution: process.env.PORTEIRO_TEST_EVOLUTION_URL && {
    url: process.env.PORTEIRO_TEST_EVOLUTION_URL, instance: process.env.PORTEIRO_TEST_EVOLUTION_INSTANCE,
    key: process.env.PORTEIRO_TEST_EVOLUTION_KEY, to: process.env.PORTEIRO_TEST_EVOLUTION_TO,
  },
  cloud: process.env.PORTEIRO_TEST_CLOUD_TOKEN && {
    token: process.env.PORTEIRO_TEST_CLOUD_TOKEN, number: process.env.PORTEIRO_TEST_CLOUD_NUMBER_ID,
    account: process.env.PORTEIRO_TEST_CLOUD_ACCOUNT_ID, secret: process.env.PORTEIRO_TEST_CLOUD_SECRET, to: process.env.PORTEIRO_TEST_CLOUD_TO,
  },
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
