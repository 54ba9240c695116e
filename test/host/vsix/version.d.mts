export function releaseVersion(asked: string | undefined, present: string): string;
export function releaseChangelog(changelog: string, version: string): string;
export function changes(changelog: string, version: string): string;
export function withVersion(text: string, version: string): string;
export function checksums(files: { path: string; sha256: string }[], nameOf: (path: string) => string): string;
