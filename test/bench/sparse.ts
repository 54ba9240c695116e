/** Latency on LeNet300, of one sample and of 64 a call: the generated sparse module beside onnxruntime on the dense and the thinned network. */
import { cpus } from 'node:os';
import * as ort from 'onnxruntime-node';
import { sparseModule } from '../../daemon/export/sparse/sparseModule.js';
import { thin } from '../../daemon/export/thin.js';
import { onnxFile } from '../../daemon/export/writeOnnx.js';
import { createRandom } from '../../daemon/lc/random.js';
import { keepLargest } from '../../daemon/lc/projections/select.js';
import { buildArchitecture } from '../../daemon/model/setup/architectures.js';
import type { LayersModel } from '../../daemon/model/model.js';
import { withWeights } from '../../daemon/model/weights.js';

const SHARES = [1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01];
const ROUNDS = 7;
const CALLS = 400;
const BATCHES = [1, 64];

const reference = buildArchitecture('lenet300', 1);
const random = createRandom(2);
// A digit: four pixels of five are 0.
const samples = Float32Array.from({ length: 784 * Math.max(...BATCHES) }, () => (random.next() < 0.2 ? random.next() : 0)); // prettier-ignore

/** The largest weights of each kernel, as magnitude pruning per layer keeps them. */
function pruned(share: number): LayersModel {
  const kernels = reference.weights.filter(({ name }) => name.endsWith('kernel'));
  return withWeights(
    reference,
    new Map(
      kernels.map(({ name, data }) => {
        const kept = new Float32Array(data.length);
        keepLargest(data, Math.ceil(share * data.length), kept);
        return [name, kept] as const;
      }),
    ),
  );
}

/** Microseconds per call: the median of the rounds' means. */
async function latency(call: () => unknown): Promise<number> {
  for (let i = 0; i < CALLS; i++) await call();
  const rounds: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    for (let i = 0; i < CALLS; i++) await call();
    rounds.push((1000 * (performance.now() - start)) / CALLS);
  }
  return rounds.sort((a, b) => a - b)[Math.floor(ROUNDS / 2)]!;
}

async function onnxLatency(model: LayersModel, batch: number): Promise<number> {
  const session = await ort.InferenceSession.create(await onnxFile(model), { intraOpNumThreads: 1 });
  const feeds = { [session.inputNames[0]!]: new ort.Tensor('float32', samples.subarray(0, 784 * batch), [batch, 784]) };
  return latency(() => session.run(feeds));
}

async function moduleLatency(model: LayersModel, batch: number): Promise<number> {
  const text = sparseModule(model);
  const { predict } = (await import(`data:text/javascript;base64,${Buffer.from(text).toString('base64')}`)) as {
    predict(inputs: Float32Array): Float32Array;
  };
  const inputs = samples.subarray(0, 784 * batch);
  return latency(() => predict(inputs));
}

console.log(`LeNet300, microseconds a call (median of ${ROUNDS} rounds of ${CALLS}); ${cpus()[0]!.model}, 1 thread`);
for (const batch of BATCHES) {
  console.log(
    `\n| kept, ${batch} a call | onnxruntime dense | onnxruntime thinned | sparse module |\n|---|---|---|---|`,
  );
  for (const share of SHARES) {
    const model = pruned(share);
    const thinned = thin(model).model;
    const figures = [await onnxLatency(model, batch), await onnxLatency(thinned, batch), await moduleLatency(thinned, batch)]; // prettier-ignore
    console.log(`| ${100 * share}% | ${figures.map((figure) => figure.toFixed(1)).join(' | ')} |`);
  }
}
