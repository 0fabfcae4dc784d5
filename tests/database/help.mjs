// What the database tests share: databases, the program that migrates, and the real drizzle-kit of both lines.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { createClient } from '@libsql/client';
import { fixtures } from '../integration/lib/fixtures.mjs';
import { createDatabase, query } from '../integration/lib/postgres.mjs';
import { ROOT, mustRun, run, temporaryDirectory } from '../integration/lib/process.mjs';

// store-migrate_test migrate URL: migrate_apply() and nothing else.
const [PROGRAM, ...PROGRAM_ARGUMENTS] = (process.env.PORTEIRO_MIGRATE ?? path.join(ROOT, 'build/asan/store-migrate_test') + ' migrate').split(' ');

export const MIGRATIONS = path.join(ROOT, 'db/migrations');
export const journal = engine => JSON.parse(fs.readFileSync(path.join(MIGRATIONS, engine, 'meta/_journal.json'), 'utf8')).entries;
export const program = url => [PROGRAM, [...PROGRAM_ARGUMENTS, url]];
export const migrate = async url => (await mustRun(...program(url))).stdout.trim();
export const tryMigrate = url => run(...program(url));

export class Postgres {
  engine = 'postgres';
  dialect = 'postgresql';
  schema = 'schema.ts';
  static async create() {
    const self = new Postgres();
    ({ name: self.name, url: self.url } = await createDatabase(fixtures.postgres.port));
    self.kitUrl = self.url;
    return self;
  }
  exec(sql) {
    return mustRun('psql', ['-qX', '-v', 'ON_ERROR_STOP=1', this.url, '-c', sql]);
  }
  rows(sql) {
    return query(this.url, sql);
  }
  history() {
    return this.rows('SELECT * FROM drizzle.__drizzle_migrations ORDER BY created_at');
  }
  async tables() {
    return (await this.rows("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'")).map(r => r.relname).sort();
  }
  // Everything, as text; newer pg_dump adds a random \restrict line.
  async dump(...options) {
    const { stdout } = await mustRun('pg_dump', ['-O', '-x', ...options, this.url]);
    return stdout.replaceAll(/^\\.*\n/gm, '');
  }
  async copy() {
    const copy = await Postgres.create();
    const admin = this.url.replace(/\/[^/]*$/, '/postgres');
    await mustRun('psql', ['-qX', admin, '-c', `DROP DATABASE ${copy.name}`, '-c', `CREATE DATABASE ${copy.name} TEMPLATE ${this.name}`]);
    return copy;
  }
}

export class Sqlite {
  engine = 'sqlite';
  dialect = 'sqlite';
  schema = 'schema.sqlite.ts';
  static async create() {
    const self = new Sqlite();
    self.file = path.join(temporaryDirectory('sqlite'), 'test.db');
    self.url = `sqlite:${self.file}`;
    self.kitUrl = `file:${self.file}`;
    return self;
  }
  async rows(sql) {
    const client = createClient({ url: this.kitUrl });
    try {
      const { rows, columns } = await client.execute(sql);
      return rows.map(row => Object.fromEntries(columns.map(c => [c, row[c]])));
    } finally {
      client.close();
    }
  }
  async exec(sql) {
    const client = createClient({ url: this.kitUrl });
    await client.executeMultiple(sql);
    client.close();
  }
  async history() {
    const there = await this.rows("SELECT 1 FROM sqlite_schema WHERE name = '__drizzle_migrations'");
    return there.length ? this.rows('SELECT * FROM __drizzle_migrations ORDER BY created_at') : [];
  }
  async tables() {
    return (await this.rows("SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 'mcp%'")).map(r => r.name).sort();
  }
  async dump() {
    return JSON.stringify(await this.rows('SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY name')) + JSON.stringify(await this.history());
  }
  async copy() {
    const copy = await Sqlite.create();
    fs.copyFileSync(this.file, copy.file); // the program has closed it, so the WAL is folded in
    return copy;
  }
}

// The folders whose node_modules hold the two lines of drizzle-kit: both bring a drizzle-orm of the same name.
const LINES = { drizzle0: 'database', drizzle1: 'drizzle1' };

// A drizzle-kit with a copy of the schema and the migrations; `entries`: only so many of them.
export class Kit {
  constructor(line, database, { entries = Infinity } = {}) {
    this.home = path.join(ROOT, 'tests', LINES[line]);
    this.work = fs.mkdtempSync(path.join(this.home, '.work-'));
    process.on('exit', () => fs.rmSync(this.work, { recursive: true, force: true }));
    this.database = database;
    this.out = path.join(this.work, 'migrations');
    fs.cpSync(path.join(MIGRATIONS, database.engine), this.out, { recursive: true });
    fs.copyFileSync(path.join(ROOT, 'db', database.schema), path.join(this.work, 'schema.ts'));
    this.#config('kit.config.ts', 'migrations');
    this.#config('pull.config.ts', 'pulled');
    const file = path.join(this.out, 'meta/_journal.json');
    const all = JSON.parse(fs.readFileSync(file, 'utf8'));
    fs.writeFileSync(file, JSON.stringify({ ...all, entries: all.entries.slice(0, entries) }));
  }

  #config(name, out) {
    const config = {
      dialect: this.database.dialect,
      schema: path.join(this.work, 'schema.ts'),
      out: path.relative(this.home, path.join(this.work, out)),
      dbCredentials: { url: this.database.kitUrl },
      ...(this.database.dialect === 'postgresql' && { schemaFilter: ['public'] }),
    };
    fs.writeFileSync(path.join(this.work, name), `export default ${JSON.stringify(config)};\n`);
  }

  // What it printed; both lines sometimes exit with 0 after an error, so callers look for the words of success.
  async run(verb, ...args) {
    const config = path.relative(this.home, path.join(this.work, verb === 'pull' ? 'pull.config.ts' : 'kit.config.ts'));
    const result = await run(process.execPath, [path.join(this.home, 'node_modules/drizzle-kit/bin.cjs'), verb, `--config=${config}`, ...args], {
      cwd: this.home,
      env: { ...process.env, NO_COLOR: '1' },
      timeout: 120_000,
    });
    assert.equal(result.code, 0, `drizzle-kit ${verb}: ${result.stdout}${result.stderr}`);
    return result.stdout + result.stderr;
  }
}
