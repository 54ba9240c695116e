/**
 * What structure finds in networks that PyTorch exports: `npm run zoo:structure [names]`. Of each network: its units that can go and
 * the share of the FLOPs that goes with all of them but one a tensor; then half of them, drawn by a seed, are set to 0 and
 * taken out, and both networks run in onnxruntime on one image of 224 x 224. Exports are kept in .cache/zoo.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRandom } from '../../daemon/lc/random.js';
import { flopsOf } from '../../daemon/network/structure/flops.js';
import { reasonText } from '../../daemon/network/structure/reasons.js';
import { inferencePass } from '../../daemon/network/structure/structure.js';
import { thinGraph } from '../../daemon/network/structure/thin.js';
import { unitGroupsOf } from '../../daemon/network/structure/unitGroups.js';
import { readOnnx } from '../../daemon/onnx/file/readOnnx.js';
import { networkOfOnnx } from '../../daemon/onnx/lower/onnxNetwork.js';
import { zeroUnits } from '../unit/network/structure/zeroUnits.js';
import { passOutputs, randomSamples, relativeError } from './forward.js';

const NETWORKS = ['resnet50', 'mobilenet_v3_large', 'efficientnet_b0', 'densenet121', 'vit_b_16'];

const percent = (share: number): string => `${(100 * share).toFixed(1)}%`;

async function line(name: string): Promise<string> {
  const path = `.cache/zoo/${name}.eval.onnx`;
  if (!existsSync(path)) execFileSync('/usr/bin/python3', ['-W', 'ignore', 'test/zoo/export.py', '.cache/zoo', '224', name], { stdio: ['ignore', 'ignore', 'inherit'] }); // prettier-ignore
  const model = readOnnx(readFileSync(path), { path });
  const network = networkOfOnnx(model, path);
  const start = performance.now();
  const graph = inferencePass(network);
  const groups = unitGroupsOf(graph);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  if (process.env['LC_PRUNE_REASONS'] !== undefined)
    for (const reason of groups.reasons) console.log(`${reason.weight}: ${reasonText(reason)}`);
  const values = () => new Map(network.weights.map((weight) => [weight.name, weight.values()]));
  const all = Array.from({ length: groups.count }, (_, group) => group);
  const before = flopsOf(graph).total;
  const none = values();
  zeroUnits(network, groups, all, none);
  const least = flopsOf(thinGraph(graph, none).graph).total;
  const random = createRandom(50);
  const half = values();
  zeroUnits(network, groups, all.filter(() => random.next() < 0.5), half); // prettier-ignore
  const thinned = thinGraph(graph, half);
  const samples = randomSamples(network, model, 1, 5);
  const left = new Map([...thinned.weights].map(([weight, { data }]) => [weight, data]));
  const error = relativeError(await passOutputs(thinned.graph, left, samples), await passOutputs(graph, half, samples));
  const rest = flopsOf(thinned.graph).total;
  return `| ${name} | ${(before / 1e9).toFixed(2)} G | ${groups.count} | ${percent(1 - least / before)} | ${percent(1 - rest / before)} | ${error.toExponential(1)} | ${seconds} s |`;
}

const given = process.argv.slice(2);
console.log(
  '| network | FLOPs | units that can go | FLOPs they make | FLOPs of a random half | thinned beside pruned | time to find them |',
);
console.log('| --- | --- | --- | --- | --- | --- | --- |');
for (const name of given.length > 0 ? given : NETWORKS) console.log(await line(name));
