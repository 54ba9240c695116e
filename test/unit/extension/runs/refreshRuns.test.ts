/** Refresh Runs: the daemon reads every run again, and the user sees an error if that fails. */
import { expect, test, vi } from 'vitest';
import { EventEmitter } from '../vscode.js';
import { runCommands } from '../../../../extension/commands/runs.js';
import { Runs } from '../../../../extension/runs.js';

const summary = (run: string, state: string) =>
  ({
    run,
    folder: `/work/.lcprune/runs/${run}`,
    state,
    workspace: '/work',
    plan: 'p',
    planPath: null,
    modelPath: null,
    started: 1,
  }) as never;

function stand(request: (method: string) => Promise<unknown>) {
  const daemon = {
    request: vi.fn(request),
    on: () => ({ dispose: () => {} }),
    onDidChangeState: new EventEmitter<unknown>().event,
    state: { kind: 'ready' },
    log: { error: vi.fn() },
  };
  const runs = new Runs(daemon as never);
  const command = runCommands({ daemon, runs } as never)['lcPrune.refreshRuns'];
  return { daemon, runs, refresh: async () => command.run(undefined, []) };
}

test('takes the list as it was read anew, runs that are gone with it', async () => {
  const lists: Record<string, unknown> = {
    'lc/runs': [summary('a', 'running'), summary('b', 'done')],
    'lc/refresh': [summary('a', 'interrupted')],
  };
  const { daemon, runs, refresh } = stand(async (method) => lists[method]);
  await runs.load();
  const reset = vi.fn();
  runs.onDidReset(reset);
  await refresh();
  expect(daemon.request).toHaveBeenLastCalledWith('lc/refresh', null);
  expect(runs.all.map(({ name, state }) => [name, state])).toEqual([['a', 'interrupted']]);
  expect(reset).toHaveBeenCalledTimes(1);
});

test('keeps the list and passes on the reason if the folder cannot be read', async () => {
  const { runs, refresh } = stand(async (method) => {
    if (method === 'lc/refresh') throw new Error('cannot be read');
    return [summary('a', 'done')];
  });
  await runs.load();
  await expect(refresh()).rejects.toThrow('cannot be read');
  expect(runs.all).toHaveLength(1);
});
