import { availableParallelism } from 'node:os';
import { UserError } from '../../protocol/errors.js';
import { CompiledSession } from '../compiled/session.js';
import type { EngineProvider } from '../engine.js';
import { loadAddon } from './addon.js';
import { NativeGraph } from './nativeGraph.js';
import { Unsupported } from './units.js';

const id = 'native-cpu';
const info = (threads: number) => ({
  id,
  name: 'Compiled graph on the CPU (own kernels)',
  device: `CPU, ${threads} thread${threads === 1 ? '' : 's'}`,
});

/** The compiled engine on our own kernels: "native-cpu". Refuses what they do not cover, by name; onnxruntime covers that. */
export const nativeProvider: EngineProvider = {
  id,
  async probe() {
    const found = loadAddon();
    const reason = 'addon' in found ? 'its kernels are built for this processor' : found.reason;
    return { ...info(availableParallelism()), available: 'addon' in found, reason };
  },
  async open(model, spec) {
    const found = loadAddon();
    if ('reason' in found) throw new UserError('engine-unavailable', `engine ${id}: ${found.reason}`);
    const threads = spec.threads ?? availableParallelism();
    try {
      return await CompiledSession.open(info(threads), model, spec, async (graph, inputs, outputs) =>
        NativeGraph.create(found.addon, graph, inputs, outputs, threads),
      );
    } catch (error) {
      if (error instanceof Unsupported) throw new UserError('model-unsupported', `engine ${id}: ${error.message}`);
      if (error instanceof RangeError) throw new UserError('engine-failed', `engine ${id}: ${error.message}`);
      throw error;
    }
  },
};
