/** A stranger's first hour, by the command line with defaults; and the exported network judged by onnxruntime on the data as stored. */
import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import * as ort from 'onnxruntime-node';
import { lcPrune } from '../../fixtures/cli.js';
import { count, type Stranger, type Stored } from './stranger.js';

interface Figures {
  readonly loss: number;
  readonly error: number;
  readonly samples: number;
}

export interface FirstHour {
  readonly folder: string;
  readonly codes: { readonly init: number; readonly run: number; readonly exports: readonly number[] };
  readonly reference: Figures;
  readonly pruned: Figures;
  readonly kept: number;
  readonly prunable: number;
  readonly notes: readonly string[];
  readonly seconds: number;
  /** Results of the ONNX export with the scale file beside it and, for scaled inputs, of the one that applies the scale itself. */
  readonly elsewhere: readonly number[];
}

export type ScaleFile = { inputs: { name: string; scale: number | number[]; shift: number | number[] }[] };

/** Runs the network on all samples. */
export async function answer(
  path: string,
  { inputs }: Stored,
  scales: ScaleFile,
  output?: string,
): Promise<Float32Array> {
  const session = await ort.InferenceSession.create(path, { intraOpNumThreads: 1 });
  const given = Object.entries(inputs);
  const feeds = session.inputNames.map((name, i) => {
    const [, of] = given.find(([one]) => one === name) ?? (given.length === 1 ? given[i]! : (() => { throw new Error(`no input ${name}`) })()); // prettier-ignore
    const rule = scales.inputs.find((one) => one.name === name) ?? scales.inputs.find(() => given.length === 1);
    const width = of.shape.reduce((a, b) => a * b, 1);
    const at = (values: number | number[], k: number) => (typeof values === 'number' ? values : values[k % width]!);
    const data = rule ? of.data.map((x, k) => x * at(rule.scale, k) + at(rule.shift, k)) : of.data;
    const { type } = session.inputMetadata[i] as { type: string };
    const dims = [count(of), ...of.shape];
    return [name, type === 'int32' ? new ort.Tensor('int32', Int32Array.from(data), dims) : new ort.Tensor('float32', data, dims)] as const; // prettier-ignore
  });
  const result = await session.run(Object.fromEntries(feeds));
  return result[output ?? session.outputNames[0]!]!.data as Float32Array;
}

/** @throws an error with the output, if a step does not do what a stranger expects. */
export async function firstHour(stranger: Stranger, home: string, keep?: string): Promise<FirstHour> {
  await stranger.write(home);
  const step = async (args: readonly string[], codes: readonly number[] = [0]) => {
    const result = await lcPrune([...args, '--json'], { cwd: home, timeout: 300_000 });
    if (!codes.includes(result.code)) throw new Error(`lc-prune ${args.join(' ')}: exit ${result.code}\n${result.stderr}${result.stdout.slice(-2000)}`); // prettier-ignore
    return result;
  };
  const began = performance.now();
  const data = stranger.data === undefined ? [] : ['--data', stranger.data];
  const init = await step(['init', stranger.model, ...data, ...(keep ? ['--keep', keep] : [])]);
  const plan = String(init.lines.at(-1)!['path']);
  const run = await step(['run', plan], [0, 3]);
  const done = run.lines.findLast(({ event }) => event === 'done') as unknown as {
    folder: string; reference: Figures; retrained: Figures; kept: number; prunable: number;
  }; // prettier-ignore
  const seconds = (performance.now() - began) / 1000;
  const notes = run.lines.flatMap(({ event, message }) => (event === 'warning' || event === 'note' ? [String(message)] : [])); // prettier-ignore
  const stored = await stranger.stored(home);
  const runName = join(dirname(done.folder), basename(done.folder));
  const elsewhere: number[] = [];
  const out = join(dirname(plan), 'pruned network.onnx');
  const codes = [(await step(['export', runName, '--format', 'onnx', '--out', out])).code];
  const beside = await readFile(out.replace(/onnx$/, 'inputs.json'), 'utf8').catch(() => '{"inputs":[]}');
  const scales = JSON.parse(beside) as ScaleFile;
  const judged = async (path: string, given: ScaleFile) =>
    elsewhere.push(stranger.judge(await answer(path, stored, given, stranger.output), stored.target));
  await judged(out, scales);
  if (scales.inputs.length > 0) {
    const inside = join(dirname(plan), 'with scale.onnx');
    codes.push((await step(['export', runName, '--format', 'onnx', '--with-scale', '--out', inside])).code);
    await judged(inside, { inputs: [] });
  }
  codes.push((await step(['export', runName, '--format', 'keras', '--out', join(dirname(plan), 'pruned network.keras')])).code); // prettier-ignore
  return {
    folder: done.folder,
    codes: { init: init.code, run: run.code, exports: codes },
    reference: done.reference,
    pruned: done.retrained,
    kept: done.kept,
    prunable: done.prunable,
    notes: [...init.stderr.split('\n'), ...notes, ...run.stderr.split('\n').filter((line) => /note|warn/i.test(line))],
    seconds,
    elsewhere,
  };
}
