/** Runs in lists: a state never has a chart's colour, and a doubtful end never that of a good one. */
import { expect, test } from 'vitest';
import { RunState } from '../../../../daemon/protocol/events.js';
import '../vscode.js';
import { jobText } from '../../../../daemon/protocol/runs/placeOfJob.js';
import { runDescription, runIcon } from '../../../../extension/views/runText.js';

const caution = { code: 'diverged', message: 'the loss rose', serious: true };
const icon = (run: Parameters<typeof runIcon>[0]) => {
  const { id, color } = runIcon(run) as unknown as { id: string; color?: { id: string } };
  return [id, color?.id];
};

test('a finished run with something serious against it is a warning, one without is a pass', () => {
  expect(icon({ state: 'done' })).toEqual(['pass', 'testing.iconPassed']);
  expect(icon({ state: 'done', cautions: [{ ...caution, serious: false }] })).toEqual(['pass', 'testing.iconPassed']);
  expect(icon({ state: 'done', cautions: [caution] })).toEqual(['warning', 'problemsWarningIcon.foreground']);
  const summary = { state: 'done', error: 0.9, kept: null, cautions: [caution] } as never;
  expect(runDescription(summary)).toBe('warnings · 90% error');
});

test('no warning and no error is in a colour of charts: themes may draw those nearly in the background', () => {
  for (const state of RunState.options) expect(icon({ state })[1] ?? '', state).not.toMatch(/orange|red|yellow/);
});

test("a queue's run says where it waits or executes", () => {
  const waits = { state: 'queued', error: null, kept: null, job: { on: 'slurm', id: '12', state: 'pending', reason: 'Priority' } }; // prettier-ignore
  expect(runDescription(waits as never)).toBe('pending: Priority');
  const until = Date.now() + 72 * 60_000 + 5_000;
  const runs = { state: 'running', iteration: 3, iterations: 30, error: 0.02, kept: null, etaSeconds: null, job: { on: 'slurm', id: '12', state: 'running', node: 'n7', until } }; // prettier-ignore
  expect(runDescription(runs as never)).toBe('3/30 · 2% error · n7, 1 h 12 min left');
});

test('a job is named by what people know of it', () => {
  expect(jobText({ on: 'slurm', id: '12_3', state: 'running', node: 'n7' })).toBe('slurm job 12_3: n7');
  expect(jobText({ on: 'command', id: '4711@n7+3321896', state: 'running' })).toBe('command job 4711@n7');
});
