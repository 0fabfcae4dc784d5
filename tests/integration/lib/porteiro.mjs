// The program under test: its server, and its commands on the same data.
import fs from 'node:fs';
import path from 'node:path';
import { freePort } from './ports.mjs';
import { createDatabase } from './postgres.mjs';
import { makeCertificate } from './tls.mjs';
import { ROOT, mustRun, run, start, temporaryDirectory, waitFor } from './process.mjs';

export const PROGRAM = process.env.PORTEIRO_BIN ?? path.join(ROOT, 'build/porteiro');
const LOGS = process.env.PORTEIRO_TEST_LOGS ?? path.join(ROOT, 'build/test-logs');

export class Porteiro {
  // database: 'sqlite', or a PostgreSQL port, where it gets a database of its own.
  // secure: with TLS, and a certificate of its own.
  static async create({ database = 'sqlite', egress = '127.0.0.0/8', secure = false, env = {} } = {}) {
    const self = new Porteiro();
    self.dir = temporaryDirectory('data');
    self.port = await freePort();
    self.origin = `${secure ? 'https' : 'http'}://127.0.0.1:${self.port}`;
    if (secure) {
      process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'; // fetch() takes no certificate of ours
      self.certificate = await makeCertificate(self.dir);
    }
    self.url = `${self.origin}/mcp`;
    self.database = database === 'sqlite' ? null : await createDatabase(database);
    self.log = path.join(LOGS, `porteiro-${process.pid}-${self.port}.log`);
    fs.mkdirSync(LOGS, { recursive: true });
    self.env = {
      PATH: process.env.PATH,
      HOME: self.dir,
      LC_ALL: 'C.UTF-8',
      PORTEIRO_DATA_DIR: self.dir,
      PORTEIRO_LISTEN: `127.0.0.1:${self.port}`,
      PORTEIRO_PUBLIC_URL: self.origin,
      // Tests call faster than people do; those about the limits set their own.
      PORTEIRO_TOKEN_CALLS_PER_MINUTE: '0',
      PORTEIRO_TOKEN_WRITES_PER_MINUTE: '0',
      PORTEIRO_TOKEN_CALLS_AT_ONCE: '0',
      PORTEIRO_USER_CALLS_PER_MINUTE: '0',
      ...(secure && { PORTEIRO_TLS_CERT: self.certificate.cert, PORTEIRO_TLS_KEY: self.certificate.key }),
      ...(egress && { PORTEIRO_EGRESS_ALLOW: egress }),
      ...(self.database && { DATABASE_URL: self.database.url }),
      ...(process.env.ASAN_OPTIONS && { ASAN_OPTIONS: process.env.ASAN_OPTIONS }),
      ...(process.env.UBSAN_OPTIONS && { UBSAN_OPTIONS: process.env.UBSAN_OPTIONS }),
      ...(process.env.PORTEIRO_SANDBOX && { PORTEIRO_SANDBOX: process.env.PORTEIRO_SANDBOX }), // ./dev coverage
      ...env,
    };
    return self;
  }

  async serve() {
    this.server = start(PROGRAM, ['serve'], { env: this.env, cwd: this.dir, log: this.log });
    await waitFor('porteiro to be ready', async () => {
      if (!this.server.running) throw new Error(`it ended:\n${this.logTail()}`);
      return (await fetch(`${this.origin}/readyz`)).status === 200;
    });
    return this;
  }

  logTail(lines = 30) {
    return fs.existsSync(this.log) ? fs.readFileSync(this.log, 'utf8').split('\n').slice(-lines).join('\n') : '';
  }

  // Ends the server; a crash, a sanitizer's report or a refusal to end is an error here.
  async stop() {
    if (!this.server) return;
    const { code, signal } = await this.server.stop();
    this.server = null;
    if (code !== 0) throw new Error(`porteiro ended with ${code ?? signal}:\n${this.logTail(80)}`);
  }

  // A command: {code, stdout, stderr}. options.stdin is what it reads.
  cli(args, options = {}) {
    return run(PROGRAM, args, { cwd: this.dir, ...options, env: { ...this.env, ...options.env } });
  }

  // A command that must succeed, with --json: its answer.
  async json(args, options = {}) {
    const { stdout } = await mustRun(PROGRAM, [...args, '--json'], { cwd: this.dir, ...options, env: { ...this.env, ...options.env } });
    return JSON.parse(stdout);
  }

  addUser(email = 'ana@example.test', { name = 'Ana', phone = '+5511999990001', password = 'correct horse battery staple' } = {}) {
    return this.json(['user', 'add', '--name', name, '--email', email, '--phone', phone, '--password-stdin'], { stdin: `${password}\n` });
  }

  connectionArgs(site, { user = 'ana@example.test', as = 'editor', name = 'blog', rights, url = site.url } = {}) {
    const args = ['connection', 'add', '--user', user, '--provider', 'wordpress', '--name', name, '--url', url, '--username', as, '--secret-stdin'];
    return rights ? [...args, '--rights', rights] : args;
  }

  // {id, token, last4, ...}
  addConnection(site, options = {}) {
    const secret = options.secret ?? site.users[options.as ?? 'editor'].app_password;
    return this.json(this.connectionArgs(site, options), { stdin: `${secret}\n` });
  }

  addToken(connection, ...args) {
    return this.json(['token', 'add', '--connection', String(connection), ...args]);
  }
}
