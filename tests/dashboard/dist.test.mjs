// The built dashboard: what is checked in is what its sources make, small enough, without anything inline; and its two languages
// say the same things.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { ROOT, mustRun, temporaryDirectory } from '../integration/lib/process.mjs';

const DASHBOARD = path.join(ROOT, 'dashboard');
const DIST = path.join(DASHBOARD, 'dist');
const KIB = 1024;

const filesOf = dir => fs.readdirSync(dir, { recursive: true }).filter(name => fs.statSync(path.join(dir, name)).isFile()).sort();
const gzipSize = name => fs.statSync(path.join(DIST, `${name}.gz`)).size;
const read = name => fs.readFileSync(path.join(DIST, name), 'utf8');
const scripts = filesOf(DIST).filter(name => name.endsWith('.js'));

// What a script imports at once ("static") and later by import() ("lazy").
function importsOf(name) {
  const text = read(name);
  const at = pattern => [...text.matchAll(pattern)].map(([, file]) => `assets/${file}`);
  return { now: at(/(?:from|import)\s*["'`]\.\/([\w.-]+\.js)["'`]/g), later: at(/import\(["'`]\.\/([\w.-]+\.js)["'`]\)/g) };
}
function withImports(name, seen = new Set()) {
  if (seen.has(name)) return seen;
  seen.add(name);
  for (const inner of importsOf(name).now) withImports(inner, seen);
  return seen;
}
const entry = read('index.html').match(/src="\/(assets\/[^"]+\.js)"/)[1];
const languages = scripts.filter(name => /\/(en|pt)-/.test(name));

