import { UserError } from '../../protocol/errors.js';
import type { UpdateVectors } from '../update/update.js';

/** The session's flat vectors in one WebAssembly memory: the update's kernel and onnxruntime's tensors share them. */
export interface FlatVectors {
  readonly memory: WebAssembly.Memory;
  /** Weights, velocity, gradient, penalty target; and one byte a weight for masks. */
  readonly w: Float32Array;
  readonly v: Float32Array;
  readonly g: Float32Array;
  readonly target: Float32Array;
  readonly keep: Uint8Array;
  readonly offsets: Required<UpdateVectors>;
}

const pageBytes = 65536;
/** One cache line; also keeps offset 0, which means "none", unused. */
const alignment = 64;

/** @throws UserError('engine-failed') if the memory cannot be allocated. */
export function allocateVectors(size: number): FlatVectors {
  const bytes = Math.ceil((4 * size) / alignment) * alignment;
  const at = (i: number) => alignment + i * bytes;
  const offsets = { w: at(0), v: at(1), g: at(2), target: at(3), keep: at(4) };
  const pages = Math.ceil((at(4) + size) / pageBytes);
  let memory: WebAssembly.Memory;
  try {
    memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  } catch {
    const megabytes = Math.ceil((pages * pageBytes) / 2 ** 20);
    throw new UserError('engine-failed', `no memory for ${size} weights (${megabytes} MB, at most 4096 MB)`);
  }
  const floats = (offset: number) => new Float32Array(memory.buffer, offset, size);
  return {
    memory,
    w: floats(offsets.w),
    v: floats(offsets.v),
    g: floats(offsets.g),
    target: floats(offsets.target),
    keep: new Uint8Array(memory.buffer, offsets.keep, size),
    offsets,
  };
}
