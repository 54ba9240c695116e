/** The views of two networks, as budgets read them. */
import type { LayerView } from '../../../daemon/lc/budgets.js';

/** LeNet300's kernels. */
export const lenet300: LayerView[] = [
  { name: 'fc1', size: 235_200, shape: [784, 300], flopsPerWeight: 2 },
  { name: 'fc2', size: 30_000, shape: [300, 100], flopsPerWeight: 2 },
  { name: 'fc3', size: 1000, shape: [100, 10], flopsPerWeight: 2 },
];
/** Caffe's LeNet5. */
export const lenet5: LayerView[] = [
  { name: 'conv1', size: 500, shape: [5, 5, 1, 20], units: 20, flopsPerWeight: 1152, unitVectors: 1 },
  { name: 'conv2', size: 25_000, shape: [5, 5, 20, 50], units: 50, flopsPerWeight: 128, unitVectors: 1 },
  { name: 'fc1', size: 400_000, shape: [800, 500], units: 500, flopsPerWeight: 2, unitVectors: 1 },
  {
    name: 'fc2',
    size: 5000,
    shape: [500, 10],
    units: 10,
    flopsPerWeight: 2,
    unitVectors: 1,
    groups: new Array<number>(10).fill(-1),
  },
];

export function messageOf(work: () => unknown): string | null {
  try {
    work();
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}
