export interface RecordedAddon {
  file: string;
  sha256: string;
}
export const ROOT: string;
export const TARGETS: string[];
export function hasRuntime(target: string): boolean;
export function runtimeFolder(target: string): string;
export function runtimeFiles(target: string): string[];
export function recordedAddon(target: string, folder?: string): RecordedAddon | null;
export function expectedNative(target: string, addon: RecordedAddon | null): string[];
