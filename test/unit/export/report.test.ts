import { expect, it } from 'vitest';
import { renderReport } from '../../../daemon/export/report.js';
import type { ReportRun } from '../../../daemon/export/reportTables.js';
import type { ReportExport } from '../../../daemon/export/reportTables.js';
import type { RunEvent } from '../../../daemon/protocol/events.js';
import type { ResolvedPlan } from '../../../daemon/protocol/resolvedPlan.js';

const plan = {
  method: 'lc',
  model: { path: 'net.json' },
  data: { source: 'mnist' },
  tasks: [{ name: 'all', layers: ['fc1'], budget: { keep: '1%' } }],
  schedule: { mu0: 9e-5, a: 1.1, iterations: 30, multipliers: 'al', epochs: 2 },
  training: {
    batchSize: 256,
    learningRate: 0.1,
    decay: 0.98,
    decayMode: 'iteration',
    learningRateSchedule: 'exponential',
    warmup: 0,
    momentum: 0.9,
    nesterov: true,
  },
  retrain: { epochs: 1, learningRate: 0.01, decay: 1, learningRateSchedule: 'constant', warmup: 0 },
  engine: 'auto',
  seed: 1,
} as unknown as ResolvedPlan;
const evaluation = (error: number) => ({ loss: 0.1, error, samples: 10_000 });
const done = {
  event: 'done',
  time: 0,
  reference: evaluation(0.0228),
  theta: evaluation(0.069),
  retrained: evaluation(0.0317),
  kept: 2662,
  prunable: 266_200,
  perLayer: [{ layer: 'fc1', kept: 1176, weights: 235_200 }],
  seconds: 12,
  folder: '',
} as unknown as RunEvent;
const run: ReportRun = { name: '<net>', plan, events: [done] };

const exported: ReportExport = {
  sizes: {
    reference: 1_066_440,
    formats: [
      { format: 'sparse', name: 'Sparse | package', bytes: 14_000, gzip: 13_900, brotli: 13_800, ratio: 76.174 },
    ],
    left: [],
  },
  thinned: {
    layers: [{ layer: 'fc1', units: 300, kept: 75 }],
    inputs: [{ name: 'input', shape: [4], read: Uint8Array.of(1, 0, 1, 1) }],
    weights: { before: 1000, after: 250 },
    flops: { before: 2000, after: 400 },
  },
};

it('shows sizes and survivors in both forms, and escapes names', () => {
  const { markdown, html } = renderReport([run], exported);
  expect(markdown).toContain('| Sparse \\| package | 14,000 | 13,900 | 13,800 | 76.2x |');
  expect(markdown).toContain('Smaller than 1,066,440 bytes');
  expect(markdown).toContain('| inputs (input) | 4 | 3 | 75.00% |');
  expect(markdown).toContain('| units of fc1 | 300 | 75 | 25.00% |');
  expect(html).toContain('<td>76.2x</td>');
  expect(html).toContain('<td>units of fc1</td><td>300</td><td>75</td><td>25.00%</td>');
  expect(html).not.toContain('<net>');
});

it('says what each budget asked for and got, and shouts where it is missed', () => {
  const budget = [
    { task: 'all', kind: 'bytes', asked: '8 kB', limit: 8192, got: 8191, met: true },
    { task: 'conv', kind: 'flops', asked: '10%', limit: 100, got: 101, met: false },
    { task: 'fc', kind: 'penalty', asked: 'alpha 1, l0', limit: null, got: 5, met: null },
  ];
  const { markdown, html } = renderReport([{ ...run, events: [{ ...done, budget } as unknown as RunEvent] }]);
  expect(markdown).toContain('| lc | all | bytes | 8 kB | 8,192 | 8,191 | yes |');
  expect(markdown).toContain('| lc | conv | flops | 10% | 100 | 101 | NO: MISSED |');
  expect(markdown).toContain('| lc | fc | penalty | alpha 1, l0 | - | 5 | - |');
  expect(html).toContain('<td>NO: MISSED</td>');
  expect(renderReport([run]).markdown).not.toContain('verified');
});

it('leaves both out where they are not known', () => {
  const { markdown, html } = renderReport([run]);
  expect(markdown).toContain('| lc | 2,662 | 1.00% | 2.28% | 6.90% | 3.17% | 12 s |');
  for (const text of [markdown, html]) expect(text).not.toMatch(/Sizes|thinning/);
});

it('states how much of the target the reference was, if it taught', () => {
  const taught = (distill: ResolvedPlan['distill']) =>
    renderReport([{ ...run, plan: { ...plan, ...(distill && { distill }) } }]).markdown;
  expect(taught({ weight: 0.7, temperature: 4 })).toContain('| Distillation | the reference is 70% of the target, temperature 4 |'); // prettier-ignore
  expect(taught({ weight: 1, temperature: 1 })).toContain('| Distillation | the reference is 100% of the target |');
  expect(taught(undefined)).not.toContain('Distillation');
});
