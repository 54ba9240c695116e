import { wasmBase64 } from '../kernels/update.wasm.js';
import type { UpdateSettings } from './reference.js';
import type { Segment } from './segments.js';

/** Byte offsets into the memory of flat vectors of the session's size; float32 except keep. */
export interface UpdateVectors {
  readonly w: number;
  readonly v: number;
  readonly g: number;
  /** Needed when a segment has the penalty. */
  readonly target?: number;
  /** One byte a weight, 0 or not; needed when a segment is masked. */
  readonly keep?: number;
}

export interface Update {
  /** Updates w and v in place; equals `referenceUpdate` up to float32 rounding. Velocities below 2^-100 become 0. */
  step(vectors: UpdateVectors, segments: readonly Segment[], settings: UpdateSettings): void;
}

/** One call for one segment: offsets in bytes (0 for none), weights, settings. See kernels/update.c. */
export type UpdateKernel = (
  w: number,
  v: number,
  g: number,
  target: number,
  keep: number,
  n: number,
  eta: number,
  momentum: number,
  decay: number,
  mu: number,
  nesterov: number,
) => void;

let compiled: WebAssembly.Module | undefined;

/**
 * The fused LC-SGD update as WASM SIMD over a caller's memory (daemon/engine/kernels/update.c). The memory may grow
 * later and may be the one that onnxruntime's tensors are views of. Offset 0 stands for "none", so no vector may start there.
 */
export function createUpdate(memory: WebAssembly.Memory): Update {
  compiled ??= new WebAssembly.Module(Buffer.from(wasmBase64, 'base64'));
  const { exports } = new WebAssembly.Instance(compiled, { env: { memory } });
  return createUpdateBy(exports['update'] as UpdateKernel);
}

/** The update by one build of its kernel. */
export function createUpdateBy(kernel: UpdateKernel): Update {
  return {
    step({ w, v, g, target, keep }, segments, { eta, momentum, nesterov, weightDecay, mu }) {
      for (const { start, end, decay, penalty, mask } of segments) {
        if (penalty && !target) throw new RangeError('a penalised segment needs a target');
        if (mask && !keep) throw new RangeError('a masked segment needs keep');
        const at = 4 * start;
        kernel(
          w + at,
          v + at,
          g + at,
          penalty ? target! + at : 0,
          mask ? keep! + start : 0,
          end - start,
          eta,
          momentum,
          decay ? weightDecay : 0,
          mu,
          nesterov ? 1 : 0,
        );
      }
    },
  };
}
