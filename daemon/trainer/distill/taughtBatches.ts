/** Training batches with a teacher's targets in their last buffer. */
import { ShuffledBatches, type BatchState } from '../../data/batches/batches.js';
import type { Split } from '../../data/dataset.js';
import type { Batches } from '../run.js';
import type { Teacher } from './teacher.js';

/** A part whose last buffer gets the answers that the teacher keeps. */
const withAnswers = (split: Split, teacher: Teacher): Split => ({
  ...split,
  gather(indices, from, count, buffers, target, copyRows) {
    teacher.recall(indices, from, count, buffers.at(-1)!);
    return split.gather(indices, from, count, buffers.slice(0, -1), target, copyRows);
  },
});

/** The same batches in the same order as without a teacher. The teacher sees the samples as they are trained on: flipped and shifted. */
export function taughtBatches(split: Split, batchSize: number, seed: number, teacher: Teacher): Batches {
  const { keeps } = teacher;
  const batches = new ShuffledBatches(keeps ? withAnswers(split, teacher) : split, batchSize, seed);
  const next: Batches['next'] = (inputs, target, copyRows) => {
    if (!teacher.isReady) return teacher.ready().then(() => next(inputs, target, copyRows));
    if (keeps) return batches.next(inputs, target, copyRows);
    const filled = Promise.resolve(batches.next(inputs.slice(0, -1), target, copyRows));
    return filled.then(() => teacher.answer(inputs, batchSize, inputs.at(-1)!));
  };
  return {
    next,
    stepsPerEpoch: batches.stepsPerEpoch,
    restore: (state) => batches.restore(state as BatchState),
    rewind: () => batches.rewind(),
    get state() {
      return batches.state;
    },
    get chanceLoss() {
      return teacher.chanceLoss;
    },
  };
}
