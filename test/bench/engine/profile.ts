/** `npm run bench:engine -- --profile [NET...]`: the times of a training step of the native engine, operation by operation. */
import type { Operation } from '../../../daemon/engine/native/cost.js';
import { openNativeStep } from './nativeStep.js';
import type { Problem } from './problems.js';

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!;

/** Prints a table, one row an operation in the order of execution, in Markdown. */
export async function profile(problem: Problem, threads: number): Promise<void> {
  const { graph, level, weights, copiedValues, step } = await openNativeStep(problem, threads);
  const rows: Operation[] = [
    { words: 'batch copied from memory', flops: 0, bytes: 8 * copiedValues },
    ...graph.operations,
    { words: `update of ${weights} weights`, flops: 0, bytes: 20 * weights },
  ];
  const times = rows.map((): number[] => []);
  const steps: number[] = [];
  const start = performance.now();
  while (steps.length < 20 || performance.now() - start < 3000) {
    const { copied, updated, whole } = await step();
    [copied / 1e3, ...graph.seconds(), updated / 1e3].forEach((seconds, i) => times[i]!.push(seconds));
    steps.push(whole / 1e3);
  }
  await graph.release();
  console.log(`\n### ${problem.description}; ${threads} threads, ${level}, ${steps.length} steps\n`);
  console.log('| operation | least ms | median ms | GFLOP/s | GB/s |\n| --- | ---: | ---: | ---: | ---: |');
  const cells = (least: number, middle: number, flops: number, bytes: number) => {
    const rate = (amount: number, digits: number) => (amount > 0 ? (amount / least / 1e9).toFixed(digits) : '');
    return [(1e3 * least).toFixed(3), (1e3 * middle).toFixed(3), rate(flops, 0), rate(bytes, 1)].join(' | ');
  };
  // Equal operations in one row, and what is next to nothing in one for all.
  const groups = new Map<string, { count: number; least: number; middle: number; flops: number; bytes: number }>();
  const all = times.reduce((sum, values) => sum + Math.min(...values), 0);
  rows.forEach(({ words, flops, bytes }, i) => {
    const least = Math.min(...times[i]!);
    const key = least < all / 500 ? 'others' : words;
    const group = groups.get(key) ?? { count: 0, least: 0, middle: 0, flops: 0, bytes: 0 };
    groups.delete(key === 'others' ? key : '');
    groups.set(key, {
      count: group.count + 1,
      least: group.least + least,
      middle: group.middle + median(times[i]!),
      flops: group.flops + flops,
      bytes: group.bytes + bytes,
    });
  });
  for (const [words, { count, least, middle, flops, bytes }] of groups)
    console.log(`| ${count > 1 ? `${count} x ` : ''}${words} | ${cells(least, middle, flops, bytes)} |`);
  const flops = problem.flops * problem.batch;
  console.log(`| **sum** | ${cells(all, groupsSum(groups), flops, 0)} |`);
  console.log(`| **a step** | ${cells(Math.min(...steps), median(steps), flops, 0)} |`);
}

const groupsSum = (groups: ReadonlyMap<string, { middle: number }>): number =>
  [...groups.values()].reduce((sum, { middle }) => sum + middle, 0);
