import { expect, it } from 'vitest';
import { createRunView } from '../../../daemon/cli/runView.js';
import type { Terminal } from '../../../daemon/cli/terminal.js';
import type { BudgetCheck, RunEvent } from '../../../daemon/protocol/events.js';

function shown(budget: BudgetCheck[]): string {
  const lines: string[] = [];
  const terminal = { print: (text: string) => lines.push(text), status: () => undefined, note: (text: string) => lines.push(text) }; // prettier-ignore
  const evaluation = { loss: 0.1, error: 0.02, samples: 100 };
  createRunView(terminal as unknown as Terminal)({
    time: 0,
    event: 'done',
    reference: evaluation,
    theta: evaluation,
    retrained: evaluation,
    kept: 5,
    prunable: 10,
    perLayer: [{ layer: 'fc', weights: 10, kept: 5 }],
    seconds: 1,
    folder: '/runs/x',
    budget,
  } satisfies RunEvent);
  return lines.join('\n');
}

it('ends with the limit and the result of each budget', () => {
  const text = shown([
    { task: 'all', kind: 'bytes', asked: '8 kB', limit: 8192, got: 8191, met: true },
    { task: 'conv', kind: 'flops', asked: '10%', limit: 100, got: 101, met: false },
    { task: 'fc', kind: 'penalty', asked: 'alpha 1, l0', limit: null, got: 5, met: null },
  ]);
  expect(text).toMatch(/^all bytes +8 kB +8,192 +8,191 +yes *$/m);
  expect(text).toMatch(/^conv flops +10% +100 +101 +MISSED *$/m);
  expect(text).toMatch(/^fc penalty +alpha 1, l0 +- +5 +- *$/m);
});

it('has no such table without a budget', () => {
  expect(shown([])).not.toContain('asked');
});
