/**
 * Runs inside the extension host (through @vscode/test-electron): what only the API can see. `run` resolves or throws; the
 * result of each check goes to the console.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import * as vscode from 'vscode';
import manifest from '../../../package.json' with { type: 'json' };

const ID = `${manifest.publisher}.${manifest.name}`;
const checks: Record<string, () => Promise<void>> = {
  async 'is installed and activates on its own for a plan'() {
    const extension = vscode.extensions.getExtension(ID);
    assert.ok(extension, `${ID} is not there`);
    await extension.activate();
    // The extension is active by now, so its code is loaded a second time to measure that. (Aim: 50 ms on a quiet machine.)
    const file = join(extension.extensionPath, manifest.main);
    const load = createRequire(file);
    delete load.cache[load.resolve(file)];
    const start = performance.now();
    load(file);
    console.log(`[suite]   loading the extension's code again: ${(performance.now() - start).toFixed(1)} ms`);
    // What the editor itself has measured of the real activation: reading the code, then `activate`.
    for (const [what, begin, end] of [
      ['loading its code', 'willLoadExtensionCode', 'didLoadExtensionCode'],
      ['activate()', 'willActivateExtension', 'didActivateExtension'],
    ] as const) {
      const milliseconds = between(begin, end);
      console.log(`[suite]   ${what}, as the editor measured: ${milliseconds?.toFixed(1) ?? 'not known'} ms`);
    }
    assert.equal(extension.isActive, true);
  },
  async 'registers every command of its manifest'() {
    const registered = await vscode.commands.getCommands(true);
    for (const { command } of manifest.contributes.commands) assert.ok(registered.includes(command), command);
  },
  async 'gives plans their language, with the daemon as its only server'() {
    const [uri] = await vscode.workspace.findFiles('*.prune.json');
    assert.ok(uri);
    const document = await vscode.workspace.openTextDocument(uri);
    assert.equal(document.languageId, 'lc-prune-plan');
    await vscode.window.showTextDocument(document);
    const lenses = await eventually(
      () => vscode.commands.executeCommand<vscode.CodeLens[]>('vscode.executeCodeLensProvider', uri),
      (found) => found.length > 0,
    );
    const commands = lenses.map((lens) => lens.command?.command);
    assert.ok(commands.includes('lcPrune.run'), String(commands));
  },
  async 'diagnoses a wrong plan while it is typed'() {
    const [uri] = await vscode.workspace.findFiles('*.prune.json');
    const document = await vscode.workspace.openTextDocument(uri!);
    const editor = await vscode.window.showTextDocument(document);
    const at = document.positionAt(document.getText().indexOf('"budget"') + 1);
    await editor.edit((edit) => edit.replace(new vscode.Range(at, at.translate(0, 6)), 'bugdet'));
    const found = await eventually(
      async () => vscode.languages.getDiagnostics(uri!),
      (diagnostics) => diagnostics.length > 0,
    );
    assert.match(found.map((diagnostic) => diagnostic.message).join(), /bugdet.*budget/s);
    await vscode.commands.executeCommand('workbench.action.files.revert');
  },
  async 'answers assistants: runs, a budget, the monitor, and a model pruned after the confirmation'() {
    const call = async (name: string, input: object): Promise<string> => {
      const { content } = await vscode.lm.invokeTool(name, { input, toolInvocationToken: undefined });
      return content.map((part) => (part as vscode.LanguageModelTextPart).value).join('');
    };
    for (const { name } of manifest.contributes.languageModelTools)
      assert.ok(
        vscode.lm.tools.some((tool) => tool.name === name),
        name,
      );
    const [found] = await vscode.workspace.findFiles('**/model.json');
    const model = vscode.workspace.asRelativePath(found!);
    assert.match(await call('lcPrune_previewBudget', { model, budget: '1%' }), /2,662 weights/);
    assert.match(await call('lcPrune_previewBudget', { model, budget: '900000 weights' }), /Impossible/);
    await assert.rejects(call('lcPrune_previewBudget', { model, budget: '5 bananas' }), /no budget/);
    await assert.rejects(call('lcPrune_previewBudget', { model: '../../etc/passwd', budget: '1%' }));
    await assert.rejects(call('lcPrune_openMonitor', { runs: ['nothing'] }), /No run is called/);
    // Dialogs are confirmed of themselves where an extension is tested.
    const started = await call('lcPrune_pruneModel', { model, budget: '1%', data: 'mnist' });
    const run = /^Run (\S+) has started/.exec(started)?.[1];
    assert.ok(run, started);
    assert.match(started, /It takes about /);
    assert.match(await call('lcPrune_showRuns', {}), new RegExp(`- ${run} \\(lc, running\\)`));
    assert.match(await call('lcPrune_openMonitor', { runs: [run] }), /The monitor shows/);
    await vscode.commands.executeCommand('lcPrune.stop', undefined);
  },
  async 'has a task for each plan, which finds the errors in it'() {
    const tasks = await vscode.tasks.fetchTasks({ type: 'lc-prune' });
    const [uri] = await vscode.workspace.findFiles('*.prune.json');
    const plan = vscode.workspace.asRelativePath(uri!);
    assert.ok(
      tasks.some(({ definition, problemMatchers }) => definition['plan'] === plan && problemMatchers.length === 1),
      JSON.stringify(tasks.map(({ definition }) => definition)),
    );
    const bad = vscode.Uri.joinPath(vscode.workspace.workspaceFolders![0]!.uri, 'bad.prune.json');
    await vscode.workspace.fs.writeFile(
      bad,
      Buffer.from('{\n  "model": "model.json", "data": "mnist", "budget": { "keep": "1%" },\n  "budgit": 1\n}'),
    );
    const task = (await vscode.tasks.fetchTasks({ type: 'lc-prune' })).find(
      ({ definition }) => definition['plan'] === 'bad.prune.json',
    );
    // The npm-installed host has no terminals: the task's own process is run without one.
    const { process: program, args, options } = task!.execution as vscode.ProcessExecution;
    const { status, stderr } = spawnSync(program, args, {
      cwd: options!.cwd!,
      env: { ...process.env, ...options!.env },
      encoding: 'utf8',
    });
    assert.equal(status, 2, stderr);
    const [pattern] = manifest.contributes.problemPatterns;
    const found = new RegExp(pattern!.regexp, 'm').exec(stderr);
    assert.deepEqual([found?.[pattern!.file], found?.[pattern!.line]], ['bad.prune.json', '3'], stderr);
    await vscode.workspace.fs.delete(bad);
  },
  async 'leads from Python and a notebook to the model that was saved'() {
    const root = vscode.workspace.workspaceFolders![0]!.uri;
    const source = "tfjs.converters.save_keras_model(model, 'lenet300')";
    const python = vscode.Uri.joinPath(root, 'train.py');
    await vscode.workspace.fs.writeFile(python, Buffer.from(source));
    const notebook = vscode.Uri.joinPath(root, 'train.ipynb');
    const cells = [{ cell_type: 'code', metadata: {}, source: [source], outputs: [], execution_count: null }];
    const metadata = { language_info: { name: 'python' } };
    await vscode.workspace.fs.writeFile(notebook, Buffer.from(JSON.stringify({ cells, metadata, nbformat: 4, nbformat_minor: 5 }))); // prettier-ignore
    const lensesOf = (uri: vscode.Uri) =>
      eventually(
        () => vscode.commands.executeCommand<vscode.CodeLens[]>('vscode.executeCodeLensProvider', uri),
        (lenses) => lenses.length > 0,
      );
    await vscode.window.showTextDocument(python);
    const [lens] = await lensesOf(python);
    assert.equal(lens!.command?.command, 'lcPrune.pruneModel');
    assert.match(lens!.command!.title, /Prune lenet300\/model\.json to budget/);
    const document = await vscode.workspace.openNotebookDocument(notebook);
    await vscode.window.showNotebookDocument(document);
    const [ofCell] = await lensesOf(document.cellAt(0).document.uri);
    assert.deepEqual(ofCell!.command?.arguments, lens!.command!.arguments);
    for (const uri of [python, notebook]) await vscode.workspace.fs.delete(uri);
  },
  async 'shows samples and an evaluation without leaving the editor'() {
    const uri = vscode.Uri.joinPath(vscode.workspace.workspaceFolders![0]!.uri, 'shown.prune.json');
    const plan = { model: 'lenet300/model.json', data: { source: 'mnist', limit: 2000 }, budget: { keep: '2%' } };
    await vscode.workspace.fs.writeFile(uri, Buffer.from(JSON.stringify(plan)));
    const labels = () => vscode.window.tabGroups.all.flatMap(({ tabs }) => tabs.map(({ label }) => label));
    await vscode.commands.executeCommand('lcPrune.previewData', { plan: uri.fsPath });
    await eventually(
      async () => labels(),
      (found) => found.includes('Data of shown.prune.json'),
    );
    await vscode.commands.executeCommand('lcPrune.evaluate', { plan: uri.fsPath });
    const shown = vscode.window.activeTextEditor!.document;
    assert.equal(shown.uri.scheme, 'lc-prune-result');
    assert.match(shown.getText(), /error \d/);
  },
};

