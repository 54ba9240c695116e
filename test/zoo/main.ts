/**
 * Networks that PyTorch exports, beside PyTorch and onnxruntime: `npm run test:zoo [names]`. Each is exported in evaluation and in
 * training mode; what it gives, its loss and gradients, one LC iteration and the written file are checked in a process of its own.
 * A row that was computed is kept in artifacts/zoo: delete it to compute it again. Skipped if Debian's Python has no PyTorch.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { readModel } from '../../daemon/model/files/readModel.js';
import type { GraphModel } from '../../daemon/model/model.js';
import { sizeOf } from '../../daemon/protocol/shape.js';
import { readOnnx } from '../../daemon/onnx/file/readOnnx.js';
import { engineBatch } from './batch.js';
import { fileOutputs, inferenceGraph, networkOutputs, randomSamples, relativeError } from './forward.js';
import { checkGradients, tolerance as gradientTolerance, type GradientErrors } from './gradients.js';
import { lcIteration } from './lcIteration.js';
import { readReference } from './reference.js';

const folder = resolve('.cache/zoo/small');
const rows = resolve('artifacts/zoo');
const python = '/usr/bin/python3';
const modes = ['eval', 'train'] as const;
/** The largest relative error of an output. */
const tolerance = 1e-5;
/** Milliseconds for a network. */
const longest = 900_000;

interface Checked {
  /** Relative errors of outputs: the network's beside onnxruntime on the file; the engine's beside the file that was written. */
  readonly forward: number;
  readonly written: number;
  readonly gradients: GradientErrors;
  /** The gradients' error in PyTorch's own float32. */
  readonly torchFloat32: number;
}

interface Row {
  readonly name: string;
  readonly weights: number;
  readonly modes: Readonly<Partial<Record<(typeof modes)[number], Checked | { readonly fault: string }>>>;
}

const hasTorch = (): boolean => {
  try {
    execFileSync(python, ['-c', 'import torch, torchvision, onnx'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};

const listed = (kind: string): string[] =>
  execFileSync(python, ['-W', 'ignore', '-c', `import sys; sys.path.insert(0, "test/zoo"); import models; print(*models.${kind})`], { encoding: 'utf8' }).trim().split(' '); // prettier-ignore

const pathOf = (name: string, mode: string): string => join(folder, `${name}.${mode}.onnx`);

async function checkMode(name: string, mode: (typeof modes)[number]): Promise<{ weights: number; checked: Checked }> {
  const path = pathOf(name, mode);
  const model = (await readModel(path, { workspace: folder })) as GraphModel;
  const reference = readReference(path);
  const batch = engineBatch(model, reference);
  const { network } = model;
  const samples = randomSamples(network, model.file.model, reference.batch, 5);
  // onnxruntime runs no BatchNormalization in training mode: the file for evaluation says what both give.
  const oracle = readFileSync(pathOf(name, 'eval'));
  const expected = await fileOutputs(oracle, readOnnx(oracle, { path: name }), samples);
  const outputs = await networkOutputs(network, inferenceGraph(network, reference.batch), samples, reference.batch);
  const forward = relativeError(outputs.slice(0, expected.length), expected);
  const gradients = await checkGradients(model, reference, batch);
  const written = await lcIteration(model, batch, join(folder, `${name}.${mode}.written.onnx`));
  const weights = network.weights.reduce((sum, { trainable, shape }) => sum + (trainable ? sizeOf(shape) : 0), 0);
  return { weights, checked: { forward, written, gradients, torchFloat32: reference.torchFloat32 } };
}

async function check(name: string): Promise<Row> {
  const { stderr } = spawnSync(python, ['-W', 'ignore', 'test/zoo/export.py', folder, 'gradients', name], { encoding: 'utf8' }); // prettier-ignore
  const checked: Record<string, Checked | { fault: string }> = {};
  let weights = 0;
  for (const mode of modes) {
    try {
      if (!existsSync(pathOf(name, mode))) throw new Error(`not exported: ${stderr.trim().split('\n').at(-1)}`);
      const found = await checkMode(name, mode);
      weights = found.weights;
      checked[mode] = found.checked;
    } catch (error) {
      checked[mode] = { fault: (error as Error).message.slice(0, 500) };
    }
  }
  for (const mode of modes) for (const end of ['onnx', 'json', 'bin']) rmSync(join(folder, `${name}.${mode}.${end}`), { force: true }); // prettier-ignore
  return { name, weights, modes: checked };
}

const holds = (checked: Row['modes'][(typeof modes)[number]]): boolean =>
  checked !== undefined &&
  !('fault' in checked) &&
  checked.forward <= tolerance &&
  checked.written <= tolerance &&
  checked.gradients.error <= gradientTolerance;

function cells(checked: Row['modes'][(typeof modes)[number]]): string[] {
  if (checked === undefined || 'fault' in checked) return [checked?.fault ?? 'not run', '', '', ''];
  const { forward, written, gradients, torchFloat32 } = checked;
  const inFloat64 = gradients.computedIn === 'float64' ? ` in float64 (float32 ${gradients.float32.toExponential(0)}, PyTorch's ${torchFloat32.toExponential(0)})` : ''; // prettier-ignore
  return [
    forward.toExponential(0),
    `${gradients.error.toExponential(0)}${inFloat64}`,
    `${gradients.compared}/${gradients.trained}`,
    written.toExponential(0),
  ];
}

const line = ({ name, weights, modes: of }: Row): string =>
  `| ${[name, weights.toLocaleString('en'), ...modes.flatMap((mode) => cells(of[mode]))].join(' | ')} |`;

function rowOf(name: string): Row {
  const path = join(rows, `${name}.json`);
  if (!existsSync(path)) {
    const { signal, status, stderr } = spawnSync(process.execPath, ['--max-old-space-size=4096', process.argv[1]!, '--one', name], { encoding: 'utf8', timeout: longest }); // prettier-ignore
    if (!existsSync(path)) {
      const fault = `the process ended with ${signal ?? status}: ${stderr.trim().split('\n').at(-1)}`;
      return { name, weights: 0, modes: { eval: { fault } } };
    }
  }
  return JSON.parse(readFileSync(path, 'utf8')) as Row;
}

const [first, ...others] = process.argv.slice(2);
if (first === '--one') {
  mkdirSync(rows, { recursive: true });
  for (const name of others) writeFileSync(join(rows, `${name}.json`), JSON.stringify(await check(name)));
} else if (!hasTorch())
  console.log('skipped: /usr/bin/python3 has no PyTorch, torchvision or ONNX (Debian: python3-torchvision, python3-onnx)'); // prettier-ignore
else {
  const names = first === undefined ? [...listed('SMALL'), ...listed('TORCHVISION')] : [first, ...others];
  const heads = ['output', 'gradients', 'tensors', 'written'];
  console.log(
    `| network | weights | ${modes.flatMap((mode) => heads.map((head) => `${head} (${mode})`)).join(' | ')} |`,
  );
  console.log(`| --- | --- | ${modes.flatMap(() => heads.map(() => '---')).join(' | ')} |`);
  if (first === undefined)
    for (const name of listed('TOO_LARGE')) console.log(`| ${name} | skipped: its file is above 2 GB |`);
  let failed = 0;
  for (const name of names) {
    const row = rowOf(name);
    console.log(line(row));
    if (!modes.every((mode) => holds(row.modes[mode]))) failed++;
  }
  console.log(`${names.length - failed} of ${names.length} networks hold in both modes`);
  if (failed > 0) process.exitCode = 1;
}
