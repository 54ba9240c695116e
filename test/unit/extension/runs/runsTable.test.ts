/** The host of the table of runs: what its page gets, and what its buttons do; and the commands that note something of runs. */
import { beforeEach, expect, test, vi } from 'vitest';
import * as vscode from '../vscode.js';
import { AbsolutePath } from '../../../../daemon/protocol/paths.js';
import { markCommands, tagsOf } from '../../../../extension/commands/marks.js';
import { toRun, type Run } from '../../../../extension/runs.js';
import { RunsTableHost } from '../../../../extension/runsTable/runsTableHost.js';
import type { FromRunsTable, ToRunsTable } from '../../../../webview/messages/runs.js';

const executed = vi.fn(async (..._args: unknown[]) => undefined);
const typed = vi.fn(async (_options: object): Promise<string | undefined> => undefined);
const copied = vi.fn(async (_text: string) => undefined);
Object.assign(vscode.commands, { executeCommand: executed });
Object.assign(vscode.env, { clipboard: { writeText: copied } });
beforeEach(() => vi.clearAllMocks());

const run = (name: string, workspace = '/one', more: object = {}): Run =>
  toRun({
    run: name, workspace: AbsolutePath.parse(workspace), folder: AbsolutePath.parse(`${workspace}/.lcprune/runs/${name}`), plan: 'net',
    planPath: null, model: 'net.json', modelPath: null, method: 'lc', engine: null, state: 'done', started: 1, ended: 2, iteration: 1,
    iterations: 1, progress: 1, error: 0, referenceError: 0, kept: 1, prunable: 1, etaSeconds: null, samplesPerSecond: null, message: null,
    ...more,
  }); // prettier-ignore

function stand(...list: Run[]) {
  const changed = new vscode.EventEmitter<{ run: string }>();
  const reset = new vscode.EventEmitter<void>();
  const shown = new vscode.EventEmitter<void>();
  const asked: [string, unknown][] = [];
  const daemon = {
    state: { kind: 'ready' },
    log: { error: vi.fn() },
    session: async () => undefined,
    onDidChangeState: () => new vscode.Disposable(() => {}),
    request: async (method: string, params: unknown) => void asked.push([method, params]),
  };
  const known = new Map(list.map((one) => [one.run as string, one]));
  const runs = {
    get all() {
      return [...known.values()];
    },
    get: (id: string) => known.get(id),
    load: async () => undefined,
    onDidChangeRun: changed.event,
    onDidReset: reset.event,
  };
  const colours: Record<string, number> = {};
  const monitor = { colours, onDidChangeShown: shown.event };
  const posted: ToRunsTable[] = [];
  let receive: (message: FromRunsTable) => void = () => {};
  const panel = {
    reveal: vi.fn(),
    iconPath: '',
    onDidDispose: () => {},
    webview: {
      html: '',
      cspSource: '',
      asWebviewUri: (uri: string) => uri,
      onDidReceiveMessage: (handle: typeof receive) => (receive = handle),
      postMessage: (message: ToRunsTable) => posted.push(message),
    },
  };
  const createWebviewPanel = vi.fn(() => panel);
  Object.assign(vscode.window, { createWebviewPanel, showInputBox: typed, setStatusBarMessage: () => {} });
  const host = new RunsTableHost('/extension' as never, daemon as never, runs as never, monitor as never);
  const commands = markCommands({ daemon, runs, runsTable: host } as never);
  return { host, commands, panel, createWebviewPanel, posted, asked, known, changed, shown, colours, receive: (message: FromRunsTable) => receive(message) }; // prettier-ignore
}

