/** What the bundles carry, as `esbuild.mjs` builds them. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

let out: string;
/** Paths of the modules in each bundle, which esbuild writes above their code. */
const modules = new Map<string, string[]>();
beforeAll(() => {
  out = mkdtempSync(join(tmpdir(), 'bundles-'));
  execFileSync(process.execPath, ['esbuild.mjs', `--out=${out}`]);
  for (const file of readdirSync(out, { recursive: true, encoding: 'utf8' }).filter((name) => /\.[cm]?js$/.test(name)))
    modules.set(
      file,
      [...readFileSync(join(out, file), 'utf8').matchAll(/^\s*\/\/ (\S*node_modules\/\S+)$/gm)].map(
        ([, path]) => path!,
      ),
    );
});
afterAll(() => rmSync(out, { recursive: true, force: true }));

// `import { z }` takes all of zod along, half of it messages in forty languages; of `import * as z` what is used stays.
test('the validator comes without its messages in other languages', () => {
  const all = [...modules.values()].flat();
  expect([...modules.keys()]).toEqual(expect.arrayContaining(['daemon.mjs', 'cli.mjs', 'trainer.mjs', 'client.cjs']));
  expect(all.filter((file) => file.includes('zod/v4/core/schemas'))).not.toEqual([]);
  expect(modules.get('client.cjs')!.filter((file) => file.includes('zod/v4/core/schemas'))).not.toEqual([]);
  expect(all.filter((file) => /zod\/.*locales\/(?!en\.)/.test(file))).toEqual([]);
});
