/**
 * The lint rules that keep the rooms apart, each held against a file that breaks it. The files are planted in a folder of
 * their own with the shape of the repository, so that nothing here is touched.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/** Files and the rule that each breaks; null for a file that is only imported. */
const planted: readonly { file: string; text: string; rule: string | null }[] = [
  {
    file: 'daemon/lc/first.ts',
    text: "export { b } from './second.js';\nexport const a = 1;\n",
    rule: 'import-x/no-cycle',
  },
  {
    file: 'daemon/lc/second.ts',
    text: "export { a } from './first.js';\nexport const b = 2;\n",
    rule: 'import-x/no-cycle',
  },
  { file: 'daemon/engine/one.ts', text: 'export const one = 1;\n', rule: null },
  {
    file: 'daemon/lc/reachesUp.ts',
    text: "export { one } from '../engine/one.js';\n",
    rule: 'import-x/no-restricted-paths',
  },
  {
    file: 'daemon/protocol/reachesUp.ts',
    text: "export { one } from '../engine/one.js';\n",
    rule: 'import-x/no-restricted-paths',
  },
  {
    file: 'extension/reachesIn.ts',
    text: "export { one } from '../daemon/engine/one.js';\n",
    rule: 'import-x/no-restricted-paths',
  },
  {
    file: 'webview/reachesIn.ts',
    text: "export { one } from '../daemon/engine/one.js';\n",
    rule: 'import-x/no-restricted-paths',
  },
  {
    file: 'daemon/lc/readsFiles.ts',
    text: "export { readFile } from 'node:fs/promises';\n",
    rule: 'no-restricted-imports',
  },
  {
    file: 'extension/engine.ts',
    text: "export { Tensor } from '@tensorflow/tfjs-core';\n",
    rule: 'no-restricted-imports',
  },
  {
    file: 'extension/uri.ts',
    text: 'export const path = (uri: { fsPath: string }): string => uri.fsPath;\n',
    rule: 'no-restricted-syntax',
  },
  {
    file: 'webview/socket.ts',
    text: "export const socket = (): WebSocket => new WebSocket('ws://127.0.0.1');\n",
    rule: 'no-restricted-globals',
  },
  {
    file: 'daemon/runs/floating.ts',
    text: 'const work = async (): Promise<void> => {};\nexport function start(): void {\n  work();\n}\n',
    rule: '@typescript-eslint/no-floating-promises',
  },
  {
    file: 'daemon/runs/misused.ts',
    text: 'const work = async (): Promise<void> => {};\nexport const timer = setInterval(work, 1000);\n',
    rule: '@typescript-eslint/no-misused-promises',
  },
  {
    file: 'daemon/runs/forgets.ts',
    text: "export function name(kind: 'a' | 'b'): string {\n  switch (kind) {\n    case 'a':\n      return 'A';\n  }\n  return '';\n}\n",
    rule: '@typescript-eslint/switch-exhaustiveness-check',
  },
];

let folder: string;
let found: Map<string, string[]>;

beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'lc-lint-')));
  for (const { file, text } of planted) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), text);
  }
  for (const name of ['eslint.config.mjs', 'tsconfig.json', 'package.json'])
    cpSync(join(root, name), join(folder, name));
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'), 'dir');
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [join(root, 'node_modules/eslint/bin/eslint.js'), 'daemon', 'extension', 'webview', '--format', 'json'],
    { cwd: folder, encoding: 'utf8', maxBuffer: 2 ** 26 },
  );
  if (!stdout.startsWith('[')) throw new Error(`ESLint did not run: ${stderr}`);
  const results = JSON.parse(stdout) as { filePath: string; messages: { ruleId: string | null; message: string }[] }[];
  found = new Map(
    results.map(({ filePath, messages }) => [
      filePath,
      messages.map(({ ruleId, message }) => ruleId ?? `no rule: ${message}`),
    ]),
  );
}, 180_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each(planted.filter(({ rule }) => rule !== null))('$file breaks $rule', ({ file, rule }) => {
  expect(found.get(join(folder, file))).toEqual([rule]);
});
