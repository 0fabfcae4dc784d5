// Programs that tests start: run one to its end, or start one and stop it by its process id.
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export const ROOT = path.resolve(import.meta.dirname, '../../..');
export { sleep };

export function temporaryDirectory(name) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), `porteiro-${name}-`));
  process.on('exit', () => fs.rmSync(dir, { recursive: true, force: true }));
  return dir;
}

// A signal that nobody else takes ends this process as process.exit() does, so that what is registered for its end still runs: servers
// end with it.
for (const [signal, number] of [['SIGHUP', 1], ['SIGINT', 2], ['SIGTERM', 15]]) {
  process.on(signal, () => process.listenerCount(signal) > 1 || process.exit(128 + number));
}

// Undoes at the end of this process what nobody undid before: runs a command, before temporary directories are removed. Returns what
// to call when it is no longer needed.
export function atExit(command, args, options) {
  const last = () => spawnSync(command, args, { stdio: 'ignore', timeout: 20_000, ...options });
  process.prependListener('exit', last);
  return () => process.off('exit', last);
}

// Runs it to its end: {code, signal, stdout, stderr}. Never rejects because of an exit code.
export function run(command, args, { stdin = '', timeout = 60_000, ...options } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], ...options });
    const out = [], err = [];
    const timer = setTimeout(() => child.kill('SIGKILL'), timeout);
    child.stdout.on('data', chunk => out.push(chunk));
    child.stderr.on('data', chunk => err.push(chunk));
    child.stdin.on('error', () => {}); // it may end without reading
    child.stdin.end(stdin);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() });
    });
  });
}

export async function mustRun(command, args, options) {
  const result = await run(command, args, options);
  if (result.code !== 0) {
    throw new Error(`${command} ${args.join(' ')}: exit ${result.code ?? result.signal}\n${result.stdout}${result.stderr}`);
  }
  return result;
}

// Starts a server; its output goes to a file. `stop()` ends it by its id and gives {code, signal}.
export function start(command, args, { log, ...options } = {}) {
  const file = log ? fs.openSync(log, 'a') : 'ignore';
  const child = spawn(command, args, { stdio: ['ignore', file, file], ...options });
  if (log) fs.closeSync(file);
  const ended = new Promise(resolve => child.on('close', (code, signal) => resolve({ code, signal })));
  const kill = () => child.exitCode === null && child.signalCode === null && child.kill('SIGKILL');
  process.on('exit', kill);
  return {
    pid: child.pid,
    ended,
    get running() {
      return child.exitCode === null && child.signalCode === null;
    },
    async stop(signal = 'SIGTERM', patience = 10_000) {
      child.kill(signal);
      const timer = setTimeout(kill, patience);
      const result = await ended;
      clearTimeout(timer);
      process.off('exit', kill);
      return result;
    },
  };
}

export async function waitFor(what, check, timeout = 20_000, interval = 20) {
  const end = Date.now() + timeout;
  let last;
  while (Date.now() < end) {
    try {
      const value = await check();
      if (value) return value;
    } catch (error) {
      last = error;
    }
    await sleep(interval);
  }
  throw new Error(`waited ${timeout} ms for ${what}${last ? `: ${last.message}` : ''}`);
}
