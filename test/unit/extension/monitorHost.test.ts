/** The monitor's host side over a stand-in daemon: the messages to the page, in any order of the daemon's answers. */
import { expect, test, vi } from 'vitest';
import { EventEmitter, window } from './vscode.js';
import { LIMITS } from '../../../extension/limits.js';
import { MonitorHost } from '../../../extension/monitor/monitorHost.js';
import { RunStream } from '../../../extension/runStream.js';
import type { ToHost, ToPage } from '../../../webview/messages/monitor.js';

const RUN = 'lenet-1';
const SUMMARY = {
  run: RUN,
  name: RUN,
  folder: '/w/.lc-prune/lenet-1',
  plan: 'lenet',
  planPath: null,
  model: 'lenet300',
  method: 'lc',
  engine: 'native-cpu',
  state: 'interrupted',
  started: 1,
  ended: null,
  iteration: 1,
  iterations: 40,
  progress: 0.1,
  error: null,
  referenceError: null,
  kept: null,
  prunable: null,
  etaSeconds: null,
  samplesPerSecond: null,
  message: null,
};
const BATCH = {
  event: 'batch',
  time: 1,
  phase: 'l-step',
  step: 1,
  epoch: 0.1,
  loss: 0.5,
  learningRate: 0.1,
  samplesPerSecond: 1000,
};

/** The host has posted what it had by now. */
const interval = () => new Promise((done) => setTimeout(done, LIMITS.monitorInterval + 60));

function stand(memory: Map<string, unknown>) {
  const summaries = new Map<string, unknown>();
  const changed = new EventEmitter<never>();
  const reset = new EventEmitter<void>();
  const handlers = new Map<string, (payload: unknown) => void>();
  const daemon = {
    state: { kind: 'ready' },
    log: { error: vi.fn() },
    on: (method: string, handle: (payload: unknown) => void) => {
      handlers.set(method, handle);
      return { dispose: () => {} };
    },
    onDidChangeState: () => ({ dispose: () => {} }),
    request: async (method: string) =>
      method === 'lc/history' ? { events: [BATCH], next: 1, end: true } : method === 'lc/plan' ? { plan: null } : null,
  };
  const runs = { get: (run: string) => summaries.get(run), onDidChangeRun: changed.event, onDidReset: reset.event };
  const context = {
    extensionUri: '/extension',
    workspaceState: {
      get: (key: string) => memory.get(key),
      update: async (key: string, value: unknown) => memory.set(key, value),
    },
  };
  const host = new MonitorHost(context as never, daemon as never, runs as never, new RunStream(daemon as never));
  const posted: ToPage[] = [];
  let receive: (message: ToHost) => void = () => {};
  /** Whether the page draws at once. */
  const page = { isFast: true };
  const panel = {
    visible: true,
    reveal: vi.fn(),
    title: '',
    iconPath: '',
    disposed: false,
    dispose() {
      this.disposed = true;
    },
    onDidDispose: () => {},
    onDidChangeViewState: () => {},
    webview: {
      html: '',
      options: {},
      cspSource: '',
      asWebviewUri: (uri: string) => uri,
      onDidReceiveMessage: (handle: typeof receive) => (receive = handle),
      postMessage(message: ToPage) {
        posted.push(message);
        if (message.type === 'flushed' && page.isFast) queueMicrotask(() => receive({ type: 'drawn' }));
      },
    },
  };
  return { host, panel, page, posted, summaries, reset, handlers, receive: (message: ToHost) => receive(message) };
}

const SHOWN = new Map([['monitor.shown', { runs: [RUN], primary: RUN }]]);

test('a history that comes before the list of runs is drawn when the list comes', async () => {
  const { host, panel, posted, summaries, reset, receive } = stand(new Map(SHOWN));
  await host.deserializeWebviewPanel(panel as never);
  receive({ type: 'ready' });
  await interval();
  expect(posted.filter((message) => message.type === 'columns')).toHaveLength(0);
  summaries.set(RUN, SUMMARY);
  reset.fire();
  const last = posted.filter((message) => message.type === 'runs').at(-1)!;
  expect(last.runs.map((view) => view.id)).toEqual([RUN]);
  expect(last.primary).toBe(RUN);
  expect(posted.filter((message) => message.type === 'columns')).toHaveLength(1);
});

