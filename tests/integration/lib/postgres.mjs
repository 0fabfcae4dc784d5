// A PostgreSQL 15 cluster of one's own in a temporary directory, on 127.0.0.1; a database for each server under test.
import { chmodSync, chownSync } from 'node:fs';
import path from 'node:path';
import { freePort } from './ports.mjs';
import { atExit, mustRun, temporaryDirectory } from './process.mjs';

const BIN = '/usr/lib/postgresql/15/bin';

// PostgreSQL refuses to run as root.
const asPostgres = (command, args) =>
  process.getuid() === 0 ? ['runuser', ['-u', 'postgres', '--', command, ...args]] : [command, args];

export async function startPostgres() {
  const dir = temporaryDirectory('postgres');
  const port = await freePort();
  if (process.getuid() === 0) {
    const id = await mustRun('id', ['-u', 'postgres']);
    chownSync(dir, Number(id.stdout), 0);
  }
  chmodSync(dir, 0o700);
  const data = path.join(dir, 'data');
  await mustRun(...asPostgres(`${BIN}/initdb`, ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-sync', '--locale=C.UTF-8']), { cwd: '/' });
  // Through pg_ctl, for runuser would not hand on a signal; fsync off, for nothing here must survive a power cut.
  const options = `-p ${port} -k ${dir} -c listen_addresses=127.0.0.1 -c fsync=off -c full_page_writes=off -c max_connections=200`;
  const start = () => mustRun(...asPostgres(`${BIN}/pg_ctl`, ['-D', data, '-w', '-l', path.join(dir, 'log'), '-o', options, 'start']), { cwd: '/' });
  const stop = asPostgres(`${BIN}/pg_ctl`, ['-D', data, '-m', 'immediate', '-w', 'stop']);
  const stopped = atExit(...stop, { cwd: '/' });
  await start();
  return {
    port,
    data,
    start, // again, after its postmaster was killed
    stop: async () => {
      await mustRun(...stop, { cwd: '/' });
      stopped();
    },
  };
}

let made = 0;
export async function createDatabase(port) {
  const name = `test_${process.pid}_${made++}`;
  await mustRun('psql', ['-qX', '-h', '127.0.0.1', '-p', String(port), '-U', 'postgres', '-d', 'postgres', '-c', `CREATE DATABASE ${name}`]);
  return { name, url: `postgres://postgres@127.0.0.1:${port}/${name}` };
}

// Rows as objects, through psql's own JSON.
export async function query(url, sql) {
  const { stdout } = await mustRun('psql', ['-qXAt', url, '-c', `SELECT coalesce(json_agg(t), '[]') FROM (${sql}) t`]);
  return JSON.parse(stdout);
}