interface EditorMarks {
  getMarks(): { name: string; startTime: number }[];
}

/** Milliseconds between two of the editor's own performance marks about this extension. */
function between(begin: string, end: string): number | undefined {
  const marks = (globalThis as { MonacoPerformanceMarks?: EditorMarks }).MonacoPerformanceMarks?.getMarks() ?? [];
  const at = (name: string) => marks.find((mark) => mark.name.endsWith(`${name}/${ID}`))?.startTime;
  const [from, to] = [at(begin), at(end)];
  return from === undefined || to === undefined ? undefined : to - from;
}

async function eventually<T>(read: () => Thenable<T>, done: (value: T) => boolean): Promise<T> {
  for (let i = 0; ; i++) {
    const value = await read();
    if (done(value)) return value;
    if (i > 300) throw new Error(`Not within 30 s; last: ${JSON.stringify(value)}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

export async function run(): Promise<void> {
  const failed: string[] = [];
  for (const [name, check] of Object.entries(checks)) {
    try {
      await check();
      console.log(`[suite] ok ${name}`);
    } catch (error) {
      failed.push(name);
      console.error(`[suite] NOT ok ${name}\n${(error as Error).stack}`);
    }
  }
  if (failed.length > 0)
    throw new Error(`${failed.length} of ${Object.keys(checks).length} failed: ${failed.join(', ')}`);
}