test('the end of the extension neither closes the panel nor forgets its runs', async () => {
  const memory = new Map<string, unknown>(SHOWN);
  const { host, panel } = stand(memory);
  await host.deserializeWebviewPanel(panel as never);
  host.dispose();
  expect(panel.disposed).toBe(false);
  expect(memory.get('monitor.shown')).toEqual({ runs: [RUN], primary: RUN });
});

test('a run is described again when something but its columns has changed', async () => {
  const { host, panel, posted, summaries, reset, handlers, receive } = stand(new Map(SHOWN));
  summaries.set(RUN, SUMMARY);
  await host.deserializeWebviewPanel(panel as never);
  receive({ type: 'ready' });
  reset.fire();
  await interval();
  const descriptions = () => posted.filter((message) => message.type === 'run').length;
  const columns = () => posted.filter((message) => message.type === 'columns').length;
  const live = async (step: number) => {
    const one = Object.fromEntries(['epoch', 'loss', 'learningRate', 'samplesPerSecond', 'time'].map((c) => [c, [1]]));
    handlers.get('lc/batches')!({ run: RUN, step: [step], ...one });
    await interval();
  };
  await live(2);
  const [described, sent] = [descriptions(), columns()];
  for (const step of [3, 4, 5]) await live(step);
  expect([descriptions() - described, columns() - sent]).toEqual([0, 3]);
  handlers.get('lc/events')!({ run: RUN, events: [{ event: 'warning', time: 9, code: 'x', message: 'hot' }] });
  await live(6);
  expect(descriptions() - described).toBe(1);
  summaries.set(RUN, { ...SUMMARY, progress: 0.2 });
  await live(7);
  expect(descriptions() - described).toBe(2);
  // If a run is renamed, or its start becomes known, the tab shows the same title as the page.
  summaries.set(RUN, { ...SUMMARY, name: 'for the talk' });
  await live(8);
  const named = posted.filter((message) => message.type === 'run').at(-1)!.view.name;
  expect([panel.title, named]).toEqual(['LC Prune: for the talk', 'for the talk']);
  receive({ type: 'ready' });
  expect(descriptions() - described).toBe(4);
});

test('a run that starts takes the focus neither when its panel opens nor seconds later, when it is there', async () => {
  const { host, panel, posted, summaries, receive } = stand(new Map());
  const createWebviewPanel = vi.fn(() => panel);
  Object.assign(window, { createWebviewPanel });
  summaries.set(RUN, SUMMARY);
  await host.showStarting(
    'lenet',
    async () => {
      receive({ type: 'ready' });
      return RUN;
    },
    never,
  );
  expect(createWebviewPanel).toHaveBeenCalledOnce();
  expect((createWebviewPanel.mock.calls[0] as unknown[])[2]).toMatchObject({ preserveFocus: true });
  expect(panel.reveal).not.toHaveBeenCalled();
  const last = posted.filter((message) => message.type === 'runs').at(-1)!;
  expect([last.primary, last.starting]).toEqual([RUN, null]);
  // A second command while the panel is open brings it to the front, and the keyboard focus stays.
  await host.showStarting('lenet', async () => RUN, never);
  expect(panel.reveal.mock.calls).toEqual([[undefined, true]]);
  // Asked for by hand, it takes the focus.
  host.show([RUN]);
  expect(panel.reveal.mock.calls.at(-1)).toEqual([undefined, false]);
});

/** A run that was not cancelled is not taken back. */
const never = () => Promise.reject(new Error('taken back'));