describe('the built dashboard', () => {
  test('is what its sources make, byte for byte', { timeout: 120_000 }, async () => {
    assert.ok(fs.existsSync(path.join(DASHBOARD, 'node_modules')), 'run: npm ci --prefix dashboard');
    assert.equal(process.versions.node.split('.')[0], '22', 'it is built with Node 22');
    const made = path.join(temporaryDirectory('dashboard'), 'dist');
    await mustRun(process.execPath, ['node_modules/vite/bin/vite.js', 'build', '--outDir', made, '--logLevel', 'error'], { cwd: DASHBOARD, timeout: 100_000 });
    await mustRun(process.execPath, ['compress.mjs', made], { cwd: DASHBOARD });
    assert.deepEqual(filesOf(DIST), filesOf(made), 'run: npm --prefix dashboard run build');
    for (const name of filesOf(made)) assert.ok(fs.readFileSync(path.join(DIST, name)).equals(fs.readFileSync(path.join(made, name))), `${name}: run: npm --prefix dashboard run build`);
  });

  test('its sources fit their types', { timeout: 120_000 }, async () => {
    await mustRun(process.execPath, ['node_modules/typescript/bin/tsc', '--noEmit'], { cwd: DASHBOARD, timeout: 100_000 });
  });

  test('is small: 30 KiB of scripts and 8 KiB of style at first, 45 KiB in all, 12 KiB for each further screen', () => {
    const first = withImports(entry);
    for (const language of languages) {
      const js = [...first, language].reduce((sum, name) => sum + gzipSize(name), 0);
      const css = filesOf(DIST).filter(name => name.endsWith('.css')).reduce((sum, name) => sum + gzipSize(name), 0);
      const icon = filesOf(DIST).filter(name => name.endsWith('.svg')).reduce((sum, name) => sum + gzipSize(name), 0);
      console.log(`${language}: ${js} bytes of scripts, ${css} of style, ${js + css + icon + gzipSize('index.html')} in all`);
      assert.ok(js <= 30 * KIB, `${js} bytes of scripts with ${language}`);
      assert.ok(css <= 8 * KIB, `${css} bytes of style`);
      assert.ok(js + css + icon + gzipSize('index.html') <= 45 * KIB);
    }
    const screens = importsOf(entry).later.concat(...[...first].map(name => importsOf(name).later));
    assert.ok(screens.length >= 6, `${screens}`);
    for (const screen of new Set(screens)) {
      const own = [...withImports(screen)].filter(name => !first.has(name)).reduce((sum, name) => sum + gzipSize(name), 0);
      assert.ok(own <= 12 * KIB, `${screen}: ${own} bytes`);
    }
  });

  test('holds nothing inline and nothing foreign', () => {
    const html = read('index.html');
    assert.doesNotMatch(html, /<style|\sstyle=|\son\w+=|javascript:/i);
    for (const [, attributes, body] of html.matchAll(/<script([^>]*)>([^]*?)<\/script>/g)) {
      assert.match(attributes, /src="\/assets\//);
      assert.equal(body, '');
    }
    for (const [address] of html.matchAll(/(?:src|href)="[^"]*"/g)) assert.match(address, /="\/assets\/[\w.-]+-[\w-]{8}\.\w+"/);
    for (const name of scripts) assert.doesNotMatch(read(name), /\beval\(|new Function\(|document\.write|insertAdjacentHTML/, name);
    for (const name of filesOf(DASHBOARD).filter(name => /^src\/.*\.tsx?$/.test(name))) {
      const source = fs.readFileSync(path.join(DASHBOARD, name), 'utf8');
      assert.doesNotMatch(source, /dangerouslySetInnerHTML|innerHTML|\sstyle=/, name);
      assert.doesNotMatch(source.replaceAll('check.not_wordpress', ''), /wordpress|whatsapp/i, `${name}: no provider is known by name`);
    }
  });
});

describe('what the pages of the clients say', async () => {
  const { clientsFor, slug } = await import(path.join(DASHBOARD, 'src/lib/clients.ts'));
  const url = 'https://mcp.example.com/mcp', token = 'prt_pat_secret';
  const clients = clientsFor({ url, name: slug('Café da Ana'), title: 'Café da Ana', token });
  const parts = key => clients.find(client => client.key === key).ways.flatMap(way => way.parts);
  const link = key => parts(key).find(part => part.kind === 'link').href;
  const copied = key => parts(key).filter(part => part.kind === 'copy').map(part => part.text);
  const query = href => Object.fromEntries(new URL(href).searchParams);
  const decoded = text => JSON.parse(Buffer.from(text, 'base64').toString());

  test('links open the client with the address, in the form it documents, and hold no token', () => {
    assert.equal(slug('Café da Ana'), 'cafe-da-ana');
    assert.deepEqual(query(link('claude')), { modal: 'add-custom-connector', connectorName: 'Café da Ana', connectorUrl: url });
    assert.match(link('cursor'), /^cursor:\/\/anysphere\.cursor-deeplink\/mcp\/install\?/);
    assert.deepEqual([query(link('cursor')).name, decoded(query(link('cursor')).config)], ['cafe-da-ana', { url }]);
    assert.match(link('lmstudio'), /^lmstudio:\/\/add_mcp\?/);
    assert.deepEqual([query(link('lmstudio')).name, decoded(query(link('lmstudio')).config)], ['cafe-da-ana', { url }]);
    assert.deepEqual(JSON.parse(decodeURIComponent(link('vscode').replace(/^vscode:mcp\/install\?/, ''))), { name: 'cafe-da-ana', type: 'http', url });
    for (const { ways } of clients) for (const part of ways.flatMap(way => way.parts)) if (part.kind === 'link') assert.ok(!part.href.includes('prt_pat'), part.href);
  });

  test('files are whole JSON, with the members that each client reads', () => {
    const file = key => copied(key).filter(text => text.startsWith('{')).map(text => JSON.parse(text));
    const headers = { Authorization: `Bearer ${token}` };
    assert.deepEqual(file('cursor'), [{ mcpServers: { 'cafe-da-ana': { url: `${url}/bearer`, headers } } }]);
    assert.deepEqual(file('lmstudio'), [{ mcpServers: { 'cafe-da-ana': { url, headers } } }]);
    assert.deepEqual(file('gemini'), [{ mcpServers: { 'cafe-da-ana': { httpUrl: url, headers } } }]);
    assert.deepEqual(file('windsurf')[0], { mcpServers: { 'cafe-da-ana': { serverUrl: url, headers } } });
    assert.equal(file('vscode')[0].servers['cafe-da-ana'].headers.Authorization, 'Bearer ${input:token}');
    assert.deepEqual(file('stdio'), [{ mcpServers: { 'cafe-da-ana': { command: 'npx', args: ['-y', 'mcp-remote', url, '--header', 'Authorization:${AUTH}'], env: { AUTH: `Bearer ${token}` } } } }]);
    assert.ok(copied('codex').includes(`codex mcp add cafe-da-ana --url ${url}`) && copied('codex').some(text => /bearer_token_env_var = "PORTEIRO_TOKEN"/.test(text)));
    assert.ok(copied('claude-code').includes(`claude mcp add --transport http cafe-da-ana ${url} --header "Authorization: Bearer ${token}"`));
  });
});

describe('the texts of the dashboard', async () => {
  const text = name => import(path.join(DASHBOARD, 'src/i18n', `${name}.ts`)).then(module => module.default);
  const [en, pt] = await Promise.all([text('en'), text('pt')]);
  const placeholders = value => [...new Set(value.match(/\{\w+\}/g) ?? [])].sort();

  test('have the same keys and fill in the same things in both languages', () => {
    assert.deepEqual(Object.keys(pt), Object.keys(en));
    for (const key of Object.keys(en)) {
      assert.deepEqual(placeholders(pt[key]), placeholders(en[key]), key);
      assert.equal(pt[key].split('|').length, en[key].split('|').length, key);
      assert.ok(en[key].trim() && pt[key].trim(), key);
    }
  });

  test('are translated: what is the same in both is so for a reason', () => {
    const same = Object.keys(en).filter(key => en[key] === pt[key] && /[a-z]{3}/i.test(en[key]));
    const allowed = new Set(JSON.parse(fs.readFileSync(path.join(import.meta.dirname, 'same.json'), 'utf8')));
    assert.deepEqual(same.filter(key => !allowed.has(key)), []);
  });

  // What the server says by a code has words in both languages: what is not there would be shown as the code.
  test('every code of the server has its words', () => {
    const sources = fs.globSync('src/**/*.c', { cwd: ROOT }).filter(name => !/_(test|fuzz)\.c$|conformance/.test(name)).map(name => [name, fs.readFileSync(path.join(ROOT, name), 'utf8')]);
    const source = name => sources.find(([file]) => file === name)[1];
    const words = (text, pattern) => [...text.matchAll(pattern)].map(([, word]) => word);
    const errors = words(source('src/call/call.c').match(/error_names\[\][^;]*/)[0], /"([a-z_]+)"/g).filter(word => word !== 'ok');
    const failures = words(sources.map(([, text]) => text).join('\n'), /\[?HTTP_FETCH_\w+\]? = "([a-z_]+)"/g).filter(word => !['ok', 'source'].includes(word));
    const verdicts = words(source('src/providers/wordpress/connect.c'), /verdict\(\s*probe,\s*"([a-z_]+)"/g);
    const actions = sources.flatMap(([, text]) => words(text, /"((?:api_tokens|auth|approvals|approver|audit|connections|tokens|sessions|users|totp|providers|oauth|job|keys|messages)\.[a-z_.]+)"/g)).filter(action => !['messages.upsert', 'messages.update', 'audit.csv', 'audit.jsonl'].includes(action));
    const needed = [
      ...errors.map(code => `error.${code}`), ...errors.map(code => `outcome.${code}`), ...[...failures, ...verdicts].map(code => `check.${code}`), ...actions.map(action => `action.${action}`),
    ];
    assert.ok(errors.length > 10 && failures.length > 10 && verdicts.length > 8 && actions.length > 40, `${errors.length} ${failures.length} ${verdicts.length} ${actions.length}`);
    assert.deepEqual([...new Set(needed)].filter(key => !en[key]), []);
  });

  test('are all used, and no screen holds a text of its own', () => {
    const sources = filesOf(DASHBOARD).filter(name => /^src\/(?!i18n).*\.tsx?$/.test(name)).map(name => [name, fs.readFileSync(path.join(DASHBOARD, name), 'utf8')]);
    const all = sources.map(([, source]) => source).join('\n');
    const prefixes = [...all.matchAll(/[`'"]([a-z][\w.]*\.)\$\{/g), ...all.matchAll(/named\('([\w.]+)'/g), ...all.matchAll(/prefix="([\w.]+)"/g)].map(([, prefix]) => (prefix.endsWith('.') ? prefix : `${prefix}.`)).concat('error.');
    const unused = Object.keys(en).filter(key => !all.includes(`'${key}'`) && !prefixes.some(prefix => key.startsWith(prefix)));
    assert.deepEqual(unused, []);
    for (const [name, source] of sources.filter(([name]) => name.endsWith('.tsx'))) {
      const literal = source.match(/>\s*[A-Z][a-z]+ [a-z]+[^<{]*</);
      assert.equal(literal, null, `${name}: ${literal?.[0]}`);
    }
  });
});
