/** Files of runs whose plans lie in a subfolder: what each command opens, shows, asks and offers. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, test, vi } from 'vitest';
import { AbsolutePath, WorkspacePath } from '../../../daemon/protocol/paths.js';
import { runCommands } from '../../../extension/commands/runs.js';
import { planCommands } from '../../../extension/commands/plans.js';
import { inWorkspace, sameFileAs } from '../../../extension/paths.js';
import { Runs, toRun } from '../../../extension/runs.js';
import { RunsView } from '../../../extension/views/runsView.js';
import * as vscode from './vscode.js';

/** Two workspace folders, the second opened by a link; names with spaces and letters that are not ASCII. */
const root = realpathSync(mkdtempSync(join(tmpdir(), 'paths-')));
afterAll(() => rmSync(root, { recursive: true }));
const [one, two] = ['été – modèles', 'zwei'].map((name) => join(root, name));
const link = join(root, 'link zu zwei');
for (const folder of [one!, two!]) {
  mkdirSync(join(folder, 'réseau 網路'), { recursive: true });
  writeFileSync(join(folder, 'réseau 網路', 'plan à essayer.prune.json'), '{ "model": "net.json" }');
}
symlinkSync(two!, link);
const SUB = 'réseau 網路';
const PLAN = `${SUB}/plan à essayer.prune.json`;
const planIn = (folder: string) => AbsolutePath.parse(join(folder, PLAN));

const summary = (run: string, workspace: string, more: object = {}) => ({
  run, workspace: AbsolutePath.parse(workspace), folder: AbsolutePath.parse(join(workspace, '.lcprune/runs', run)), plan: 'plan à essayer',
  planPath: WorkspacePath.parse(PLAN), model: `${SUB}/net.json`, modelPath: WorkspacePath.parse(`${SUB}/net.json`), method: 'lc',
  engine: null, state: 'done' as const, started: 1, ended: 2, iteration: 1, iterations: 1, progress: 1, error: 0, referenceError: 0, kept: 1,
  prunable: 1, etaSeconds: null, samplesPerSecond: null, message: null, ...more,
}); // prettier-ignore

/** The extension's name of a run. */
const idOf = (run: string, workspace: string) => summary(run, workspace).folder;

const opened = vi.fn(async (_uri: { fsPath: string }) => undefined);
const offered = vi.fn(async (_options: { defaultUri: { fsPath: string } }): Promise<unknown> => undefined);
const said = vi.fn(async (..._text: string[]): Promise<undefined> => undefined);
Object.assign(vscode.window, { showTextDocument: opened, showSaveDialog: offered, showInformationMessage: said });
beforeEach(() => vi.clearAllMocks());

/** The listeners to the daemon, by the notification. */
const live = new Map<string, (payload: unknown) => void>();

/** The extension's commands over a daemon that has these runs. */
async function stand(...list: ReturnType<typeof summary>[]) {
  const asked: [string, unknown][] = [];
  const daemon = {
    on: (method: string, handle: (payload: unknown) => void) => {
      live.set(method, handle);
      return new vscode.Disposable(() => {});
    },
    onDidChangeState: () => new vscode.Disposable(() => {}),
    session: async () => undefined,
    log: { error: (error: Error) => expect.unreachable(error.message) },
    request: async (method: string, params: unknown) => {
      asked.push([method, params]);
      if (method === 'lc/runs') return list;
      if (method === 'lc/missingPackages') return { packages: [], folder: root };
      if (method === 'lc/exportFormats') return [{ format: 'f', name: 'f', extension: '.json', bytes: 1, gzip: 1, brotli: 1, ratio: 1, network: null }]; // prettier-ignore
      return { run: 'r', folder: idOf('r', one!), text: '', problem: null };
    },
  };
  const runs = new Runs(daemon as never);
  await runs.load();
  const whileAsked = (_run: unknown, _text: string, request: Promise<unknown>) => request;
  const monitor = { show: vi.fn(), shown: [], showStarting: vi.fn(), whileAsked };
  const services = { daemon, runs, monitor, log: daemon.log } as never;
  return { asked, runs, monitor, commands: { ...runCommands(services), ...planCommands(services) } };
}

