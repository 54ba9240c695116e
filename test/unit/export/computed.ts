/** Outputs of the engine, which the matrix of layers compares with NumPy. */
import { nativeProvider } from '../../../daemon/engine/native/provider.js';
import type { LayersModel } from '../../../daemon/model/model.js';

/** @param shape of the inputs, the batch in front. */
export async function computed(model: LayersModel, inputs: Float32Array, [batch = 1]: readonly number[]): Promise<Float32Array> {
  const spec = { loss: 'meanSquaredError', classification: false, batchSize: batch, purpose: 'inference', seed: 0 } as const;
  const session = await nativeProvider.open(model, spec);
  try {
    return await session.predict([inputs], batch);
  } finally {
    await session.dispose();
  }
} // prettier-ignore
