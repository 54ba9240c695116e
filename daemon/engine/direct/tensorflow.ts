import type * as Core from '@tensorflow/tfjs-core';
import type * as Layers from '@tensorflow/tfjs-layers';

/**
 * One instance of TensorFlow.js: its operations and its layers, which must share one engine. tfjs-node has an instance of its own, so nothing in this
 * room imports TensorFlow.js by name; the instance is passed as an argument.
 */
export interface TensorFlow {
  readonly core: typeof Core;
  readonly layers: typeof Layers;
  /** Name of the registered backend to compute on: "cpu", "webgpu", "tensorflow". */
  readonly backend: string;
}

/**
 * Makes this instance's backend the active one, because another session (or the tracer) may have changed it. Takes effect at once, because every
 * backend is initialised when its session opens.
 */
export function activate({ core, backend }: TensorFlow): void {
  if (core.getBackend() !== backend) void core.setBackend(backend);
}
