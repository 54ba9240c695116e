import { UserError } from '../../protocol/errors.js';
import { CompiledSession } from '../compiled/session.js';
import { defaultThreads } from '../compiled/threads.js';
import type { EngineProvider } from '../engine.js';
import { kernelLevel, loadAddon } from './addon.js';
import { NativeGraph } from './nativeGraph.js';
import { Unsupported } from './units.js';

const id = 'native-cpu';
const info = (threads: number, level: string) => ({
  id,
  name: 'Compiled graph on the CPU (own kernels)',
  device: `CPU, ${threads} thread${threads === 1 ? '' : 's'}, ${level}`,
});

/** The compiled engine on our own kernels: "native-cpu". Refuses what they do not cover, by name; onnxruntime covers that. */
export const nativeProvider: EngineProvider = {
  id,
  noise: 'shared',
  precision: 'float32',
  async probe() {
    const found = loadAddon();
    if ('reason' in found) return { ...info(defaultThreads(), 'no kernels'), available: false, reason: found.reason };
    try {
      const reason = 'its kernels are built for this processor';
      return { ...info(defaultThreads(), kernelLevel(found.addon)), available: true, reason };
    } catch (error) {
      return { ...info(defaultThreads(), 'no kernels'), available: false, reason: (error as Error).message };
    }
  },
  async open(model, spec) {
    const found = loadAddon();
    if ('reason' in found) throw new UserError('engine-unavailable', `engine ${id}: ${found.reason}`);
    const threads = spec.threads ?? defaultThreads();
    const level = kernelLevel(found.addon);
    return CompiledSession.open(info(threads, level), model, spec, async (graph, inputs, outputs) => {
      try {
        return NativeGraph.create(found.addon, graph, inputs, outputs, { threads, level });
      } catch (error) {
        if (error instanceof Unsupported) throw new UserError('model-unsupported', `engine ${id}: ${error.message}`);
        if (error instanceof RangeError) throw new UserError('engine-failed', `engine ${id}: ${error.message}`);
        throw error;
      }
    });
  },
};
