import type { RecordedAddon } from './targets.mjs';

export function sha256(bytes: Uint8Array): string;
export function inspectVsix(
  vsix: Uint8Array,
  options: {
    target: string;
    addon: RecordedAddon | null;
    publishable: boolean;
    hasPicture: (path: string) => boolean;
  },
): { faults: string[]; native: { path: string; bytes: number; sha256: string }[]; unpacked: number };
