/** Pages of sweeps in the editor: one panel a sweep, questions one after another, and what the page's buttons do. */
import { afterEach, expect, test, vi } from 'vitest';
import type { SweepSummary } from '../../../daemon/protocol/runs/sweep.js';
import type { FromSweepPage, ToSweepPage } from '../../../webview/messages/sweep.js';
import { SweepPages } from '../../../extension/sweepPage/sweepPages.js';
import { commands, EventEmitter, window } from './vscode.js';

const sweep = {
  sweep: '/w/.lcprune/sweeps/2026-budgets',
  name: 'budgets',
  planPath: 'one.prune.json',
  started: 1,
  points: [],
} as unknown as SweepSummary;
const results = { rows: [], set: null };

function open(answer: (method: string) => Promise<unknown>) {
  const received = new EventEmitter<FromSweepPage>();
  const closed = new EventEmitter<void>();
  const changed = new EventEmitter<void>();
  const posted: ToSweepPage[] = [];
  const panel = {
    reveal: vi.fn(),
    onDidDispose: closed.event,
    webview: {
      cspSource: '',
      asWebviewUri: String,
      onDidReceiveMessage: received.event,
      postMessage: async (message: ToSweepPage) => posted.push(message),
    },
  };
  const createWebviewPanel = vi.fn(() => panel);
  Object.assign(window, { createWebviewPanel });
  const request = vi.fn(answer);
  let done = 1;
  const pages = new SweepPages(
    '/ext' as never,
    { request, log: { error: expect.unreachable } } as never,
    {
      all: [sweep],
      progress: () => ({ state: 'running', done, failed: 0, total: 3 }),
      onDidChange: changed.event,
    } as never,
  );
  pages.show(sweep);
  const change = () => {
    done++;
    changed.fire();
  };
  return { pages, panel, createWebviewPanel, request, posted, received, closed, change };
}
const settled = () => new Promise((done) => setTimeout(done));
afterEach(() => vi.restoreAllMocks());

test('a page that is ready gets the results, and again when a run ends; never two questions at once', async () => {
  const waiting: ((value: unknown) => void)[] = [];
  const { request, posted, received, change } = open(() => new Promise((done) => waiting.push(done)));
  change();
  expect(request).not.toHaveBeenCalled();
  received.fire({ type: 'ready' });
  change();
  change();
  expect(request).toHaveBeenCalledTimes(1);
  expect(posted.map((one) => 'progress' in one && one.progress)).toEqual(['2/3 done · running', '3/3 done · running', '4/3 done · running']); // prettier-ignore
  waiting[0]!(results);
  await settled();
  expect(request).toHaveBeenCalledTimes(2);
  waiting[1]!(results);
  await settled();
  expect(request).toHaveBeenCalledTimes(2);
  expect(posted.filter(({ type }) => type === 'results')).toHaveLength(2);
});

test('an error is shown on the page, and the next change asks again', async () => {
  let isBroken = true;
  const { posted, received, change } = open(async () => {
    if (isBroken) throw new Error('sweep.json is damaged');
    return results;
  });
  received.fire({ type: 'ready' });
  await settled();
  expect(posted.at(-1)).toEqual({ type: 'problem', message: 'sweep.json is damaged' });
  isBroken = false;
  change();
  await settled();
  expect(posted.at(-1)).toEqual({ type: 'problem', message: null });
});

test('a second call shows the page that is open; a closed one is opened anew', () => {
  const { pages, panel, createWebviewPanel, closed } = open(async () => results);
  pages.show(sweep);
  expect(createWebviewPanel).toHaveBeenCalledTimes(1);
  expect(panel.reveal).toHaveBeenCalledTimes(1);
  closed.fire();
  pages.show(sweep);
  expect(createWebviewPanel).toHaveBeenCalledTimes(2);
});

test('one run opens in the monitor, several are compared', () => {
  const execute = vi.spyOn(commands, 'executeCommand');
  const { received } = open(async () => results);
  received.fire({ type: 'show', runs: ['/w/a'] });
  received.fire({ type: 'show', runs: ['/w/a', '/w/b'] });
  received.fire({ type: 'show', runs: [] });
  expect(execute.mock.calls).toEqual([
    ['lcPrune.openMonitor', { run: '/w/a' }],
    ['lcPrune.compareRuns', { runs: ['/w/a', '/w/b'] }],
  ]);
});
