/** When the editor redraws its lenses: all of them flicker, so it does only if their text changes. */
import { expect, it, vi } from 'vitest';
import { registerLanguage } from '../../../daemon/language/register.js';
import type { RunSummary } from '../../../daemon/protocol/messages.js';

it('a run that makes progress redraws no lens; its end does, once', async () => {
  vi.useFakeTimers();
  const sendRequest = vi.fn(() => Promise.resolve());
  const connection = { onRequest: () => {}, onNotification: () => {}, sendNotification: () => {}, sendRequest };
  const host = {
    workspace: { folders: ['/w'] },
    listRuns: async () => [],
    lastPerLayer: async () => null,
    log: () => {},
  };
  const language = registerLanguage(connection as never, host as never);
  language.capabilities({ workspace: { codeLens: { refreshSupport: true } } });
  const run = (more: Partial<RunSummary>) => language.runChanged('/w', 'r', { run: 'r', ...more } as RunSummary);
  run({ state: 'running', iteration: 0 });
  await vi.advanceTimersByTimeAsync(1000);
  expect(sendRequest).toHaveBeenCalledTimes(1);
  for (let iteration = 1; iteration <= 40; iteration++) {
    run({ state: 'running', iteration, progress: iteration / 40, error: 1 / iteration });
    await vi.advanceTimersByTimeAsync(1000);
  }
  expect(sendRequest).toHaveBeenCalledTimes(1);
  run({ state: 'done', iteration: 40 });
  run({ state: 'done', iteration: 40 });
  await vi.advanceTimersByTimeAsync(1000);
  expect(sendRequest).toHaveBeenCalledTimes(2);
  language.dispose();
  vi.useRealTimers();
});
