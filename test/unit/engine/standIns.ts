/** Engines that are wrong, slow or absent on purpose, around the real one. */
import { compiledProvider } from '../../../daemon/engine/compiled/provider.js';
import { directProviders } from '../../../daemon/engine/direct/providers.js';
import type { EngineProvider, EngineSession } from '../../../daemon/engine/engine.js';
import { UserError } from '../../../daemon/protocol/errors.js';

export const onnx = compiledProvider('cpu');
export const plain = directProviders([])[3];

type Step = Awaited<ReturnType<EngineSession['gradient']>>;

export interface Stand extends Partial<Omit<EngineProvider, 'probe' | 'open'>> {
  readonly available?: boolean;
  readonly fails?: string;
  readonly device?: string;
  /** Milliseconds a gradient takes on top. */
  readonly delay?: number;
  /** Milliseconds that the first gradients take on top. */
  readonly delays?: readonly number[];
  /** Changes the inputs before the engine computes. */
  input?(input: Float32Array): Float32Array;
  /** Changes the numbers of a step. */
  step?(step: Step, session: EngineSession, inputs: readonly Float32Array[]): Step;
  output?(output: Float32Array, inputs: readonly Float32Array[]): Float32Array;
}

/** @param open the ids of the sessions that are open. */
export function standIn(stand: Stand, open: string[] = [], around: EngineProvider = onnx): EngineProvider {
  const { available = true, fails, device = 'stand-in', delay = 0, delays = [], input, step, output, ...own } = stand;
  const { reference: _, ...traits } = around;
  const id = own.id ?? around.id;
  const info = { id, name: id, device };
  const waits = [...delays];
  return {
    ...traits,
    ...own,
    id,
    probe: async () => ({ ...info, available, reason: available ? 'here' : 'not here' }),
    async open(model, spec) {
      if (fails) throw new UserError('model-unsupported', fails);
      const session = await around.open(model, spec);
      open.push(id);
      const wrapped: Partial<EngineSession> = {
        info,
        async gradient(inputs, target) {
          const wait = waits.shift() ?? delay;
          if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
          const result = await session.gradient(input ? inputs.map(input) : inputs, target);
          return step ? step(result, session, inputs) : result;
        },
        async predict(inputs, count) {
          const result = await session.predict(input ? inputs.map(input) : inputs, count);
          return output ? output(result, inputs) : result;
        },
        async dispose() {
          open.splice(open.indexOf(id), 1);
          await session.dispose();
        },
      };
      return new Proxy(session, {
        get: (target, key) => {
          if (key in wrapped) return wrapped[key as keyof EngineSession];
          const value: unknown = Reflect.get(target, key, target);
          return typeof value === 'function' ? (value.bind(target) as unknown) : value;
        },
      });
    },
  };
}

/** A gradient in which the one parameter is multiplied. */
export const scaled =
  (name: string, factor: number): NonNullable<Stand['step']> =>
  ({ loss, gradient }, { parameters }) => {
    const { offset, size } = parameters.find((parameter) => parameter.name === name)!;
    const wrong = gradient.slice();
    for (let i = offset; i < offset + size; i++) wrong[i]! *= factor;
    return { loss, gradient: wrong };
  };
