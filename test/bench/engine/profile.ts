/** `npm run bench:engine -- --profile [NET...]`: where a training step of the native engine goes, operation by operation. */
import { bindBuffers } from '../../../daemon/engine/compiled/buffers.js';
import { layOutParameters } from '../../../daemon/engine/parameters.js';
import { allocateVectors } from '../../../daemon/engine/compiled/vectors.js';
import { kernelLevel, loadAddon } from '../../../daemon/engine/native/addon.js';
import type { Operation } from '../../../daemon/engine/native/cost.js';
import { NativeGraph } from '../../../daemon/engine/native/nativeGraph.js';
import { traceModel } from '../../../daemon/engine/trace/traceModel.js';
import { updateSegments } from '../../../daemon/engine/update/segments.js';
import type { Problem } from './problems.js';
import { batchesOf, modelOf } from './worker.js';

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!;

/** Prints a table, one row an operation in the order of execution, in Markdown. */
export async function profile(problem: Problem, threads: number): Promise<void> {
  const found = loadAddon();
  if ('reason' in found) throw new Error(found.reason);
  const level = kernelLevel(found.addon);
  const model = modelOf(problem);
  const traced = await traceModel(model, { loss: 'categoricalCrossentropy', batchSize: problem.batch });
  const training = await traced.training();
  const { parameters, size } = layOutParameters(traced.parameters);
  const vectors = allocateVectors(size);
  const values = new Map(model.weights.map(({ name, data }) => [name, data]));
  for (const { name, offset } of parameters) vectors.w.set(values.get(name)!, offset);
  const fixed = new Map(traced.states.map(({ name }) => [name, Float32Array.from(values.get(name)!)]));
  const io = bindBuffers(training, parameters, vectors, fixed);
  const graph = NativeGraph.create(found.addon, training, io.inputs, io.outputs, { threads, level });
  const batches = batchesOf(problem);
  const update = graph.update(vectors.memory);
  const segments = updateSegments(size, size);
  const settings = { eta: problem.learningRate, momentum: 0.9, nesterov: true, weightDecay: 0, mu: 0 };
  const rows: Operation[] = [
    { words: 'batch copied from memory', flops: 0, bytes: 8 * io.data.reduce((sum, { length }) => sum + length, 0) },
    ...graph.operations,
    { words: `update of ${size} weights`, flops: 0, bytes: 20 * size },
  ];
  const times = rows.map((): number[] => []);
  const steps: number[] = [];
  const start = performance.now();
  for (let step = 0; step < 20 || performance.now() - start < 3000; step++) {
    const began = performance.now();
    await batches.next(io.data, io.target, graph.copyRows);
    const copied = performance.now();
    graph.runNow();
    const ran = performance.now();
    update.step(vectors.offsets, segments, settings);
    const ended = performance.now();
    [(copied - began) / 1e3, ...graph.seconds(), (ended - ran) / 1e3].forEach((seconds, i) => times[i]!.push(seconds));
    steps.push((ended - began) / 1e3);
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
