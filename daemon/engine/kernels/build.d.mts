export interface Kernel {
  readonly sources: readonly string[];
  readonly flags: readonly string[];
}
export const wasmKernels: { readonly update: Kernel; readonly sparse: Kernel };
export const nativeKernel: Kernel;
export function sourceHash(kernel: Kernel): string;
export function bytesHash(bytes: Buffer): string;
export function compileWasm(kernel: Kernel): Buffer;
export function compileNative(): Buffer;
export function nodeHeaders(): string | null;
