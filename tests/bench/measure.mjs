// Measurements of processes and by load.c, for bench.mjs.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import readline from 'node:readline';
import { mustRun } from '../integration/lib/process.mjs';

const TICK_US = 10_000; // USER_HZ is 100 on every Linux that Debian runs on

// pid and all that it started.
export function tree(pid) {
  const children = fs.readdirSync(`/proc/${pid}/task`).flatMap(thread => fs.readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean));
  return [pid, ...children.flatMap(child => tree(Number(child)))];
}

export const cpuUs = pid =>
  tree(pid).reduce((sum, one) => {
    const fields = fs.readFileSync(`/proc/${one}/stat`, 'utf8').replace(/^.*\) /, '').split(' ');
    return sum + (Number(fields[11]) + Number(fields[12])) * TICK_US;
  }, 0);

export const pssBytes = pid =>
  tree(pid).reduce((sum, one) => sum + Number(/^Pss:\s+(\d+) kB/m.exec(fs.readFileSync(`/proc/${one}/smaps_rollup`, 'utf8'))[1]) * 1024, 0);

export const median = numbers => numbers.toSorted((a, b) => a - b)[numbers.length >> 1];

export class Load {
  // requests: name -> {port, text}; written where load.c reads them
  constructor(program, dir, core) {
    Object.assign(this, { program, dir, core, count: 0 });
  }

  file(request) {
    const file = path.join(this.dir, `request-${this.count++}`);
    fs.writeFileSync(file, request);
    return file;
  }

  // subject: {port, request, pid?}; the report, with the CPU per request of pid's processes
  async run(subject, ...mode) {
    subject.file ??= this.file(subject.request);
    const before = subject.pid && cpuUs(subject.pid);
    const seconds = Number(mode.at(-1));
    const { stdout, stderr } = await mustRun('taskset', ['-c', this.core, this.program, String(subject.port), subject.file, ...mode.map(String)], { timeout: (seconds + 30) * 1000 });
    const report = JSON.parse(stdout);
    if (report.errors) throw new Error(`${subject.name}: ${report.errors} of ${report.requests + report.errors} requests failed: ${stderr}`);
    if (subject.pid) report.cpu_us = (cpuUs(subject.pid) - before) / report.requests;
    return report;
  }

  // Holds idle connections while body() runs.
  async hold(subject, connections, body) {
    subject.file ??= this.file(subject.request);
    const child = spawn(this.program, [String(subject.port), subject.file, 'hold', String(connections)], { stdio: ['pipe', 'pipe', 'inherit'] });
    const lines = readline.createInterface({ input: child.stdout });
    const timer = setTimeout(() => child.kill('SIGKILL'), 60_000);
    try {
      const [line] = await Promise.race([once(lines, 'line'), once(child, 'close').then(() => { throw new Error(`${subject.name}: load ended`); })]);
      const { errors } = JSON.parse(line);
      if (errors) throw new Error(`${subject.name}: ${errors} of ${connections} connections got no answer`);
      const result = await body();
      const last = once(lines, 'line');
      child.stdin.end('\n');
      const { closed } = JSON.parse((await last)[0]);
      if (closed) throw new Error(`${subject.name}: ${closed} of ${connections} idle connections were closed`);
      return result;
    } finally {
      clearTimeout(timer);
      child.kill('SIGKILL');
    }
  }
}

// Milliseconds from the start of a program until its port answers GET /readyz with 200. Asked without pause.
export async function untilReady(port, launch, limit = 5000) {
  const net = await import('node:net');
  const start = performance.now();
  const running = launch();
  for (;;) {
    const status = await new Promise(resolve => {
      const socket = net.connect(port, '127.0.0.1', () => socket.write(`GET /readyz HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n\r\n`));
      let head = '';
      socket.on('data', data => (head += data) && socket.end());
      socket.on('error', () => resolve(''));
      socket.on('close', () => resolve(head.slice(9, 12)));
    });
    if (status === '200') return { ms: performance.now() - start, running };
    if (performance.now() - start > limit) throw new Error(`not ready within ${limit} ms`);
    await new Promise(resolve => setTimeout(resolve, 1));
  }
}
