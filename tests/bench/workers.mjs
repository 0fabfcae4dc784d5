// Two workers against one, on PostgreSQL (SQLite has one). Here servers and load share all cores, as they would anywhere.
import { Porteiro } from '../integration/lib/porteiro.mjs';
import { startPostgres } from '../integration/lib/postgres.mjs';
import { sleep } from '../integration/lib/process.mjs';
import { median } from './measure.mjs';
import { fixed, row } from './report.mjs';
import { answerTo, legacy } from './request.mjs';

const SETTLE_MS = 10_000; // what was called is still on its way into the audit log: stopping waits only so long for it

export async function workers({ load, stops, env, rounds, seconds, connections, site, find }) {
  const postgres = await startPostgres();
  stops.push(() => postgres.stop());
  const subjects = [];
  for (const count of [1, 2]) {
    const porteiro = await Porteiro.create({ database: postgres.port, env: { ...env, PORTEIRO_WORKERS: String(count) } });
    stops.push(() => porteiro.stop());
    await porteiro.serve();
    await porteiro.addUser();
    const { token } = await porteiro.addConnection(site, { name: 'bench' });
    const request = legacy(porteiro, token, 'tools/call', find);
    await answerTo(request);
    subjects.push({ name: `porteiro, ${count} workers`, port: porteiro.port, request, pid: porteiro.server.pid });
  }
  const reports = subjects.map(() => []);
  for (let round = 0; round < rounds; round++)
    for (const [i, subject] of subjects.entries()) reports[i].push(await load.run(subject, 'flight', connections, seconds));
  await sleep(SETTLE_MS);
  const [one, two] = reports;
  const ratio = median(two.map((report, i) => report.per_second / one[i].per_second));
  const side = all => `${Math.round(median(all.map(r => r.per_second)))}/s, ${fixed(median(all.map(r => r.cpu_us)), 0)} us of CPU each`;
  row('wp_find with 2 workers, requests per second of 1', `${fixed(ratio)}x`, null, true, `[1: ${side(one)}; 2: ${side(two)}; the load and PostgreSQL run on the same cores]`);
}