test('the page gets all runs, each under a name of its own, and later only what has changed', async () => {
  Object.assign(vscode.workspace, { workspaceFolders: [{}, {}] });
  const table = stand(run('r'), run('r', '/two'), run('r-magnitude', '/two', { baselineOf: 'r', method: 'magnitude' }));
  table.host.show();
  table.host.show();
  expect(table.createWebviewPanel).toHaveBeenCalledOnce();
  expect(table.panel.reveal).toHaveBeenCalledOnce();
  // Nothing is sent before the page exists.
  table.changed.fire({ run: '/one/.lcprune/runs/r' });
  expect(table.posted).toEqual([]);
  table.receive({ type: 'ready' });
  const [, runs] = table.posted as [unknown, Extract<ToRunsTable, { type: 'runs' }>];
  expect(runs.runs.map(({ id, folder, parent }) => [id, folder, parent])).toEqual([
    ['/one/.lcprune/runs/r', 'one', null],
    ['/two/.lcprune/runs/r', 'two', null],
    // Its run is the one in its own folder.
    ['/two/.lcprune/runs/r-magnitude', 'two', '/two/.lcprune/runs/r'],
  ]);
  table.posted.length = 0;
  for (let i = 0; i < 20; i++) table.changed.fire({ run: '/one/.lcprune/runs/r' });
  table.known.delete('/two/.lcprune/runs/r');
  table.changed.fire({ run: '/two/.lcprune/runs/r' });
  await vi.waitFor(() => expect(table.posted).toHaveLength(2));
  expect(table.posted).toMatchObject([
    { type: 'run', id: '/one/.lcprune/runs/r', run: { name: 'r' } },
    { type: 'run', id: '/two/.lcprune/runs/r', run: null },
  ]);
  table.colours['/one/.lcprune/runs/r'] = 3;
  table.shown.fire();
  expect(table.posted.at(-1)).toEqual({ type: 'shown', colours: { '/one/.lcprune/runs/r': 3 } });
  Object.assign(vscode.workspace, { workspaceFolders: undefined });
});

test('its buttons are the commands of palette and trees; unknown runs and actions do nothing', async () => {
  const [a, b] = [run('a'), run('b')];
  const table = stand(a, b);
  table.host.show();
  table.receive({ type: 'ready' });
  table.receive({ type: 'act', action: 'delete', runs: [a.run, b.run, '/gone'], point: null });
  table.receive({ type: 'act', action: 'export', runs: [b.run], point: 2 });
  table.receive({ type: 'act', action: 'open', runs: ['/gone'], point: null });
  table.receive({ type: 'act', action: 'constructor' as never, runs: [a.run], point: null });
  expect(executed.mock.calls).toEqual([
    ['lcPrune.deleteRun', { summary: a }, [{ summary: a }, { summary: b }]],
    ['lcPrune.exportModel', { summary: b, point: 2 }, [{ summary: b }]],
  ]);
  table.receive({ type: 'star', run: a.run, star: true });
  table.receive({ type: 'copy', what: 'csv', text: 'x' });
  expect(table.asked).toEqual([['lc/mark', { run: a.run, change: { star: true } }]]);
  expect(copied).toHaveBeenCalledExactlyOnceWith('x');
});

test('a star is added to all, and removed where all have one', async () => {
  const marks = { star: true, tags: [], note: '' };
  const [a, b] = [run('a', '/one', { marks }), run('b')];
  const { commands, asked } = stand(a, b);
  const item = (summary: Run) => ({ summary });
  await commands['lcPrune.starRun'].run(item(a), [item(a), item(b)]);
  await commands['lcPrune.starRun'].run(item(a), []);
  expect(asked.map(([, params]) => params)).toEqual([
    { run: a.run, change: { star: true } },
    { run: b.run, change: { star: true } },
    { run: a.run, change: { star: false } },
  ]);
});

test('tags of several runs: those that all have are changed, the others of each stay', async () => {
  const marked = (name: string, ...tags: string[]) => run(name, '/one', { marks: { star: false, tags, note: '' } });
  const [a, b] = [marked('a', 'both', 'only a'), marked('b', 'both')];
  const { commands, asked } = stand(a, b);
  typed.mockResolvedValueOnce('new, new ,only a');
  await commands['lcPrune.tagRun'].run({ summary: a }, [{ summary: a }, { summary: b }]);
  expect(typed.mock.calls[0]![0]).toMatchObject({ value: 'both', title: 'Tags of 2 runs' });
  expect(asked.map(([, params]) => params)).toEqual([
    { run: a.run, change: { tags: ['new', 'only a'] } },
    { run: b.run, change: { tags: ['new', 'only a'] } },
  ]);
  // Escape changes nothing.
  await commands['lcPrune.tagRun'].run({ summary: a }, []);
  expect(asked).toHaveLength(2);
});

test('a note begins as it is, and may be emptied', async () => {
  const a = run('a', '/one', { marks: { star: false, tags: [], note: 'old' } });
  const { commands, asked } = stand(a);
  typed.mockResolvedValueOnce('');
  await commands['lcPrune.noteRun'].run({ summary: a }, []);
  expect(typed.mock.calls[0]![0]).toMatchObject({ value: 'old' });
  expect(asked).toEqual([['lc/mark', { run: a.run, change: { note: '' } }]]);
});

test('tags are what stands between commas, each once', () => {
  expect(tagsOf(' a, b c ,,a')).toEqual(['a', 'b c']);
});
