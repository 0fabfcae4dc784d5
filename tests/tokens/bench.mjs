// node tests/tokens/bench.mjs [new|old]: the tasks as a table, with what each costs; exit 1 when one is wrong or over its budget.
// --budgets: writes the tasks of budgets.json from what was measured (to be looked at before it is committed); the constant part
// (tools/list and instructions) and the sum that is compared with other servers are goals, set by hand.
import fs from 'node:fs';
import path from 'node:path';
import { COMPARED, constantCost, openSuite, overBudget, runTask } from './suite.mjs';
import { tasks } from './tasks.mjs';

const file = path.join(import.meta.dirname, 'budgets.json');
const budgets = JSON.parse(fs.readFileSync(file, 'utf8'));
const wanted = process.argv.slice(2), write = wanted.includes('--budgets');
const versions = wanted.filter(word => word === 'new' || word === 'old');
// Numbers of items and ports are a few digits longer or shorter from run to run.
const withRoom = tokens => Math.ceil(tokens * 1.03) + 3;

let bad = 0;
const measured = { constant: budgets.constant, compared: budgets.compared, tasks: {} };
for (const wp of versions.length ? versions : ['new']) {
  const suite = await openSuite(wp);
  try {
    const constant = await constantCost(suite);
    console.log(`\nWordPress ${suite.fixture.site.version}. tools/list: ${constant.tools} tools, ${constant.visible} tokens a model reads (${constant.all} with annotations), instructions ${constant.instructions}\n`);
    console.log('task                                                              calls  write   read  total  budget  bytes    wire  REST     ms');
    const results = [];
    for (const task of tasks) {
      const result = await runTask(suite, task), budget = budgets.tasks[task.id];
      const over = result.error ? [] : overBudget(result, budget);
      results.push(result);
      bad += result.error || (over.length && !write) ? 1 : 0;
      console.log(`${String(task.id).padStart(2)} ${task.name.slice(0, 62).padEnd(62)} ${[[result.calls, 6], [result.tokens.out, 6], [result.tokens.in, 6], [result.total, 6], [budget?.tokens ?? '-', 7], [result.bytes.out + result.bytes.in, 6], [result.bytes.wire, 7], [result.requests, 5], [result.ms, 6]].map(([value, width]) => String(value).padStart(width)).join(' ')}`);
      if (result.error) console.log(`   WRONG: ${result.error.message.slice(0, 2000)}`);
      for (const what of over) console.log(`   OVER: ${what}`);
      const known = measured.tasks[task.id];
      measured.tasks[task.id] = { tokens: Math.max(withRoom(result.total), known?.tokens ?? 0), calls: result.calls, requests: Math.max(result.requests, known?.requests ?? 0) };
    }
    const sum = key => results.reduce((total, result) => total + key(result), 0);
    const calls = sum(result => result.calls), requests = sum(result => result.requests), tokens = sum(result => result.total);
    console.log(`\n${results.filter(result => !result.error).length} of ${results.length} right; ${calls} calls, ${tokens} tokens, with tools/list ${tokens + constant.visible + constant.instructions}; ${requests} REST requests, ${(requests / calls).toFixed(2)} a call`);
    const compared = results.filter(result => COMPARED.includes(result.id)).reduce((total, result) => total + result.total, constant.visible);
    console.log(`tools/list and tasks ${COMPARED.join(', ')}: ${compared} tokens, budget ${budgets.compared}`);
    if (compared > budgets.compared && !write) bad++, console.log('OVER');
    if (constant.visible + constant.instructions > budgets.constant && !write) bad++, console.log(`OVER: tools/list, budget ${budgets.constant}`);
  } finally {
    await suite.stop();
  }
}
if (write) fs.writeFileSync(file, `${JSON.stringify(measured, null, 2)}\n`);
process.exit(bad ? 1 : 0);
