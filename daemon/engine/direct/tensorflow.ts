import type * as Core from '@tensorflow/tfjs-core';
import type * as Layers from '@tensorflow/tfjs-layers';

/**
 * One instance of TensorFlow.js: its operations and its layers, which must share one engine. tfjs-node brings an instance
 * of its own, so nothing in this room imports TensorFlow.js by name; it is handed on.
 */
export interface TensorFlow {
  readonly core: typeof Core;
  readonly layers: typeof Layers;
  /** Name of the registered backend to compute on: "cpu", "webgpu", "tensorflow". */
  readonly backend: string;
}

/**
 * Makes this instance's backend the active one: another session (or the tracer) may have left its own.
 * Takes effect at once, as every backend is initialised when its session opens.
 */
export function activate({ core, backend }: TensorFlow): void {
  if (core.getBackend() !== backend) void core.setBackend(backend);
}