test('a path in a workspace folder is a file there, and never one outside', () => {
  const folder = AbsolutePath.parse(one);
  expect(inWorkspace(folder, WorkspacePath.parse(PLAN))).toBe(planIn(one!));
  expect(inWorkspace(folder, WorkspacePath.parse('..a/b.json'))).toBe(join(one!, '..a/b.json'));
  expect(inWorkspace(folder, WorkspacePath.parse('../x.json'))).toBeNull();
  expect(inWorkspace(folder, WorkspacePath.parse('/etc/passwd'))).toBeNull();
});

test('a file is the same by any link to it, and by its name when it is gone', () => {
  const same = sameFileAs(planIn(link));
  expect([planIn(link), planIn(two!), planIn(one!)].map(same)).toEqual([true, true, false]);
  const gone = AbsolutePath.parse('/gone/a.json');
  expect([gone, AbsolutePath.parse('/gone/b.json')].map(sameFileAs(gone))).toEqual([true, false]);
});

test('"Open monitor" above a plan shows its latest run; of another folder’s plan of the same name it has none', async () => {
  const { commands, monitor } = await stand(summary('old', one!), summary('new', one!, { started: 5 }));
  await commands['lcPrune.openMonitor'].run({ plan: planIn(one!) }, []);
  expect(monitor.show).toHaveBeenCalledExactlyOnceWith([idOf('new', one!)]);
  await commands['lcPrune.openMonitor'].run({ plan: planIn(two!) }, []);
  expect(said).toHaveBeenCalledExactlyOnceWith('This plan has not been run yet.');
});

test('a plan in a folder that is opened by a link has its runs, by whichever name it is called', async () => {
  const { commands, monitor } = await stand(summary('r', link));
  for (const plan of [planIn(link), planIn(two!)]) await commands['lcPrune.openMonitor'].run({ plan }, []);
  expect(monitor.show.mock.calls).toEqual([[[idOf('r', link)]], [[idOf('r', link)]]]);
});

test('"Compare runs" above a plan takes all of its finished runs and no other', async () => {
  const { commands, monitor } = await stand(
    summary('a', one!, { started: 3 }),
    summary('b', one!),
    summary('running', one!, { state: 'running' }),
    summary('other', two!),
  );
  await commands['lcPrune.compareRuns'].run({ plan: planIn(one!) }, []);
  expect(monitor.show).toHaveBeenCalledExactlyOnceWith([idOf('a', one!), idOf('b', one!)]);
});

test('"Open Plan of Run" opens the file', async () => {
  const { commands, runs } = await stand(summary('r', one!));
  await commands['lcPrune.openPlan'].run({ summary: runs.get(idOf('r', one!))! }, []);
  expect(opened.mock.calls[0]![0].fsPath).toBe(planIn(one!));
});

test('"Export" offers the plan’s folder, or the workspace folder if the run has no plan file', async () => {
  class Pick {
    items: unknown[] = [];
    activeItems = [];
    selectedItems: unknown[] = [];
    accept = () => {};
    onDidAccept = (accept: () => void) => (this.accept = accept);
    onDidHide = () => {};
    show() {}
    hide() {}
    dispose() {}
  }
  const pick = new Pick();
  Object.assign(vscode.window, { createQuickPick: () => pick });
  const { commands, runs } = await stand(summary('r', one!), summary('bare', one!, { planPath: null }));
  for (const run of ['r', 'bare']) {
    const done = commands['lcPrune.exportModel'].run({ summary: runs.get(idOf(run, one!))! }, []);
    await vi.waitFor(() => expect(pick.items).toHaveLength(1));
    pick.selectedItems = pick.items;
    pick.accept();
    await done;
    pick.items = [];
  }
  expect(offered.mock.calls.map(([{ defaultUri }]) => defaultUri.fsPath)).toEqual([
    join(one!, SUB, 'plan à essayer-pruned.json'),
    join(one!, 'plan à essayer-pruned.json'),
  ]);
});

