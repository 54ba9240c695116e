import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import * as vscode from 'vscode';
import { copyExample } from '../../../../extension/example/copyExample.js';
import { openExample, showExample } from '../../../../extension/example/openExample.js';

const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));
const EXAMPLE = join(ROOT, 'examples/lenet300');
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'example-test-'));
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(folder, { recursive: true, force: true, maxRetries: 10 });
});

describe('the copy', () => {
  test('has the model byte for byte, its weights, and a plan that needs nothing outside the folder', async () => {
    const copy = await copyExample(EXAMPLE, folder);
    expect(copy).toBe(join(folder, 'lc-prune-example'));
    expect((await readdir(copy)).sort()).toEqual((await readdir(EXAMPLE)).sort());
    for (const name of await readdir(copy)) {
      const [had, has] = await Promise.all([readFile(join(EXAMPLE, name)), readFile(join(copy, name))]);
      if (name.endsWith('.prune.json'))
        expect(has.toString()).toBe(had.toString().replace('  "$schema": "../../schemas/prune.schema.json",\n', ''));
      else expect(has.equals(had)).toBe(true);
      expect(has.toString()).not.toContain('../');
    }
  });

  test('never touches a folder that is there', async () => {
    await mkdir(join(folder, 'lc-prune-example'));
    await writeFile(join(folder, 'lc-prune-example', 'model.json'), 'mine');
    expect(await copyExample(EXAMPLE, folder)).toBe(join(folder, 'lc-prune-example-2'));
    expect(await readFile(join(folder, 'lc-prune-example', 'model.json'), 'utf8')).toBe('mine');
  });

  test('fails if the folder is gone', async () => {
    await expect(copyExample(EXAMPLE, join(folder, 'gone'))).rejects.toThrow(/ENOENT/);
  });
});

interface Wish {
  /** The place that is picked; null if the user gives up. */
  place: 'temporary' | 'chosen' | null;
  open: string[];
}

/** An editor in which the user picks a place; `opened` lists the folders that it opened. */
function editor({ place, open }: Wish) {
  const kept = new Map<string, unknown>();
  const opened: { uri: { fsPath: string }; options: object }[] = [];
  const shown: string[] = [];
  const contexts: unknown[][] = [];
  Object.assign(vscode.window, {
    showQuickPick: async (items: { isTemporary: boolean }[]) =>
      items.find(({ isTemporary }) => place !== null && isTemporary === (place === 'temporary')),
    showOpenDialog: async () => [{ fsPath: folder }],
    showTextDocument: async (uri: { fsPath: string }) => void shown.push(uri.fsPath),
  });
  Object.assign(vscode.workspace, { workspaceFolders: open.map((path) => ({ uri: { fsPath: path } })) });
  vi.spyOn(vscode.commands, 'executeCommand').mockImplementation(async (command: string, ...args: unknown[]) => {
    if (command === 'setContext') contexts.push(args);
    if (command === 'vscode.openFolder')
      opened.push({ uri: args[0] as { fsPath: string }, options: args[1] as object });
  });
  const context = {
    extensionPath: ROOT,
    globalState: {
      get: (key: string) => kept.get(key),
      update: async (key: string, value: unknown) =>
        void (value === undefined ? kept.delete(key) : kept.set(key, value)),
    },
  } as unknown as vscode.ExtensionContext;
  return { context, opened, shown, contexts };
}

test('with no folder open, the copy opens in this window, and shows the model there once', async () => {
  const { context, opened, shown, contexts } = editor({ place: 'chosen', open: [] });
  await openExample(context);
  const copy = join(folder, 'lc-prune-example');
  expect(opened).toEqual([{ uri: expect.objectContaining({ fsPath: copy }), options: { forceReuseWindow: true } }]);
  // It does not affect another window.
  Object.assign(vscode.workspace, { workspaceFolders: [{ uri: { fsPath: folder } }] });
  await showExample(context);
  expect(shown).toEqual([]);
  Object.assign(vscode.workspace, { workspaceFolders: [{ uri: { fsPath: copy } }] });
  await showExample(context);
  expect(shown).toEqual([join(copy, 'model.json')]);
  expect(contexts).toEqual([['lcPrune.hasExample', true]]);
  await showExample(context);
  expect(shown).toHaveLength(1);
});

test('with a folder open, it opens in a window of its own; a temporary place is a new one', async () => {
  const { context, opened } = editor({ place: 'temporary', open: [folder] });
  await openExample(context);
  const [{ uri, options }] = opened as [(typeof opened)[number]];
  expect(options).toEqual({ forceNewWindow: true });
  expect(dirname(dirname(uri.fsPath))).toBe(tmpdir());
  expect(basename(uri.fsPath)).toBe('lc-prune-example');
  expect(await readdir(uri.fsPath)).toContain('model.json');
  await rm(dirname(uri.fsPath), { recursive: true });
});

test('given up, nothing is written and nothing opens', async () => {
  const { context, opened } = editor({ place: null, open: [] });
  await openExample(context);
  expect(opened).toEqual([]);
  expect(await readdir(folder)).toEqual([]);
});
