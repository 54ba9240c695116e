/** The product's own sessions of one network on onnx-cpu and native-cpu, with the graphs that they run. */
import type { CreateExecutor } from '../../../daemon/engine/compiled/executor.js';
import { onnxExecutor } from '../../../daemon/engine/compiled/onnxGraph.js';
import { CompiledSession } from '../../../daemon/engine/compiled/session.js';
import type { Graph } from '../../../daemon/network/ir.js';
import { type Addon, loadAddon } from '../../../daemon/engine/native/addon.js';
import { NativeGraph } from '../../../daemon/engine/native/nativeGraph.js';
import { Unsupported } from '../../../daemon/engine/native/units.js';
import type { LayersModel } from '../../../daemon/model/model.js';
import { UserError } from '../../../daemon/protocol/errors.js';
import { type Network, specOf } from './networks/network.js';

export const engineNames = ['onnx', 'native'] as const;
export type EngineName = (typeof engineNames)[number];

export interface Opened {
  readonly name: EngineName;
  readonly session: CompiledSession;
  /** Training, then (once something was predicted) inference. */
  readonly graphs: readonly Graph[];
  /** A violation by the engine that does not depend on the numbers. */
  readonly faults: readonly string[];
}

const guard = 256;
/** Nobody's number: neither 0, which hides reads of what was never written, nor NaN, which 0 times it is not 0. */
const garbage = 98765.4375;

/**
 * The addon, but its arena lies between guards and is full of garbage at first: writing beyond the arena and reading what was
 * never written show.
 */
function guarded(addon: Addon, faults: string[]): Addon {
  const arenas = new Map<object, Float32Array>();
  const check = (program: object) => {
    const whole = arenas.get(program)!;
    const touched = [...whole.subarray(0, guard), ...whole.subarray(-guard)].some((x) => x !== garbage);
    if (touched && faults.length === 0) faults.push('native wrote outside of its arena');
  };
  return {
    ...addon,
    levels: () => addon.levels(),
    create(buffers, ...more) {
      const whole = new Float32Array(buffers[0]!.length + 2 * guard).fill(garbage);
      const program = addon.create([whole.subarray(guard, -guard), ...buffers.slice(1)], ...more);
      arenas.set(program, whole);
      return program;
    },
    async run(program) {
      await addon.run(program);
      check(program);
    },
    runNow(program) {
      addon.runNow(program);
      check(program);
    },
  };
}

const info = (name: EngineName) => ({ id: `${name}-cpu`, name: `${name}-cpu`, device: 'CPU' });

/** @returns the reason if the network is refused. @throws errors that are not refusals. */
export async function openEngine(
  name: EngineName,
  model: LayersModel,
  network: Network,
): Promise<Opened | { readonly refused: string }> {
  const graphs: Graph[] = [];
  const faults: string[] = [];
  const create: CreateExecutor = (graph, inputs, outputs) => {
    graphs.push(graph);
    if (name === 'onnx') return onnxExecutor({ provider: 'cpu', threads: 1 })(graph, inputs, outputs);
    const found = loadAddon();
    if ('reason' in found) throw new UserError('engine-unavailable', found.reason);
    const levels = found.addon.levels();
    const level = levels[Math.min(network.level, levels.length - 1)]!;
    const native = NativeGraph.create(guarded(found.addon, faults), graph, inputs, outputs, { threads: network.threads, level }); // prettier-ignore
    return Promise.resolve(native);
  };
  try {
    const session = await CompiledSession.open(info(name), model, specOf(network), async (...call) => create(...call));
    return { name, session, graphs, faults };
  } catch (error) {
    if (isRefusal(error)) return { refused: refusalOf(graphs.length > 0 ? name : 'trace', error) };
    throw error;
  }
}

export const isRefusal = (error: unknown): error is Error =>
  error instanceof Unsupported || (error instanceof UserError && error.code === 'model-unsupported');

/** The reason without what differs from network to network: names and sizes. */
export const refusalOf = (by: string, error: Error): string =>
  `${by}: ${error.message
    .replace(/ ?\(layer "[^"]*"\)/, '')
    .replace(/(the )?layer "[^"]*"/, 'a layer')
    .replace(/network \d+/, 'the model')
    .replace(/ of (\[[\d,]*\] ?)+/, '')
    .replace(/\w+_\d+/g, 'some')
    .replace(/\[[^\]]*\]/g, '[..]')
    .replace(/\d+(\.\d+)?/g, 'n')
    .slice(0, 160)}`;
