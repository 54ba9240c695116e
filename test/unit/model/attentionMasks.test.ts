/** Attention layers under the masks that Keras 3 writes into a file: a padded sequence reads as the same sequence without padding. */
import { describe, expect, it } from 'vitest';
import { nativeProvider } from '../../../daemon/engine/native/provider.js';
import { normaliseTopology } from '../../../daemon/model/normalise/normalise.js';
import type { LayersModel } from '../../../daemon/model/model.js';
import { builtModel } from '../export/builtModel.js';

const tensor = (name: string) => ({
  class_name: '__keras_tensor__',
  config: { shape: [null, 4], keras_history: [name, 0, 0] },
});
const layer = (class_name: string, name: string, config: object, args: unknown[], kwargs: object = {}) => ({
  class_name,
  name,
  config: { name, trainable: true, ...config },
  inbound_nodes: args.length > 0 ? [{ args, kwargs }] : [],
}); // prettier-ignore

type Call = (mask: object | null) => readonly [args: unknown[], kwargs: object];
const apart: Call = (mask) => [[tensor('e'), tensor('e')], mask ? { query_mask: mask, value_mask: mask } : {}];
const listed: Call = (mask) => [[[tensor('e'), tensor('e')]], mask ? { mask: [mask, mask] } : {}];

function raw(steps: number, className: string, config: object, call: Call, masked: boolean) {
  const [args, kwargs] = call(masked ? tensor('not_equal') : null);
  const layers = [
    layer('InputLayer', 'in', { batch_shape: [null, steps] }, []),
    layer('Embedding', 'e', { input_dim: 6, output_dim: 4, mask_zero: masked }, [tensor('in')]),
    ...(masked ? [layer('NotEqual', 'not_equal', {}, [tensor('in'), 0])] : []),
    layer(className, 'a', config, args, kwargs),
  ];
  return {
    class_name: 'Functional',
    config: { name: 'm', layers, input_layers: ['in', 0, 0], output_layers: ['a', 0, 0] },
  };
}

const model = (...given: Parameters<typeof raw>): LayersModel => builtModel(normaliseTopology(raw(...given), 'm.keras', true).topology); // prettier-ignore

async function outputs(of: LayersModel, tokens: readonly number[]): Promise<number[]> {
  const session = await nativeProvider.open(of, {
    loss: 'meanSquaredError',
    batchSize: 1,
    purpose: 'inference',
    seed: 1,
  });
  try {
    return [...(await session.predict([Float32Array.from(tokens)], 1))];
  } finally {
    await session.dispose();
  }
}

describe('attention under masks', () => {
  it.each([
    ['MultiHeadAttention', { num_heads: 2, key_dim: 3 }, apart],
    ['MultiHeadAttention', { num_heads: 2, key_dim: 3, dropout: 0.3 }, apart],
    ['GroupedQueryAttention', { head_dim: 3, num_query_heads: 4, num_key_value_heads: 2 }, apart],
    ['Attention', { use_scale: true, score_mode: 'concat' }, listed],
    ['Attention', { use_scale: false, score_mode: 'dot' }, listed],
    ['AdditiveAttention', { use_scale: true }, listed],
  ] as const)('%s %o reads no padding', async (className, config, call) => {
    const short = model(3, className, config, call, false);
    const long = { ...model(5, className, config, call, true), weights: short.weights };
    const expected = await outputs(short, [3, 1, 2]);
    const found = await outputs(long, [3, 1, 2, 0, 0]);
    expect(found.length).toBe((expected.length / 3) * 5);
    expected.forEach((value, i) => expect(found[i]).toBeCloseTo(value, 5));
    // Without the mask the padding is read.
    const unmasked = { ...model(5, className, config, call, false), weights: short.weights };
    const other = await outputs(unmasked, [3, 1, 2, 0, 0]);
    expect(Math.max(...expected.map((value, i) => Math.abs(value - other[i]!)))).toBeGreaterThan(1e-4);
  });

  it('is refused if a mask is not the one that the tensor carries, and if calls differ in what they compute', () => {
    const own = { num_heads: 2, key_dim: 3 };
    const wrong = raw(4, 'MultiHeadAttention', own, () => [[tensor('e'), tensor('e')], { value_mask: tensor('not_equal') }], true);
    (wrong.config.layers[1]!.config as Record<string, unknown>)['mask_zero'] = false;
    expect(() => normaliseTopology(wrong, 'm.keras', true)).toThrow(/layer "a" takes a mask that is not the one its input carries/);
    const twice = raw(4, 'MultiHeadAttention', own, apart, false);
    twice.config.layers.at(-1)!.inbound_nodes.push({ args: [tensor('e'), tensor('e')], kwargs: { use_causal_mask: true } });
    expect(() => normaliseTopology(twice, 'm.keras', true)).toThrow(/layer "a" is called with use_causal_mask and without it/);
  });
}); // prettier-ignore
