/** Links in documents lead to existing files. */
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const FOLDERS = ['docs', 'docs/decisions', 'extension', 'examples', 'media/walkthrough'];

async function documents(): Promise<string[]> {
  const inside = await Promise.all(
    FOLDERS.map(async (folder) => (await readdir(join(ROOT, folder))).map((name) => join(folder, name))),
  );
  return ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md', ...inside.flat()].filter((name) =>
    name.endsWith('.md'),
  );
}

test('every relative link and picture of a document is there', async () => {
  const missing: string[] = [];
  let links = 0;
  for (const name of await documents()) {
    const text = (await readFile(join(ROOT, name), 'utf8')).replaceAll(/```[\s\S]*?```|`[^`\n]*`/g, '');
    for (const [, target] of text.matchAll(/\]\(([^)\s#]+)[^)]*\)/g)) {
      if (/^[a-z]+:/.test(target!)) continue;
      links++;
      if (!existsSync(join(ROOT, dirname(name), target!))) missing.push(`${name}: ${target}`);
    }
  }
  expect(missing).toEqual([]);
  expect(links).toBeGreaterThan(50);
});

test('every file of the code that a document names is there', async () => {
  const missing: string[] = [];
  let names = 0;
  for (const name of await documents()) {
    // A change log keeps the names of its time.
    if (name === 'CHANGELOG.md') continue;
    const text = (await readFile(join(ROOT, name), 'utf8')).replaceAll(/```[\s\S]*?```/g, '');
    for (const [, path] of text.matchAll(
      /`((?:daemon|extension|webview|test)\/[\w./-]+|[\w-]+\/[\w./-]+\.(?:ts|mjs|c|h))`/g,
    )) {
      names++;
      if (!['', 'daemon', 'webview', 'extension'].some((room) => existsSync(join(ROOT, room, path!))))
        missing.push(`${name}: ${path}`);
    }
  }
  expect(missing).toEqual([]);
  expect(names).toBeGreaterThan(50);
});
