/** Runs that were cut short: one notification for all of them, and what its buttons and the setting do. */
import { beforeEach, expect, test, vi } from 'vitest';
import { commands, EventEmitter, window, workspace } from '../vscode.js';
import { InterruptedRuns } from '../../../../extension/interruptedRuns.js';
import { SETTINGS } from '../../../../extension/settings.js';

const executeCommand = vi.fn(async (..._args: unknown[]) => undefined);
const showWarningMessage = vi.fn(
  async (_text: string, ...buttons: string[]): Promise<string | undefined> => buttons[0],
);
let settings: Record<string, unknown> = {};
Object.assign(commands, { executeCommand });
Object.assign(window, { showWarningMessage });
Object.assign(workspace, { getConfiguration: () => ({ get: (name: string) => settings[name] }) });

const summary = (run: string, state: string) => ({ run, name: run, plan: run, state, message: null });
type Summary = ReturnType<typeof summary>;
let known: Map<string, Summary>;
let left: (runs: string[]) => void;
let change: (before: Summary, after: Summary) => void;
const load = vi.fn(async () => undefined);

beforeEach(() => {
  vi.clearAllMocks();
  settings = {};
  known = new Map();
  const changed = new EventEmitter<unknown>();
  const runs = { get: (run: string) => known.get(run), load, onDidChangeRun: changed.event };
  const on = (method: string, handle: (payload: { folders: string[] }) => void) => {
    expect(method).toBe('lc/left');
    left = (names) => handle({ folders: names });
    return { dispose() {} };
  };
  new InterruptedRuns(runs as never, { on, log: { error: (error: Error) => expect.fail(error.message) } } as never, 20);
  change = (before, after) => {
    known.set(after.run, after);
    changed.fire({ run: after.run, before, after });
  };
});

const quiet = () => new Promise((resolve) => setTimeout(resolve, 100));
const resumed = () =>
  executeCommand.mock.calls.filter(([name]) => name === 'lcPrune.resume').map(([, item]) => (item as { summary: Summary }).summary.run); // prettier-ignore

test('ten at once are one notification, whose button resumes those that are still interrupted', async () => {
  const names = Array.from({ length: 10 }, (_, i) => `run-${i}`);
  for (const name of names) known.set(name, summary(name, 'interrupted'));
  left(names.slice(0, 4));
  left(names.slice(4));
  // The notification of the run's change arrives at the same time.
  change(summary('run-3', 'running'), summary('run-3', 'interrupted'));
  known.set('run-9', summary('run-9', 'running'));
  await quiet();
  expect(showWarningMessage).toHaveBeenCalledTimes(1);
  expect(showWarningMessage.mock.calls[0]).toEqual([expect.stringMatching(/^9 runs were interrupted/), 'Resume All', 'Show Runs']); // prettier-ignore
  expect(resumed()).toEqual(names.slice(0, 9));
  // Notified once.
  left(names);
  await quiet();
  expect(showWarningMessage).toHaveBeenCalledTimes(1);
});

test('one is named, and a run that went on and was interrupted again is reported again', async () => {
  change(summary('tiny', 'running'), summary('tiny', 'interrupted'));
  await quiet();
  expect(showWarningMessage.mock.calls[0]).toEqual([expect.stringMatching(/tiny.* was interrupted/), 'Resume', 'Show Log']); // prettier-ignore
  expect(resumed()).toEqual(['tiny']);
  change(summary('tiny', 'interrupted'), summary('tiny', 'running'));
  change(summary('tiny', 'running'), summary('tiny', 'interrupted'));
  await quiet();
  expect(resumed()).toEqual(['tiny', 'tiny']);
});

test('no question is asked about a paused run whose window closed', async () => {
  change(summary('tiny', 'paused'), summary('tiny', 'interrupted'));
  await quiet();
  expect(showWarningMessage).not.toHaveBeenCalled();
});

test('with the setting, earlier interrupted runs resume without a question; one interrupted in this window does not', async () => {
  settings[SETTINGS.autoResume] = true;
  load.mockImplementationOnce(async () => {
    known.set('before', summary('before', 'interrupted'));
    return undefined;
  });
  left(['before']);
  await quiet();
  expect(load).toHaveBeenCalledTimes(1);
  expect(resumed()).toEqual(['before']);
  expect(showWarningMessage).not.toHaveBeenCalled();
  showWarningMessage.mockResolvedValueOnce(undefined);
  change(summary('now', 'running'), summary('now', 'interrupted'));
  await quiet();
  expect(showWarningMessage).toHaveBeenCalledTimes(1);
  expect(resumed()).toEqual(['before']);
});
