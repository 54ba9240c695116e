export interface Kernel {
  readonly sources: readonly string[];
  readonly flags: readonly string[];
}
export const wasmKernels: { readonly update: Kernel; readonly sparse: Kernel };
export function nativeKernel(target: string): Kernel;
export function sourceHash(kernel: Kernel): string;
export function bytesHash(bytes: Buffer): string;
export function compileWasm(kernel: Kernel): Buffer;
export function compileNative(more?: readonly string[], target?: string): Buffer;
export function nodeHeaders(): string | null;
