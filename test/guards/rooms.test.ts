/** The table of rooms in docs/architecture.md is that of the lint rules; folders and files stay of a size that one can read. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');
const config = (await import(join(root, 'eslint.config.mjs'))) as { ROOMS: Record<string, string[]> };
const rooms = Object.entries(config.ROOMS);

/** What the table says that a room may import. */
function documented(): Record<string, string[]> {
  const rows = readFileSync(join(root, 'docs/architecture.md'), 'utf8').matchAll(/^\| `(\w+)` +\|.*\| ([^|]+?) +\|$/gm);
  const before: string[] = [];
  return Object.fromEntries(
    [...rows].map(([, name, allowed]) => {
      const names = [...allowed!.matchAll(/`([\w/.]+)`/g)].map(([, each]) => each!);
      const all = allowed === 'all above' ? [...before] : allowed!.startsWith('all but') ? null : names;
      const list = all ?? before.filter((each) => !names.includes(each));
      before.push(name!);
      return [name!, list];
    }),
  );
}

test('the table of rooms is that of the lint rules', () => {
  const sorted = (table: Iterable<[string, string[]]>) =>
    Object.fromEntries([...table].map(([name, allowed]) => [name, [...allowed].sort()]));
  expect(sorted(Object.entries(documented()))).toEqual(sorted(rooms));
});

const tracked = execFileSync('git', ['ls-files', 'daemon', 'extension', 'webview', 'test'], { cwd: root, encoding: 'utf8' })
  .trim()
  .split('\n'); // prettier-ignore

test('no room of the daemon is without a rule, and none has a rule without code', () => {
  const found = new Set(tracked.map((file) => /^daemon\/(\w+)\//.exec(file)?.[1]).filter((name) => name !== undefined));
  expect([...found].sort()).toEqual(rooms.map(([name]) => name).sort());
});

test('no folder has more than 25 files', () => {
  const counts = new Map<string, number>();
  for (const file of tracked) counts.set(dirname(file), (counts.get(dirname(file)) ?? 0) + 1);
  expect([...counts].filter(([, count]) => count > 25)).toEqual([]);
});
