import { defaultThreads } from './threads.js';
import type { EngineProvider } from '../engine.js';
import { type ExecutionProvider, onnxExecutor } from './onnxGraph.js';
import { tryProvider } from './probe.js';
import { loadRuntime } from './runtime.js';
import { CompiledSession } from './session.js';

const words: Record<ExecutionProvider, { name: string; device(threads: number): string }> = {
  cpu: { name: 'Compiled graph on the CPU (onnxruntime)', device: (threads) => `CPU, ${threads} thread${threads === 1 ? '' : 's'}` },
  webgpu: { name: 'Compiled graph on WebGPU (onnxruntime)', device: () => 'GPU (WebGPU)' },
  cuda: { name: 'Compiled graph on CUDA (onnxruntime)', device: () => 'GPU (CUDA)' },
  dml: { name: 'Compiled graph on DirectML (onnxruntime)', device: () => 'GPU (DirectML)' },
  coreml: { name: 'Compiled graph on Core ML (onnxruntime)', device: () => 'Apple GPU or Neural Engine' },
}; // prettier-ignore

/** The compiled engine on one of onnxruntime's execution providers: "onnx-cpu", "onnx-webgpu"... */
export function compiledProvider(provider: ExecutionProvider): EngineProvider {
  const id = `onnx-${provider}`;
  const info = (threads = defaultThreads()) => ({
    id,
    name: words[provider].name,
    device: words[provider].device(threads),
  });
  let tried: Promise<string | null> | undefined;
  return {
    id,
    noise: 'shared',
    // A GPU is tried in a process of its own; CUDA and others round the factors of products to TF32.
    ...(provider === 'cpu'
      ? { precision: 'float32', reference: 'first' }
      : { precision: 'reduced', probesAside: true }),
    async probe() {
      try {
        const ort = await loadRuntime();
        if (provider === 'cpu') return { ...info(), available: true, reason: 'part of onnxruntime' };
        if (!ort.listSupportedBackends().some(({ name }) => name === provider))
          return { ...info(), available: false, reason: `onnxruntime has no ${provider} provider on this platform` };
      } catch (error) {
        return { ...info(), available: false, reason: (error as Error).message };
      }
      tried ??= tryProvider(provider);
      const reason = await tried;
      return { ...info(), available: reason === null, reason: reason ?? 'computes a trial correctly' };
    },
    open(model, spec) {
      const threads = spec.threads ?? defaultThreads();
      return CompiledSession.open(info(threads), model, spec, onnxExecutor({ provider, threads }));
    },
  };
}
