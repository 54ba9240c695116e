import { readFileSync } from 'node:fs';

/** The product's version, from the package.json above the bundle. */
export function version(): string {
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string };
  return manifest.version;
}
