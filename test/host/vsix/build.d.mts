export interface VsixManifest extends Record<string, unknown> {
  version: string;
  repository?: { type: string; url: string };
}
export const STAGE: string;
export function buildBundles(): void;
export function vsixManifest(manifest: object, repository: string | null): VsixManifest;
export function buildVsix(target: string, options: { repository: string | null; folder: string }): string;
export function sizeOf(path: string): number;
