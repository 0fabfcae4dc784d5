// The benchmark as a test: every task is done right and costs no more than its committed budget (./dev bench tokens shows the figures).
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { COMPARED, constantCost, openSuite, overBudget, runTask } from './suite.mjs';
import { tasks } from './tasks.mjs';

const budgets = JSON.parse(fs.readFileSync(path.join(import.meta.dirname, 'budgets.json'), 'utf8'));
const wp = process.env.PORTEIRO_TEST_PAIRS === 'other' ? 'old' : 'new';

describe(`tokens per task, WordPress ${wp}`, { timeout: 300_000 }, () => {
  let suite, compared = 0;
  before(async () => {
    suite = await openSuite(wp);
  });
  after(() => suite?.stop());

  test('tools/list and instructions', async () => {
    const { visible, instructions } = await constantCost(suite);
    compared = visible;
    assert.ok(visible + instructions <= budgets.constant, `${visible} + ${instructions} tokens, budget ${budgets.constant}`);
  });

  for (const task of tasks) {
    test(`${task.id} ${task.name}`, async () => {
      const result = await runTask(suite, task);
      if (result.error) throw result.error;
      assert.deepEqual(overBudget(result, budgets.tasks[task.id]), []);
      if (COMPARED.includes(task.id)) compared += result.total;
    });
  }

  test(`tools/list and tasks ${COMPARED.join(', ')}: at most ${budgets.compared} tokens`, () => {
    assert.ok(compared > budgets.compared / 2 && compared <= budgets.compared, String(compared));
  });

  test('every budget has its task', () => {
    assert.deepEqual(Object.keys(budgets.tasks).map(Number), tasks.map(task => task.id));
  });
});