test('a start that is cancelled shows nothing, at once; the run that it came to is taken back', async () => {
  const { host, panel, summaries, receive } = stand(new Map());
  const dispose = vi.fn();
  Object.assign(panel, { dispose });
  Object.assign(window, { createWebviewPanel: () => panel });
  summaries.set(RUN, SUMMARY);
  let began = (_run: string) => {};
  const undone: string[] = [];
  const shown = host.showStarting(
    'lenet',
    () => new Promise<string>((resolve) => (began = resolve)),
    async (run) => void undone.push(run),
  );
  receive({ type: 'ready' });
  receive({ type: 'cancelStart' });
  expect(dispose).toHaveBeenCalledOnce();
  expect([undone, host.shown]).toEqual([[], []]);
  began(RUN);
  await shown;
  expect([undone, host.shown]).toEqual([[RUN], []]);
  // A failure after the user gave up is not reported.
  const failing = host.showStarting('lenet', () => Promise.reject(new Error('no data')), never);
  receive({ type: 'cancelStart' });
  await failing;
});

test('a request to a run is shown at once, until its state or iteration changes, or it fails', async () => {
  const { host, panel, posted, summaries, receive, reset } = stand(new Map());
  const running = { run: RUN, state: 'running' as const, iteration: SUMMARY.iteration };
  summaries.set(RUN, { ...SUMMARY, ...running });
  await host.deserializeWebviewPanel(panel as never);
  host.show([RUN]);
  receive({ type: 'ready' });
  reset.fire();
  const asked = () => {
    const last = posted.filter((message) => message.type === 'run' || message.type === 'runs').at(-1)!;
    return (last.type === 'run' ? last.view : last.runs[0]!).asked;
  };
  let answer = () => {};
  const request = new Promise<void>((resolve) => (answer = resolve));
  const began = performance.now();
  const pausing = host.whileAsked(running, 'Pausing...', request);
  expect(asked()).toBe('Pausing...');
  expect(performance.now() - began).toBeLessThan(100);
  answer();
  await pausing;
  reset.fire();
  // Requested, but not paused yet.
  expect(asked()).toBe('Pausing...');
  summaries.set(RUN, { ...SUMMARY, state: 'paused' });
  reset.fire();
  expect(asked()).toBeUndefined();

  const paused = { ...running, state: 'paused' as const };
  await expect(host.whileAsked(paused, 'Resuming...', Promise.reject(new Error('gone')))).rejects.toThrow('gone');
  expect(asked()).toBeUndefined();
  await host.whileAsked(paused, 'Budget 2% from the next iteration on', Promise.resolve(), 'iteration');
  expect(asked()).toBe('Budget 2% from the next iteration on');
  summaries.set(RUN, { ...SUMMARY, state: 'paused', iteration: paused.iteration + 1 });
  reset.fire();
  expect(asked()).toBeUndefined();
});

test('a page that is still drawing gets no further news, then all of them at once', async () => {
  const { host, panel, page, posted, summaries, reset, handlers, receive } = stand(new Map(SHOWN));
  summaries.set(RUN, SUMMARY);
  await host.deserializeWebviewPanel(panel as never);
  receive({ type: 'ready' });
  reset.fire();
  await interval();
  const columns = () => posted.filter((message) => message.type === 'columns');
  page.isFast = false;
  const before = columns().length;
  for (let step = 2; step <= 6; step++) {
    const one = Object.fromEntries(['epoch', 'loss', 'learningRate', 'samplesPerSecond', 'time'].map((c) => [c, [1]]));
    handlers.get('lc/batches')!({ run: RUN, step: [step], ...one });
    await interval();
  }
  expect(columns()).toHaveLength(before + 1);
  receive({ type: 'drawn' });
  await interval();
  const rows = columns()
    .slice(before)
    .map(({ tables }) => Buffer.from(tables.batch!.columns['step']!, 'base64').length / 8);
  expect(rows).toEqual([1, 4]);
  // A new page has drawn nothing and owes nothing.
  receive({ type: 'ready' });
  expect(columns()).toHaveLength(before + 3);
});
