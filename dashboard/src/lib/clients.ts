// How each AI client is told of this server. A link never holds a token (histories and chats keep links): where a client takes
// a token, it is in a line or file to be pasted; links leave the login to the client.
import type { Key } from './i18n';

export type Part =
  | { kind: 'say'; text: Key; values?: Record<string, string> }
  | { kind: 'link'; href: string; label: Key }
  | { kind: 'copy'; text: string; label: Key; holdsToken?: boolean };
export interface Way { auth: 'login' | 'token'; parts: Part[] }
export interface Client { key: string; name: string; ways: Way[] }
export interface Target { url: string; name: string; title: string; token: string }

const base64 = (text: string) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));
const json = (value: unknown) => JSON.stringify(value, null, 2);
const encoded = encodeURIComponent;

// "Café da Ana" -> "cafe-da-ana": a name that every client takes.
export const slug = (name: string) =>
  name.normalize('NFKD').replace(/[\u0300-\u036f]/g, '').toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '').slice(0, 30).replace(/-+$/, '') || 'site';

const say = (text: Key, values?: Record<string, string>): Part => ({ kind: 'say', text, values });
const link = (href: string, label: Key): Part => ({ kind: 'link', href, label });
const copy = (text: string, label: Key, holdsToken?: boolean): Part => ({ kind: 'copy', text, label, holdsToken });

