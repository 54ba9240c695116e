/**
 * Networks that PyTorch exports, through the reader and the lowering: `npm run test:zoo [names]`. Each is exported for evaluation and
 * for training, with an open batch and with a fixed one; what the network gives is compared with onnxruntime on the file for
 * evaluation. Prints a table. Skipped where Debian's Python has no PyTorch. Exports are kept in .cache/zoo.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readOnnx } from '../../daemon/onnx/file/readOnnx.js';
import { networkOfOnnx } from '../../daemon/onnx/lower/onnxNetwork.js';
import { sizeOf } from '../../daemon/protocol/shape.js';
import { fileOutputs, inferenceGraph, networkOutputs, randomSamples, relativeError } from './forward.js';

const folder = '.cache/zoo';
const python = '/usr/bin/python3';
const kinds = ['eval', 'eval.fixed', 'train', 'train.fixed'];
const batch = 3;
/** The largest relative error of an output. */
const tolerance = 1e-5;

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

const pathOf = (name: string, kind: string): string => join(folder, `${name}.${kind}.onnx`);

/** A line of the table for one network. @returns whether all of it holds */
async function check(name: string): Promise<boolean> {
  if (!existsSync(pathOf(name, 'eval'))) execFileSync(python, ['-W', 'ignore', 'test/zoo/export.py', folder, name], { stdio: ['ignore', 'ignore', 'inherit'] }); // prettier-ignore
  const oracle = readFileSync(pathOf(name, 'eval'));
  const oracleModel = readOnnx(oracle, { path: name });
  const cells: string[] = [];
  let holds = true;
  let facts = '';
  for (const kind of kinds) {
    const path = pathOf(name, kind);
    if (!existsSync(path)) {
      cells.push('not exported');
      continue;
    }
    try {
      const model = readOnnx(readFileSync(path), { path });
      const network = networkOfOnnx(model, path);
      const samples = randomSamples(network, model, batch, 5);
      const graph = inferenceGraph(network, batch);
      const expected = await fileOutputs(oracle, oracleModel, samples);
      const error = relativeError((await networkOutputs(network, graph, samples, batch)).slice(0, expected.length), expected);
      holds &&= error <= tolerance;
      cells.push(error.toExponential(1));
      const transposes = graph.nodes.filter(({ op }) => op === 'Transpose').length;
      const weights = network.weights.filter(({ trainable }) => trainable).reduce((sum, { shape }) => sum + sizeOf(shape), 0); // prettier-ignore
      facts = `${weights} | ${graph.nodes.length} | ${transposes}`;
      if (process.env['LC_PRUNE_NOTES'] !== undefined) console.log(name, kind, network.notes);
    } catch (error) {
      holds = false;
      cells.push((error as Error).message.slice(0, 300));
    }
  }
  console.log(`| ${name} | ${cells.join(' | ')} | ${facts} |`);
  return holds;
}

if (!hasTorch()) console.log('skipped: /usr/bin/python3 has no PyTorch, torchvision or ONNX (Debian: python3-torchvision, python3-onnx)'); // prettier-ignore
else {
  const given = process.argv.slice(2);
  const names = given.length > 0 ? given : [...listed('SMALL'), ...listed('TORCHVISION')];
  console.log(`| network | ${kinds.join(' | ')} | weights | nodes | transposes |`);
  console.log(`| --- | ${kinds.map(() => '---').join(' | ')} | --- | --- | --- |`);
  let failed = 0;
  for (const name of names) if (!(await check(name))) failed++;
  console.log(`${names.length - failed} of ${names.length} networks within ${tolerance}`);
  if (failed > 0) process.exitCode = 1;
}
