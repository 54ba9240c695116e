/** The editor's notification about a trainer that a signal has ended, and the effect of its button. */
import { beforeEach, expect, test, vi } from 'vitest';
import { commands, EventEmitter, window } from './vscode.js';
import { InterruptedRuns } from '../../../extension/interruptedRuns.js';
import { registerNotifications } from '../../../extension/notifications.js';

const executeCommand = vi.fn(async () => undefined);
const showWarningMessage = vi.fn(
  async (_text: string, ..._buttons: string[]): Promise<string | undefined> => undefined,
);
Object.assign(commands, { executeCommand });
Object.assign(window, { showWarningMessage });
beforeEach(() => vi.clearAllMocks());

const run = (state: string, more: object = {}) => ({ run: '/w/.lcprune/runs/2026-01-02T03-04-05-tiny', name: '2026-01-02T03-04-05-tiny', started: 1, plan: 'tiny', state, message: null, ...more }); // prettier-ignore
const crash = { how: 'SIGSEGV', cause: 'crash', engine: 'native-cpu', checkpoint: 'c', next: 'onnx-cpu' };

async function ended(after: ReturnType<typeof run>, click: (buttons: string[]) => string | undefined) {
  const changed = new EventEmitter<unknown>();
  const show = vi.fn();
  showWarningMessage.mockImplementationOnce(async (_text, ...buttons) => click(buttons));
  const runs = { onDidChangeRun: changed.event, get: () => after };
  registerNotifications(runs as never, { log: { show } } as never);
  new InterruptedRuns(runs as never, { on: () => ({}), log: { show } } as never, 0);
  changed.fire({ run: after.run, before: run('running'), after });
  await vi.waitFor(() => expect(showWarningMessage).toHaveBeenCalledTimes(1));
  await new Promise((resolve) => setImmediate(resolve));
  const [text, ...buttons] = showWarningMessage.mock.calls[0]!;
  return { text, buttons, show };
}

test('a crash offers the next engine, by name, and the button continues on it', async () => {
  const summary = run('crashed', { ending: crash });
  const { text, buttons } = await ended(summary, ([first]) => first);
  expect(text).toMatch(/tiny.* was ended by SIGSEGV \(engine native-cpu\)/);
  expect(buttons).toEqual(['Continue on onnx-cpu', 'Show Log']);
  expect(executeCommand).toHaveBeenCalledExactlyOnceWith('lcPrune.continueOnEngine', { summary, engine: 'onnx-cpu' });
});

test('a finished run whose result is not usable warns, and the button opens its monitor', async () => {
  const message = 'THE RESULT IS NOT USABLE: its outputs are the same for every input';
  const summary = run('done', { cautions: [{ code: 'constant-output', message, serious: true }] });
  const { text, buttons } = await ended(summary, ([first]) => first);
  expect(text).toMatch(/tiny.*: THE RESULT IS NOT USABLE/);
  expect(buttons).toEqual(['Open Monitor']);
  expect(executeCommand).toHaveBeenCalledExactlyOnceWith('lcPrune.openMonitor', { summary });
});

test('a run that diverged warns however short it was, and offers the rate that it went on with', async () => {
  const rate = { section: 'training', value: 0.05 };
  const summary = run('done', {
    planPath: '/w/tiny.prune.json',
    cautions: [{ code: 'diverged', message: 'the batch loss rose', serious: true, rate }],
  });
  const { text, buttons } = await ended(summary, ([, second]) => second);
  expect(text).toMatch(/tiny.*: the batch loss rose/);
  expect(buttons).toEqual(['Open Monitor', 'Run Again with Another Learning Rate']);
  expect(executeCommand).toHaveBeenCalledExactlyOnceWith('lcPrune.runWithOtherRate', { summary });
});

test('the other button shows the log and changes nothing', async () => {
  const { show } = await ended(run('crashed', { ending: crash }), ([, second]) => second);
  expect(show).toHaveBeenCalledOnce();
  expect(executeCommand).not.toHaveBeenCalled();
});

test('without another engine, and after a kill for want of memory, it offers to resume', async () => {
  const alone = run('crashed', { ending: { ...crash, next: null } });
  expect((await ended(alone, ([first]) => first)).buttons).toEqual(['Resume', 'Show Log']);
  expect(executeCommand).toHaveBeenLastCalledWith('lcPrune.resume', { summary: alone });
  vi.clearAllMocks();
  const killed = run('interrupted', { ending: { ...crash, how: 'SIGKILL', cause: 'memory', next: null } });
  const { text, buttons } = await ended(killed, () => undefined);
  expect(text).toMatch(/SIGKILL.*memory.*training\.batchSize/);
  expect(buttons).toEqual(['Resume', 'Show Log']);
  expect(executeCommand).not.toHaveBeenCalled();
});