test('"Budget..." of a run asks the run, whose model may be an architecture', async () => {
  const pick = {
    items: [],
    activeItems: [],
    value: '',
    onDidChangeValue: () => {},
    onDidAccept: () => {},
    onDidHide: () => {},
    show: () => {},
  };
  Object.assign(vscode.window, { createQuickPick: () => pick });
  const { commands, runs, asked } = await stand(
    summary('r', one!, { state: 'running', model: 'lenet300', modelPath: null }),
  );
  void commands['lcPrune.setRunBudget'].run({ summary: runs.get(idOf('r', one!))! }, []);
  await vi.waitFor(() =>
    expect(asked).toContainEqual(['lc/previewRun', { run: idOf('r', one!), budget: { keep: '1%' } }]),
  );
});

test('"Run" saves the plan on screen first, by whichever name the editor has it', async () => {
  const document = (path: string, isDirty = true) => ({
    uri: { scheme: 'file', fsPath: path },
    isDirty,
    save: vi.fn(),
  });
  const documents = [document(planIn(link)), document(planIn(one!)), document(planIn(two!), false)];
  Object.assign(vscode.workspace, { textDocuments: documents, getConfiguration: () => ({ get: () => undefined }) });
  const { commands, monitor } = await stand();
  await commands['lcPrune.run'].run({ plan: planIn(two!) }, []);
  expect(monitor.showStarting).toHaveBeenCalledOnce();
  expect(documents.map(({ save }) => save.mock.calls.length)).toEqual([1, 0, 0]);
});

test('plans of one name in two folders are two rows with their folders', async () => {
  Object.assign(vscode.window, {
    createTreeView: () => ({ visible: false, onDidChangeVisibility: () => {}, dispose: () => {} }),
  });
  const { runs } = await stand(summary('a', one!, { started: 3 }), summary('b', one!), summary('c', two!));
  const sweeps = { onDidChange: () => {}, of: () => undefined, valuesOf: () => undefined };
  const view = new RunsView(runs, sweeps as never, () => {});
  const plans = view.getChildren();
  const rows = plans.map((plan) => view.getTreeItem(plan));
  expect(rows.map(({ label }) => label)).toEqual(['plan à essayer', 'plan à essayer']);
  expect(rows.map(({ description }) => description)).toEqual([
    `${join(one!, SUB)} · 2 runs`,
    `${join(two!, SUB)} · 1 run`,
  ]);
  expect(plans.map((plan) => view.getChildren(plan).length)).toEqual([2, 1]);
  const [[first]] = plans.map((plan) => view.getChildren(plan)) as [[never]];
  expect(view.getParent(first)).toBe(plans[0]);
});

test('a run whose plan file would lie outside its workspace folder has none', () => {
  expect(toRun(summary('r', one!, { planPath: '../../x.prune.json' }) as never).planFile).toBeNull();
});

test('runs of one name in two folders are two runs: in the list, in the event stream, and in requests', async () => {
  const { asked, commands, runs, monitor } = await stand(summary('r', one!), summary('r', two!, { started: 5 }));
  expect(runs.all.map(({ run, name }) => [run, name])).toEqual([
    [idOf('r', two!), 'r'],
    [idOf('r', one!), 'r'],
  ]);
  await commands['lcPrune.openMonitor'].run({ summary: runs.get(idOf('r', one!))! }, []);
  expect(monitor.show).toHaveBeenLastCalledWith([idOf('r', one!)]);
  const items = runs.all.map((run) => ({ summary: run }));
  await commands['lcPrune.compareRuns'].run(items[0], items);
  expect(monitor.show).toHaveBeenLastCalledWith([idOf('r', two!), idOf('r', one!)]);
  await commands['lcPrune.pause'].run({ summary: runs.get(idOf('r', two!))! }, []);
  expect(asked.at(-1)).toEqual(['lc/pause', { run: idOf('r', two!) }]);
  // The end of the one is not the other's.
  const changes: unknown[] = [];
  runs.onDidChangeRun(({ run, after }) => changes.push([run, after?.state ?? null]));
  live.get('lc/runChanged')!({ run: 'r', folder: idOf('r', two!), summary: summary('r', two!, { state: 'failed' }) });
  live.get('lc/runChanged')!({ run: 'r', folder: idOf('r', one!), summary: null });
  expect(changes).toEqual([
    [idOf('r', two!), 'failed'],
    [idOf('r', one!), null],
  ]);
  expect(runs.all.map(({ run, state }) => [run, state])).toEqual([[idOf('r', two!), 'failed']]);
});
