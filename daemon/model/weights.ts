/** Replaces weights of a model, and computes its fingerprint. */
import { createHash } from 'node:crypto';
import { frontEndOf } from './frontEnds/frontEndOf.js';
import type { Model, WeightTensor } from './model.js';

/**
 * @param replaced new values by weight name; each as long as the weight it replaces. Weights not named keep theirs.
 * @returns a model that shares everything but these tensors with `model`; `model` itself is unchanged.
 * @throws RangeError on an unknown name or a wrong length.
 */
export function withWeights<M extends Model>(model: M, replaced: ReadonlyMap<string, Float32Array>): M {
  const known = new Set(model.weights.map((weight) => weight.name));
  for (const name of replaced.keys()) if (!known.has(name)) throw new RangeError(`the model has no weight "${name}"`);
  const weights = model.weights.map((weight): WeightTensor => {
    const data = replaced.get(weight.name);
    if (data === undefined) return weight;
    if (data.length !== weight.data.length) {
      throw new RangeError(`"${weight.name}" has ${weight.data.length} values, not ${data.length}`);
    }
    return { ...weight, data };
  });
  return { ...model, weights };
}

/** JSON with sorted keys: equal objects give equal text. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    item !== null && typeof item === 'object' && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  );
}

/** sha256 (hex) over what the model computes (the normalised topology, or the operations) and every weight's name, shape and bits; independent of its path. */
export function hashModel(model: Model): string {
  const hash = createHash('sha256').update(canonicalJson(frontEndOf(model).identity()));
  for (const { name, shape, dtype, data } of [...model.weights].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    hash.update(`\n${JSON.stringify([name, shape, dtype])}\n`);
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest('hex');
}
