/** The paper's Table 1 for LeNet300 on MNIST, row by row: its figures, and the plan that reproduces the row. Errors in %. */
import type { Budget } from '../../../daemon/protocol/plan.js';
import type { ResolvedPlan } from '../../../daemon/protocol/resolvedPlan.js';

export interface PaperRow {
  readonly id: string;
  readonly method: string;
  readonly paper: {
    readonly kept: number;
    readonly perLayer: readonly number[];
    readonly setting: string;
    readonly before: number;
    readonly after: number;
  };
  readonly budget: Budget;
  readonly run: 'lc' | 'magnitude';
  /** The settings in which this row differs from the study's common schedule. */
  readonly schedule?: Partial<ResolvedPlan['schedule']>;
}

/** [Carreira-Perpiñán & Idelbayev 2018, Table 1] */
export const LENET300_ROWS: readonly PaperRow[] = [
  {
    id: 'l0-constraint-3',
    method: 'l0 constraint',
    paper: { kept: 3, perLayer: [1.6, 11, 76], setting: 'kappa 7986', before: 2.27, after: 2.13 },
    budget: { weights: 7986 },
    run: 'lc',
  },
  {
    id: 'l0-constraint-1',
    method: 'l0 constraint',
    paper: { kept: 1, perLayer: [0.5, 2.7, 65], setting: 'kappa 2662', before: 6.9, after: 3.17 },
    budget: { weights: 2662 },
    run: 'lc',
  },
  {
    id: 'l1-constraint-1000',
    method: 'l1 constraint',
    paper: { kept: 2.4, perLayer: [1.9, 4.5, 33], setting: 'kappa 1000', before: 10.16, after: 2.49 },
    budget: { norm: 'l1', radius: 1000 },
    run: 'lc',
  },
  {
    id: 'l1-constraint-500',
    method: 'l1 constraint',
    paper: { kept: 1.3, perLayer: [0.9, 4.2, 20], setting: 'kappa 500', before: 60.3, after: 3.27 },
    budget: { norm: 'l1', radius: 500 },
    run: 'lc',
  },
  {
    id: 'l0-penalty-5.69',
    method: 'l0 penalty',
    paper: { kept: 2.9, perLayer: [1.8, 8.2, 72], setting: 'log10 alpha -5.69', before: 2.26, after: 2.23 },
    budget: { norm: 'l0', alpha: 10 ** -5.69 },
    run: 'lc',
  },
  {
    id: 'l0-penalty-5.00',
    method: 'l0 penalty',
    paper: { kept: 0.6, perLayer: [0.3, 1.7, 44], setting: 'log10 alpha -5.00', before: 23.82, after: 3.77 },
    budget: { norm: 'l0', alpha: 1e-5 },
    run: 'lc',
  },
  {
    id: 'l1-penalty-4.60',
    method: 'l1 penalty',
    paper: { kept: 3.5, perLayer: [3.0, 5.6, 38], setting: 'log10 alpha -4.60', before: 2.82, after: 2.21 },
    budget: { norm: 'l1', alpha: 10 ** -4.6 },
    run: 'lc',
  },
  {
    id: 'l1-penalty-4.00',
    method: 'l1 penalty',
    paper: { kept: 1.7, perLayer: [1.4, 3.5, 6.1], setting: 'log10 alpha -4.00', before: 52.04, after: 2.67 },
    budget: { norm: 'l1', alpha: 1e-4 },
    run: 'lc',
  },
  {
    id: 'magnitude-10',
    method: 'magnitude',
    paper: { kept: 10, perLayer: [5.7, 40, 87], setting: '', before: 16.13, after: 2.26 },
    budget: { keep: '10%' },
    run: 'magnitude',
  },
  {
    id: 'magnitude-1',
    method: 'magnitude',
    paper: { kept: 1, perLayer: [0.1, 5.5, 74], setting: '', before: 80.97, after: 4.58 },
    budget: { keep: '1%' },
    run: 'magnitude',
  },
];
