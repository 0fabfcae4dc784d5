// A node:test reporter: results for ./dev test ("ok|fail|time <tab> name <tab> ms"). A skipped test has failed: nothing
// is left out silently.
import path from 'node:path';

const clean = text => String(text).replace(/[\t\n]+/g, ' ');

export default async function* reporter(source) {
  const parents = new Map(); // file -> names of the open suites and tests, by nesting
  for await (const { type, data } of source) {
    if (type === 'test:start') {
      const names = parents.get(data.file) ?? [];
      names.length = data.nesting;
      names[data.nesting] = data.name;
      parents.set(data.file, names);
    }
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    const { details, file, name, nesting, skip, todo } = data;
    const where = file ? path.relative(path.resolve(import.meta.dirname, '../..'), file) : '';
    const ms = Math.round(details?.duration_ms ?? 0);
    if (nesting === 0) yield `time\t${clean(where)}: ${clean(name)}\t${ms}\n`;
    if (details?.type === 'suite' && type === 'test:pass') continue;
    // A suite fails because a test in it failed, which has its own line, unless a hook did.
    if (details?.type === 'suite' && details.error?.failureType === 'subtestsFailed') continue;
    const skipped = skip !== undefined || todo !== undefined;
    const verdict = type === 'test:pass' && !skipped ? 'ok' : 'fail';
    yield `${verdict}\t${clean(where)}: ${clean([...(parents.get(file) ?? []).slice(0, nesting), name].join(' > '))}${skipped ? ' (skipped)' : ''}\t${ms}\n`;
  }
}
