import type { Part, Split } from '../dataset.js';

/**
 * A part whose batches also have the targets of other outputs, in buffers behind those of the inputs. Without such buffers they are left out.
 * @param others the same samples with the targets of the other outputs. @param inputs of the model.
 */
export function withJointTargets(part: Split, others: readonly Part[], inputs: number): Split {
  if (others.length === 0) return part;
  return {
    ...part,
    gather(indices, from, count, buffers, target, copyRows) {
      const pending = [
        part.gather(indices, from, count, buffers.slice(0, inputs), target, copyRows),
        ...buffers.slice(inputs).map((buffer, i) => others[i]!.gatherTargets(indices, from, count, buffer)),
      ].filter((one) => one !== undefined);
      if (pending.length > 0) return Promise.all(pending).then(() => undefined);
    },
  };
}
