/** Lenses of Python programs and notebooks that save models, over a real daemon and socket. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { CodeLens } from 'vscode-languageserver-protocol/node';
import { LanguageServer, type Editor } from './languageServer.js';

let server: LanguageServer;
let editor: Editor;
beforeAll(async () => {
  server = await LanguageServer.start();
});
beforeEach(async () => {
  editor = await server.open();
});
afterEach(() => editor.close());
afterAll(() => server.close());

describe('lenses of Python', () => {
  const SOURCE = [
    "model.save('model.keras')",
    "tfjs.converters.save_keras_model(model, '.')",
    "model.save('none.keras')",
    "torch.onnx.export(net, x, 'net.onnx')",
    "model.save('../outside.keras')",
    "model.save('text.h5')",
  ].join('\n');
  const keras = () => readFile('test/unit/model/fixtures/cnn.keras');
  const lensesOf = async (uri: string, text: string) => {
    editor.client.notify('textDocument/didOpen', { textDocument: { uri, languageId: 'python', version: 1, text } });
    return editor.client.call<CodeLens[]>('textDocument/codeLens', { textDocument: { uri } });
  };
  const shown = (lenses: CodeLens[]) => lenses.map(({ range, command }) => [range.start.line, command!.title, command!.arguments![0]]); // prettier-ignore

  beforeEach(async () => {
    await writeFile(join(editor.workspace, 'model.keras'), await keras());
    await writeFile(join(server.scratch.path, 'outside.keras'), await keras());
    await writeFile(join(editor.workspace, 'text.h5'), 'no model');
    await writeFile(join(editor.workspace, 'net.onnx'), await readFile('test/fixtures/onnx/cnn-training.onnx'));
    editor.client.notify('lc/trust', { trusted: true });
  });

  it('lead to the models that are there and open here, from a file, a folder below and a cell of a notebook', async () => {
    const expected = [
      [0, '$(target) Prune model.keras to budget...', { model: join(editor.workspace, 'model.keras') }],
      [1, '$(target) Prune ./model.json to budget...', { model: join(editor.workspace, 'model.json') }],
      [3, '$(target) Prune net.onnx to budget...', { model: join(editor.workspace, 'net.onnx') }],
    ];
    expect(shown(await lensesOf(editor.uriOf('train.py'), SOURCE))).toEqual(expected);
    const cell = `${editor.uriOf('a b.ipynb').replace('file:', 'vscode-notebook-cell:')}#W0sZmlsZQ`;
    expect(shown(await lensesOf(cell, SOURCE))).toEqual(expected);
    await mkdir(join(editor.workspace, 'src'));
    // A program below is often started from the workspace's folder.
    expect(shown(await lensesOf(editor.uriOf('src/train.py'), SOURCE))).toEqual(expected);
    expect(await lensesOf(pathToFileURL(join(server.scratch.path, 'train.py')).href, SOURCE)).toEqual([]);
  });

  it('follow the text as it is typed', async () => {
    const uri = editor.uriOf('train.py');
    expect(await lensesOf(uri, "model.save('model.kera')")).toEqual([]);
    const range = { start: { line: 0, character: 22 }, end: { line: 0, character: 22 } };
    editor.client.notify('textDocument/didChange', { textDocument: { uri, version: 2 }, contentChanges: [{ range, text: 's' }] }); // prettier-ignore
    expect(await editor.client.call<CodeLens[]>('textDocument/codeLens', { textDocument: { uri } })).toHaveLength(1);
  });

  it('are none in a workspace that is not trusted', async () => {
    editor.client.notify('lc/trust', { trusted: false });
    expect(await lensesOf(editor.uriOf('train.py'), SOURCE)).toEqual([]);
  });
});
