import type { KernelBackend } from '@tensorflow/tfjs-core';
import { UserError } from '../../protocol/errors.js';
import type { EngineInfo, EngineProbe, EngineProvider, EngineTraits } from '../engine.js';
import { repairAveragePooling } from './averagePooling.js';
import { repairGradients } from './gradientRepairs.js';
import { repairNearestUpSampling } from './nearestUpSampling.js';
import { findPeer, loadNodeBinding, type Peer } from './peers.js';
import { gradientSelfTest } from './selfTest.js';
import { openDirectSession } from './openSession.js';
import type { TensorFlow } from './tensorflow.js';

/** How one TensorFlow.js backend is found and loaded. */
interface Loader {
  readonly id: string;
  readonly name: string;
  /** Shown until it is loaded: the processor it is for. */
  readonly device: string;
  readonly traits: Omit<EngineTraits, 'noise'>;
  /** Why it cannot run here, without loading it; null if only loading can show it. */
  absent(): string | null;
  /** @throws Error with one clear line. */
  load(): Promise<{ tf: TensorFlow; device: string }>;
}

/** Loads once: native bindings and GPU devices belong to the process. */
function provider({ id, name, device, traits, absent, load }: Loader): EngineProvider {
  let loaded: Promise<{ tf: TensorFlow; info: EngineInfo }> | undefined;
  const ready = () =>
    (loaded ??= load()
      .then(async ({ tf, device }) => {
        // Without it TensorFlow.js advertises its other packages on the console.
        tf.core.enableProdMode();
        repairAveragePooling(tf);
        repairNearestUpSampling(tf);
        repairGradients(tf);
        await gradientSelfTest(tf);
        return { tf, info: { id, name, device } };
      })
      .catch((error: unknown) => {
        loaded = undefined;
        throw error;
      }));
  return {
    id,
    ...traits,
    // TensorFlow.js seeds each layer from Math.random, which the session replaces.
    noise: 'own',
    async probe(): Promise<EngineProbe> {
      const reason = absent();
      if (reason) return { id, name, device, available: false, reason };
      try {
        const { info } = await ready();
        return { ...info, available: true, reason: 'loads, and its gradients pass the self-test' };
      } catch (error) {
        return { id, name, device, available: false, reason: (error as Error).message };
      }
    },
    async open(model, spec) {
      const reason = absent();
      if (reason) throw new UserError('engine-unavailable', `engine ${id}: ${reason}`);
      const { tf, info } = await ready().catch((error: Error) => {
        throw error instanceof UserError ? error : new UserError('engine-failed', `engine ${id}: ${error.message}`);
      });
      if (model.kind === 'graph')
        throw new UserError('model-unsupported', `engine ${id}: TensorFlow.js computes layers, not the operations of ${model.path}; native-cpu and onnx-cpu do, on platforms that have them (see: lc-prune engines)`); // prettier-ignore
      return openDirectSession(tf, info, model, spec);
    },
  };
}

type NodeBinding = TensorFlow['core'] & TensorFlow['layers'];

function nodeBinding(id: 'tfjs-node' | 'tfjs-node-gpu', name: string, folders: readonly string[]): Loader {
  const packageName = `@tensorflow/${id}`;
  const search = () => findPeer(packageName, folders);
  return {
    id,
    name,
    device: id === 'tfjs-node-gpu' ? 'GPU (CUDA)' : 'CPU',
    traits: { precision: id === 'tfjs-node-gpu' ? 'reduced' : 'float32' },
    absent() {
      const found = search();
      return 'missing' in found ? found.missing : null;
    },
    async load() {
      const tf = loadNodeBinding((search() as { peer: Peer }).peer, packageName) as NodeBinding;
      const backend = tf.backend() as KernelBackend & { isUsingGpuDevice?: boolean };
      const onGpu = backend.isUsingGpuDevice === true;
      if (id === 'tfjs-node-gpu' && !onGpu) {
        // Without a usable GPU it computes on the CPU without notice.
        throw new Error(`${packageName} sees no GPU: check the driver and that CUDA 11.2 and cuDNN 8.1 are installed`);
      }
      return {
        tf: { core: tf, layers: tf, backend: tf.getBackend() },
        device: onGpu ? 'GPU (CUDA, TensorFlow)' : 'CPU (TensorFlow)',
      };
    },
  };
}

