/** Computes the loss, the gradient and the outputs of networks with the native engine, and prints them as one line of JSON: { name: { loss, gradient, outputs } }, arrays as base64. */
import { nativeProvider } from '../../daemon/engine/native/provider.js';
import { createRandom } from '../../daemon/lc/random.js';
import { buildArchitecture, type Architecture } from '../../daemon/model/setup/architectures.js';

const BATCH = 4;
const base64 = (values: Float32Array) =>
  Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('base64');

const results: Record<string, { loss: number; gradient: string; outputs: string }> = {};
for (const name of ['lenet300', 'lenet5', 'resnet20'] satisfies Architecture[]) {
  const model = buildArchitecture(name, 1);
  const session = await nativeProvider.open(model, {
    loss: 'categoricalCrossentropy',
    batchSize: BATCH,
    seed: 1,
    threads: 2,
  });
  const random = createRandom(9);
  const size = session.inputShapes[0]!.reduce((a, b) => a * b, 1);
  const input = Float32Array.from({ length: BATCH * size }, () => random.next());
  const target = new Float32Array(BATCH * 10);
  for (let i = 0; i < BATCH; i++) target[i * 10 + random.below(10)] = 1;
  const { loss, gradient } = await session.gradient([input], target);
  results[name] = { loss, gradient: base64(gradient), outputs: base64(await session.predict([input], BATCH)) };
  await session.dispose();
}
console.log(JSON.stringify(results));
