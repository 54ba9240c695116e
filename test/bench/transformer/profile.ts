/** `npm run bench:transformer -- --profile [NET...]`: the times of a training step, operation by operation. */
import type { TransformerProblem } from './problem.js';
import { trainerOf } from './worker.js';

const steps = 8;

/** Prints the least time of each kind of operation, the longest first, in Markdown. */
export async function profile(problem: TransformerProblem, threads: number): Promise<void> {
  const trainer = await trainerOf('native-cpu', problem, threads);
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
  console.log(`\n### ${problem.name}, batch ${problem.batch}; ${threads} threads\n`);
  console.log('| operation | least ms | GFLOP/s | GB/s |\n| --- | ---: | ---: | ---: |');
  const cells = (seconds: number, flops: number, bytes: number) =>
    `${(1e3 * seconds).toFixed(2)} | ${flops > 0 ? (flops / seconds / 1e9).toFixed(0) : ''} | ${(bytes / seconds / 1e9).toFixed(1)}`; // prettier-ignore
  for (const [words, { count, seconds, flops, bytes }] of [...groups].sort(([, a], [, b]) => b.seconds - a.seconds))
    console.log(`| ${count > 1 ? `${count} x ` : ''}${words} | ${cells(seconds, flops, bytes)} |`);
  const sum = least.reduce((a, b) => a + b, 0);
  console.log(`| **sum** | ${(1e3 * sum).toFixed(2)} | | |\n| **a step** | ${cells(step, problem.flops, 0)} |`);
}