/** TensorFlow.js on WebGPU (Dawn in Node). Its packages must share one tfjs-core, so all are resolved from the backend's folder. */
function webgpu(folders: readonly string[]): Loader {
  const packages = ['@tensorflow/tfjs-backend-webgpu', 'webgpu'];
  return {
    id: 'tfjs-webgpu',
    name: 'TensorFlow.js on WebGPU',
    device: 'GPU (WebGPU)',
    traits: { precision: 'reduced' },
    absent() {
      for (const name of packages) {
        const found = findPeer(name, folders);
        if ('missing' in found) return found.missing;
      }
      return null;
    },
    async load() {
      const { peer } = findPeer(packages[0]!, folders) as { peer: Peer };
      const dawn = (findPeer('webgpu', folders) as { peer: Peer }).peer.require('webgpu') as {
        create(options: string[]): unknown;
        globals: object;
      };
      // The backend looks for both while it loads.
      Object.assign(globalThis, dawn.globals);
      const gpu = dawn.create([]);
      const navigator = (globalThis.navigator ?? {}) as object;
      Object.defineProperty(navigator, 'gpu', { value: gpu, configurable: true });
      if (!globalThis.navigator)
        Object.defineProperty(globalThis, 'navigator', { value: navigator, configurable: true });
      const adapter = await (gpu as { requestAdapter(): Promise<GpuAdapter | null> }).requestAdapter();
      if (!adapter)
        throw new Error('WebGPU finds no adapter: check the graphics driver (Vulkan, Metal or Direct3D 12)');
      const core = peer.require('@tensorflow/tfjs-core') as TensorFlow['core'];
      const layers = peer.require('@tensorflow/tfjs-layers') as TensorFlow['layers'];
      peer.require(packages[0]!);
      if (!(await core.setBackend('webgpu'))) throw new Error('the WebGPU backend of TensorFlow.js does not start');
      return { tf: { core, layers, backend: 'webgpu' }, device: adapter.info?.description || 'GPU (WebGPU)' };
    },
  };
}

interface GpuAdapter {
  readonly info?: { readonly description?: string };
}

/** Plain JavaScript: computes everything TensorFlow.js can, slowly. */
const cpu: Loader = {
  id: 'tfjs-cpu',
  name: 'TensorFlow.js in plain JavaScript',
  device: 'CPU, 1 thread',
  traits: { precision: 'float32', reference: 'second', slow: true },
  absent: () => null,
  async load() {
    const core = await import('@tensorflow/tfjs-core');
    const layers = await import('@tensorflow/tfjs-layers');
    await import('@tensorflow/tfjs-backend-cpu');
    const active = core.getBackend();
    await core.setBackend('cpu');
    if (active && active !== 'cpu') await core.setBackend(active);
    return { tf: { core, layers, backend: 'cpu' }, device: 'CPU, 1 thread' };
  },
};

/**
 * TensorFlow.js's own engines, in this order: tfjs-node-gpu, tfjs-webgpu, tfjs-node, tfjs-cpu. Its WASM backend is left out: it lacks the weight
 * gradient of convolutions and computes a wrong gradient for max pooling.
 * @param folders where optional packages are looked for, best first.
 */
export function directProviders(
  folders: readonly string[],
): [nodeGpu: EngineProvider, webgpu: EngineProvider, node: EngineProvider, cpu: EngineProvider] {
  return [
    provider(nodeBinding('tfjs-node-gpu', 'TensorFlow on CUDA', folders)),
    provider(webgpu(folders)),
    provider(nodeBinding('tfjs-node', 'TensorFlow on the CPU', folders)),
    provider(cpu),
  ];
}
