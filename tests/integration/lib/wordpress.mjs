// Real WordPress sites for tests (tests/wordpress), and a look into them that does not pass through porteiro.
import path from 'node:path';
import { freePort } from './ports.mjs';
import { ROOT, atExit, mustRun, temporaryDirectory } from './process.mjs';
import { openSqlite } from './sqlite.mjs';

const script = name => path.join(ROOT, 'tests/wordpress', name);

export async function startWordPress(wp, { posts = 100, workers = 4 } = {}) {
  const dir = temporaryDirectory(`wordpress-${wp}`);
  const port = await freePort();
  const stopped = atExit(script('wp-down.sh'), [dir]);
  const { stdout } = await mustRun(script('wp-up.sh'), [String(port), dir, '--wp', wp, '--posts', String(posts), '--workers', String(workers)], { timeout: 180_000 });
  const state = JSON.parse(stdout.trim().split('\n').at(-1));
  const stop = async () => {
    await mustRun(script('wp-down.sh'), [dir]);
    stopped();
  };
  return { ...state, wp, stop };
}

// WordPress' own REST API as one of its users; the answer's JSON. For preparing and for checking from the other side.
export async function rest(site, route, { user = 'admin', method = 'GET', body } = {}) {
  const { app_password } = site.users[user];
  const response = await fetch(`${site.url}/?rest_route=${route.replace('?', '&')}`, {
    method,
    headers: { Authorization: `Basic ${btoa(`${user}:${app_password}`)}`, 'Content-Type': 'application/json' },
    body: body && JSON.stringify(body),
  });
  const json = await response.json();
  if (!response.ok) throw new Error(`${method} ${route}: ${response.status} ${JSON.stringify(json)}`);
  return json;
}

// Every row of every table, as text, by table: two of these show what changed.
export function dump(site) {
  const file = path.join(site.dir, 'www/wp-content/database/.ht.sqlite');
  const db = openSqlite(file, { readOnly: true });
  const tables = {};
  for (const { name } of db.prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").all()) {
    tables[name] = db.prepare(`SELECT * FROM "${name}"`).all().map(row => JSON.stringify(row)).sort();
  }
  db.close();
  return tables;
}
