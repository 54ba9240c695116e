/** `npm run bench:engine -- --graph [NET...]`: how large a training step of the native engine is, and how long it takes. */
import { peakBytes } from '../../../daemon/network/peakMemory.js';
import { openNativeStep } from './nativeStep.js';
import type { Problem } from './problems.js';

/** Prints a table in Markdown: nodes of the training graph, operations of its program, what those read and write, milliseconds. */
export async function graphSizes(problems: readonly (() => Problem)[], threads: number): Promise<void> {
  console.log('| network | nodes | operations | MB read and written | MB alive | least ms | median ms |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: |'); // prettier-ignore
  for (const write of problems) {
    const problem = write();
    const { training, graph, step } = await openNativeStep(problem, threads);
    const times: number[] = [];
    const start = performance.now();
    while (times.length < 20 || performance.now() - start < 3000) times.push((await step()).whole);
    await graph.release();
    times.sort((a, b) => a - b);
    const bytes = graph.operations.reduce((sum, operation) => sum + operation.bytes, 0);
    const sizes = [training.nodes.length, graph.operations.length, ...[bytes, peakBytes(training)].map((n) => (n / 1e6).toFixed(1))]; // prettier-ignore
    const ms = [times[0]!, times[times.length >> 1]!].map((t) => t.toFixed(2));
    console.log(`| ${problem.name} | ${[...sizes, ...ms].join(' | ')} |`);
  }
}
