/**
 * Runs inside the extension host (through @vscode/test-electron): what only the API can see. `run` resolves or throws; the
 * result of each check goes to the console.
 */
import assert from 'node:assert/strict';
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
    // It is active by now, so its code is loaded a second time to see what that costs. (Aim: 50 ms on a quiet machine.)
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
