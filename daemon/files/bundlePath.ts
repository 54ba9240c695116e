import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * A bundle of the product (dist/NAME.mjs): beside the running one (dist/cli.mjs, dist/chunks/*.mjs), or in dist seen from the
 * sources; undefined where it is missing.
 */
export const bundlePath = (name: string): string | undefined =>
  [`./${name}.mjs`, `../${name}.mjs`, `../../dist/${name}.mjs`]
    .map((path) => fileURLToPath(new URL(path, import.meta.url)))
    .find((path) => existsSync(path));
