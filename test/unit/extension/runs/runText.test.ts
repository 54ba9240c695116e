/** Runs in lists: a state never has a chart's colour, and a doubtful end never that of a good one. */
import { expect, test } from 'vitest';
import { RunState } from '../../../../daemon/protocol/events.js';
import '../vscode.js';
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
