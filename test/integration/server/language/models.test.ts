/** Lenses and hovers of model files, over a real daemon and socket. */
import { readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { CodeLens, Hover } from 'vscode-languageserver-protocol/node';
import { buildArchitecture } from '../../../../daemon/model/setup/architectures.js';
import { writeTfjsModel } from '../../../../daemon/model/files/writeTfjs.js';
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

describe('models', () => {
  /** The lenses, once the daemon has read the file. */
  async function lensesOf(name: string): Promise<CodeLens[]> {
    for (;;) {
      const lenses = await editor.client.call<CodeLens[]>('textDocument/codeLens', {
        textDocument: { uri: editor.uriOf(name) },
      });
      if (!lenses[0]?.command?.title.includes('Reading the model')) return lenses;
      await wait(50);
    }
  }
  const titlesOf = async (name: string) => (await lensesOf(name)).map(({ command }) => command!.title);

  it('are told by content and described from disk, zeros a moment later', async () => {
    const registration = await editor.client.waitFor(({ method }) => method === 'client/registerCapability');
    expect(registration.params).toMatchObject({
      registrations: expect.arrayContaining([
        expect.objectContaining({
          method: 'textDocument/didOpen',
          registerOptions: {
            documentSelector: [
              { scheme: 'file', pattern: '**/*.prune.{json,jsonc}' },
              { scheme: 'file', language: 'python' },
              { scheme: 'vscode-notebook-cell', language: 'python' },
            ],
          },
        }),
      ]),
    });
    const first = await titlesOf('model.json');
    expect(first[0]).toContain('266,610 weights');
    await editor.client.waitFor(({ method }) => method === 'workspace/codeLens/refresh');
    while (!(await titlesOf('model.json'))[0]!.includes('zeros')) await wait(50);
    expect((await titlesOf('model.json'))[0]).toMatch(/0% zeros$/);
    for (const [name, text] of [
      ['package.json', '{"name":"x"}'],
      ['broken.json', '{"modelTopology":'],
      ['empty.json', ''],
      ['other.json', '{"class_name": 7}'],
    ] as const) {
      await writeFile(join(editor.workspace, name), text);
      expect(await lensesOf(name)).toEqual([]);
    }
    expect(await lensesOf('absent.json')).toEqual([]);
    await writeFile(join(editor.workspace, 'graph.json'), '{"format":"graph-model","modelTopology":{"node":[]}}');
    expect(await titlesOf('graph.json')).toEqual([
      '$(warning) This file is a graph-model, whose layers are gone; convert the original with --output_format=tfjs_layers_model, or this one with tf2onnx --tfjs',
    ]);
    const cut = (await readFile(join(editor.workspace, 'model.json'), 'utf8')).slice(0, -40);
    await writeFile(join(editor.workspace, 'cut.json'), cut);
    const [title, ...more] = await titlesOf('cut.json');
    expect(title).toMatch(/^\$\(warning\) This file is not valid JSON \(.*; is it cut off\?$/);
    expect(more).toEqual([]);
  });

  it('are read again when the file has changed', async () => {
    expect((await titlesOf('model.json'))[0]).toContain('266,610');
    await writeTfjsModel(buildArchitecture('lenet5', 3), join(editor.workspace, 'model.json'));
    const later = new Date(Date.now() + 5000);
    await utimes(join(editor.workspace, 'model.json'), later, later);
    expect((await titlesOf('model.json'))[0]).toMatch(/^431,080 weights/);
  });

  it('show the arithmetic of a layer on hover', async () => {
    const layerLenses = async () =>
      (await lensesOf('model.json')).filter(({ command }) => command!.command === 'lcPrune.setBudget');
    const text = await readFile(join(editor.workspace, 'model.json'), 'utf8');
    // Without line breaks, as TensorFlow.js itself writes, the lenses keep to the top.
    await writeFile(join(editor.workspace, 'model.json'), JSON.stringify(JSON.parse(text)));
    await wait(20);
    expect(await layerLenses()).toEqual([]);
    await writeFile(join(editor.workspace, 'model.json'), text);
    await wait(20);
    const spread = await layerLenses();
    expect(spread).toHaveLength(3);
    const [first] = spread;
    expect(text.split('\n')[first!.range.start.line]!.trim()).toBe('{');
    const position = { line: first!.range.start.line + 1, character: 8 };
    const hover = await editor.client.call<Hover>('textDocument/hover', {
      textDocument: { uri: editor.uriOf('model.json') },
      position,
    });
    expect(JSON.stringify(hover.contents)).toContain('784 x 300 + 300 = 235,500');
  });
});
