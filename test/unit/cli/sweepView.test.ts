import { afterEach, expect, test, vi } from 'vitest';
import { followSweep, type SweepView } from '../../../daemon/cli/sweepView.js';
import type { Terminal } from '../../../daemon/cli/terminal.js';
import type { SweepRecord } from '../../../daemon/protocol/runs/sweep.js';

let view: SweepView;
afterEach(() => {
  view.end();
  vi.restoreAllMocks();
});

test('who asks a sweep to end, however often, waits for the checkpoints; a second Ctrl-C does not', () => {
  const exit = vi.spyOn(process, 'exit').mockImplementation(() => undefined as never);
  const terminal = { status: () => undefined, note: vi.fn(), emit: () => undefined, print: () => undefined };
  view = followSweep({ points: [] } as unknown as SweepRecord, terminal as unknown as Terminal);
  view.stop();
  view.stop();
  expect(view.signal.aborted).toBe(true);
  expect(terminal.note).toHaveBeenCalledTimes(1);
  expect(exit).not.toHaveBeenCalled();
  process.emit('SIGINT');
  expect(exit).toHaveBeenCalledWith(130);
});
