/** Converts weights between models (by name) and sessions (flat). */
import type { EngineSession, Parameter } from '../../engine/engine.js';
import type { Model } from '../../model/model.js';
import { UserError } from '../../protocol/errors.js';
import type { Assembled } from './assembled.js';

/** Names of the session's non-trainable state, in order: the model's other weights with values. */
export async function stateNames(model: Model, session: EngineSession): Promise<string[]> {
  const trained = new Set(session.parameters.map(({ name }) => name));
  const others = model.weights.filter(({ name }) => !trained.has(name));
  const state = await session.getState();
  let at = 0;
  for (const { name, data } of others) {
    const same =
      at + data.length <= state.length && data.every((x, i) => Object.is(x, state[at + i]) || x === state[at + i]);
    if (!same)
      throw new UserError('engine-failed', `${session.info.name} lost the weight "${name}"; choose another engine`);
    at += data.length;
  }
  if (at !== state.length)
    throw new UserError('engine-failed', `${session.info.name} has state that is not in the model`);
  return others.map(({ name }) => name);
}

/** @param names of the session's state, in order. */
export function weightsByName(
  model: Model,
  parameters: readonly Parameter[],
  names: readonly string[],
): Pick<Assembled, 'flatWeights' | 'withWeights'> {
  return {
    flatWeights({ weights, path }) {
      const byName = new Map(weights.map(({ name, data }) => [name, data]));
      const flat = (wanted: readonly { name: string; size: number }[]) => {
        const values = new Float32Array(wanted.reduce((sum, { size }) => sum + size, 0));
        let at = 0;
        for (const { name, size } of wanted) {
          const data = byName.get(name);
          if (data?.length !== size)
            throw new UserError('run-invalid', `${path} is not of this run: "${name}" is missing or of another size`, { file: path }); // prettier-ignore
          values.set(data, at);
          at += size;
        }
        return values;
      };
      const own = new Map(model.weights.map(({ name, data }) => [name, data.length]));
      const states = names.map((name) => ({ name, size: own.get(name)! }));
      return { weights: flat([...parameters].sort((a, b) => a.offset - b.offset)), statistics: flat(states) };
    },
    withWeights(weights, statistics) {
      const map = new Map(parameters.map(({ name, offset, size }) => [name, weights.slice(offset, offset + size)]));
      let at = 0;
      for (const name of names) {
        const { length } = model.weights.find((weight) => weight.name === name)!.data;
        map.set(name, statistics.slice(at, at + length));
        at += length;
      }
      return map;
    },
  };
}
