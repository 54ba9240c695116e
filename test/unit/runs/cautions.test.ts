/** Which runs may look like a success, and the cautions of the others: from the events of a log. */
import { describe, expect, it } from 'vitest';
import { isDoubtful } from '../../../daemon/protocol/doubtful.js';
import type { Finding, RunEvent } from '../../../daemon/protocol/events.js';
import { Caution } from '../../../daemon/protocol/cautions.js';
import { cautionsOf } from '../../../daemon/runs/cautions.js';

type Warning = Extract<RunEvent, { event: 'warning' }>;

const warnings = (...list: Omit<Warning, 'event' | 'time'>[]): Map<string, Warning> =>
  new Map(list.map((one) => [one.code, { event: 'warning', time: 1, ...one }]));
const evaluation = { loss: 1, error: 0.9, samples: 10 };
const done = (...findings: Finding[]): RunEvent & { event: 'done' } => ({
  event: 'done',
  time: 2,
  reference: evaluation,
  theta: evaluation,
  retrained: evaluation,
  kept: 1,
  prunable: 2,
  perLayer: [],
  seconds: 1,
  folder: 'r',
  findings,
});
const finding = (code: Finding['code'], unusable = false): Finding => ({ code, unusable, message: `about ${code}` });

describe('a finished run', () => {
  it.each([
    ['at-chance', 'the reference is at chance (90.2% error)'],
    ['diverged', 'the batch loss rose from 0.1 to 2.3 in L step 3; going on from its beginning'],
    ['rate-raises-loss', 'training without pruning raises the loss of the model'],
  ])('with the warning %s is no success, though nothing was found in its result', (code, message) => {
    const summary = { state: 'done', ...cautionsOf({ state: done(), warnings: warnings({ code, message }) }) };
    expect(summary.cautions).toEqual([{ code, message, serious: true }]);
    expect(isDoubtful(summary)).toBe(true);
  });

  it('at chance like its reference is no success, whether or not that makes it unusable', () => {
    for (const unusable of [true, false])
      for (const code of ['near-chance', 'constant-output', 'dead-layer', 'budget-missed'] as const)
        expect(
          isDoubtful({ state: 'done', ...cautionsOf({ state: done(finding(code, unusable)), warnings: new Map() }) }),
        ).toBe(true);
  });

  it('that only had not settled is a success with a caution; notes are not cautions', () => {
    const unsettled = cautionsOf({ state: done(finding('support-changing')), warnings: warnings({ code: 'note', message: 'n' }, { code: 'reading', message: 'x/255' }) }); // prettier-ignore
    expect(unsettled.cautions).toEqual([
      { code: 'support-changing', message: 'about support-changing', serious: false },
    ]);
    expect(isDoubtful({ state: 'done', ...unsettled })).toBe(false);
    expect(cautionsOf({ state: done(), warnings: new Map() })).toEqual({});
  });

  it('has the finding that makes it useless first, then the cause', () => {
    const { cautions } = cautionsOf({
      state: done(finding('support-changing'), finding('near-chance', true)),
      warnings: warnings({ code: 'diverged', message: 'd' }, { code: 'at-chance', message: 'a' }),
    });
    expect(cautions!.map(({ code }) => code)).toEqual(['near-chance', 'at-chance', 'diverged', 'support-changing']);
    for (const one of cautions!) expect(Caution.parse(one)).toEqual(one);
  });
});

describe('the learning rate that is offered', () => {
  const rate = { section: 'training', value: 0.05 } as const;

  it('is the one training went on with; after a failure there is none, as smaller ones were tried', () => {
    const log = warnings({ code: 'diverged', message: 'half the rate', rate });
    expect(cautionsOf({ state: done(), warnings: log }).cautions![0]!.rate).toEqual(rate);
    const failed = { event: 'failed', time: 3, code: 'diverged', message: 'even at 1e-4' } as const;
    expect(cautionsOf({ state: failed, warnings: log }).cautions![0]).not.toHaveProperty('rate');
  });
});