export function clientsFor({ url, name, title, token }: Target): Client[] {
  const bearer = `Bearer ${token}`;
  const headers = { Authorization: bearer };
  const config = { name, type: 'http', url };
  const plain = encoded(base64(JSON.stringify({ url })));
  return [
    {
      key: 'claude', name: 'Claude', ways: [{ auth: 'login', parts: [
        say('client.public'),
        link(`https://claude.ai/customize/connectors?modal=add-custom-connector&connectorName=${encoded(title)}&connectorUrl=${encoded(url)}`, 'client.open'),
        say('client.claude.hand'), copy(url, 'client.address'), say('client.login'),
      ] }],
    },
    {
      key: 'claude-code', name: 'Claude Code', ways: [
        { auth: 'token', parts: [copy(`claude mcp add --transport http ${name} ${url} --header "Authorization: ${bearer}"`, 'client.line', true), say('client.scope', { flag: '--scope user' })] },
        { auth: 'login', parts: [copy(`claude mcp add --transport http ${name} ${url}`, 'client.line'), copy(`claude mcp login ${name}`, 'client.login.line')] },
        { auth: 'token', parts: [say('client.file', { file: '.mcp.json' }), copy(json({ mcpServers: { [name]: { type: 'http', url, headers: { Authorization: 'Bearer ${PORTEIRO_TOKEN}' } } } }), 'client.json'), say('client.variable'), copy(`export PORTEIRO_TOKEN='${token}'`, 'client.line', true)] },
      ],
    },
    {
      key: 'chatgpt', name: 'ChatGPT', ways: [{ auth: 'login', parts: [
        say('client.public'), say('client.chatgpt.1'), say('client.chatgpt.2'), copy(title, 'client.name'), copy(url, 'client.address'), say('client.chatgpt.3'), say('client.login'),
      ] }],
    },
    {
      key: 'cursor', name: 'Cursor', ways: [
        { auth: 'login', parts: [link(`cursor://anysphere.cursor-deeplink/mcp/install?name=${encoded(name)}&config=${plain}`, 'client.open'), say('client.login')] },
        { auth: 'token', parts: [say('client.file', { file: '~/.cursor/mcp.json' }), copy(json({ mcpServers: { [name]: { url: `${url}/bearer`, headers } } }), 'client.json', true)] }, // at an address that offers a login it is said to leave the header out
      ],
    },
    {
      key: 'vscode', name: 'VS Code', ways: [
        { auth: 'login', parts: [link(`vscode:mcp/install?${encoded(JSON.stringify(config))}`, 'client.open'), copy(`code --add-mcp '${JSON.stringify(config)}'`, 'client.line'), say('client.login')] },
        { auth: 'token', parts: [say('client.file', { file: '.vscode/mcp.json' }), copy(json({
          servers: { [name]: { type: 'http', url, headers: { Authorization: 'Bearer ${input:token}' } } },
          inputs: [{ type: 'promptString', id: 'token', description: 'Token', password: true }],
        }), 'client.json'), say('client.asks'), copy(token, 'client.token', true)] },
      ],
    },
    {
      key: 'codex', name: 'Codex', ways: [
        { auth: 'login', parts: [copy(`codex mcp add ${name} --url ${url}`, 'client.line'), copy(`codex mcp login ${name}`, 'client.login.line')] },
        { auth: 'token', parts: [say('client.file', { file: '~/.codex/config.toml' }), copy(`[mcp_servers.${name}]\nurl = "${url}"\nbearer_token_env_var = "PORTEIRO_TOKEN"`, 'client.toml'), say('client.variable'), copy(`export PORTEIRO_TOKEN='${token}'`, 'client.line', true)] },
      ],
    },
    {
      key: 'gemini', name: 'Gemini CLI', ways: [
        { auth: 'token', parts: [copy(`gemini mcp add --transport http ${name} ${url} --header "Authorization: ${bearer}"`, 'client.line', true), say('client.scope', { flag: '-s user' })] },
        { auth: 'token', parts: [say('client.file', { file: '~/.gemini/settings.json' }), copy(json({ mcpServers: { [name]: { httpUrl: url, headers } } }), 'client.json', true)] },
        { auth: 'login', parts: [copy(`gemini mcp add --transport http ${name} ${url}`, 'client.line'), copy(`/mcp auth ${name}`, 'client.login.line')] },
      ],
    },
    {
      key: 'windsurf', name: 'Windsurf', ways: [
        { auth: 'token', parts: [say('client.file', { file: '~/.codeium/windsurf/mcp_config.json' }), copy(json({ mcpServers: { [name]: { serverUrl: url, headers } } }), 'client.json', true)] },
        { auth: 'login', parts: [say('client.file', { file: '~/.codeium/windsurf/mcp_config.json' }), copy(json({ mcpServers: { [name]: { serverUrl: url } } }), 'client.json'), say('client.login')] },
      ],
    },
    {
      key: 'n8n', name: 'n8n', ways: [{ auth: 'token', parts: [
        say('client.n8n.1'), say('client.n8n.2'), copy(url, 'client.address'), say('client.n8n.3'), copy(token, 'client.token', true),
      ] }],
    },
    {
      key: 'lmstudio', name: 'LM Studio', ways: [{ auth: 'token', parts: [
        link(`lmstudio://add_mcp?name=${encoded(name)}&config=${plain}`, 'client.open'),
        say('client.file', { file: 'mcp.json' }), copy(json({ mcpServers: { [name]: { url, headers } } }), 'client.json', true),
      ] }],
    },
    {
      key: 'stdio', name: 'stdio', ways: [{ auth: 'token', parts: [
        say('client.stdio'), copy(`npx -y mcp-remote ${url} --header "Authorization: ${bearer}"`, 'client.line', true),
        copy(json({ mcpServers: { [name]: { command: 'npx', args: ['-y', 'mcp-remote', url, '--header', 'Authorization:${AUTH}'], env: { AUTH: bearer } } } }), 'client.json', true),
      ] }],
    },
    {
      key: 'other', name: '', ways: [{ auth: 'token', parts: [
        say('client.other'), copy(url, 'client.address'), copy(`Authorization: ${bearer}`, 'client.header', true),
        copy(`curl ${url} -H "Authorization: ${bearer}" -H "Content-Type: application/json" -H "Accept: application/json, text/event-stream" -d '{"jsonrpc":"2.0","id":1,"method":"tools/list"}'`, 'client.try', true),
      ] }],
    },
  ];
}
