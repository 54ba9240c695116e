/** The times of a training step of our own engine, operation by operation: `--profile` of bench:transformer and bench:pytorch. */
import type { Operation } from '../../../daemon/engine/native/cost.js';

const steps = 8;

/** A network ready for training, with its own weights. */
export interface Trainer {
  readonly operations: readonly Operation[];
  /** Seconds of each operation in the last step, if the engine measures them. */
  seconds(): readonly number[];
  /** One step of SGD. @returns the loss before it. */
  step(): Promise<number>;
}

/**
 * Prints the least time of each kind of operation, the longest first, in Markdown.
 * @param flops multiplications and additions of products in one step, if they are known.
 */
export async function profileSteps(trainer: Trainer, title: string, flops?: number): Promise<void> {
  const least = new Array<number>(trainer.operations.length).fill(Infinity);
  let step = Infinity;
  for (let i = 0; i < steps; i++) {
    const start = performance.now();
    await trainer.step();
    step = Math.min(step, (performance.now() - start) / 1e3);
    trainer.seconds().forEach((seconds, k) => (least[k] = Math.min(least[k]!, seconds)));
  }
  const groups = new Map<string, { count: number; seconds: number; flops: number; bytes: number }>();
  trainer.operations.forEach(({ words, flops, bytes }, i) => {
    const group = groups.get(words) ?? { count: 0, seconds: 0, flops: 0, bytes: 0 };
    groups.set(words, {
      count: group.count + 1,
      seconds: group.seconds + least[i]!,
      flops: group.flops + flops,
      bytes: group.bytes + bytes,
    });
  });
  console.log(`\n### ${title}\n`);
  console.log('| operation | least ms | GFLOP/s | GB/s |\n| --- | ---: | ---: | ---: |');
  const cells = (seconds: number, flops: number, bytes: number) =>
    `${(1e3 * seconds).toFixed(2)} | ${flops > 0 ? (flops / seconds / 1e9).toFixed(0) : ''} | ${(bytes / seconds / 1e9).toFixed(1)}`; // prettier-ignore
  for (const [words, { count, seconds, flops, bytes }] of [...groups].sort(([, a], [, b]) => b.seconds - a.seconds))
    console.log(`| ${count > 1 ? `${count} x ` : ''}${words} | ${cells(seconds, flops, bytes)} |`);
  const sum = least.reduce((a, b) => a + b, 0);
  const all = flops ?? trainer.operations.reduce((total, { flops: own }) => total + own, 0);
  console.log(`| **sum** | ${(1e3 * sum).toFixed(2)} | | |\n| **a step** | ${cells(step, all, 0)} |`);
}
