export interface WasmKernel {
  readonly sources: readonly string[];
  readonly flags: readonly string[];
}
export const wasmKernels: { readonly update: WasmKernel };
export function sourceHash(kernel: WasmKernel): string;
export function compileWasm(kernel: WasmKernel): Buffer;
