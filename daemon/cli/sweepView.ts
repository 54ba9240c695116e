/** A sweep in the foreground: a line for each point that ends; Ctrl-C writes checkpoints of all runs. */
import { pointText } from '../plan/sweep/points.js';
import type { RunEvent } from '../protocol/events.js';
import type { SweepRecord } from '../protocol/runs/sweep.js';
import type { SweepOptions } from '../runs/sweeps/runSweep.js';
import type { Terminal } from './terminal.js';
import { errorText, percent } from './text.js';

export interface SweepView extends Required<Pick<SweepOptions, 'signal' | 'stop' | 'onEvent' | 'onEnd'>> {
  /** Ends the view: signals mean again what they meant before. */
  end(): void;
}

const stageOf = (event: RunEvent): string | null => {
  if (event.event === 'iteration') return `iteration ${event.iteration + 1}`;
  return event.event === 'phase' ? event.phase : null;
};

export function followSweep({ points, runOn }: SweepRecord, terminal: Terminal): SweepView {
  const controller = new AbortController();
  const stages = new Map<number, string>();
  const results = new Map<number, string>();
  let ended = 0;
  const name = (point: number) => `${point + 1}/${points.length} ${pointText(points[point]!.values)}`;
  const interrupt = () => {
    // A second Ctrl-C does not wait for the checkpoints; the previous ones are on disk.
    if (controller.signal.aborted) process.exit(130);
    terminal.status('');
    if (!runOn) terminal.note('stopping: writing checkpoints (Ctrl-C again to leave without them)');
    controller.abort();
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  return {
    signal: controller.signal,
    // Whoever asks does not press Ctrl-C a second time: checkpoints that are being written are waited for.
    stop: () => {
      if (!controller.signal.aborted) interrupt();
    },
    onEvent(point, event) {
      const stage = stageOf(event);
      if (stage !== null) stages.set(point, stage);
      // A baseline's result does not replace that of the run.
      if (event.event === 'done' && !results.has(point))
        results.set(
          point,
          `${errorText({ ...event.retrained, absoluteError: undefined })}, ${percent(event.kept / event.prunable)} kept`,
        );
      const active = [...stages].map(([one, what]) => `${name(one)}: ${what}`);
      terminal.status(`${ended} of ${points.length} done; ${active.join('; ')}`);
    },
    onEnd(point, state) {
      stages.delete(point);
      if (state !== 'stopped') ended++;
      const text = state === 'done' ? (results.get(point) ?? 'finished before') : state;
      terminal.status('');
      terminal.note(`${name(point)}: ${text}`);
      terminal.emit({ event: 'point', point, values: points[point]!.values, state });
    },
    end() {
      process.off('SIGINT', interrupt);
      process.off('SIGTERM', interrupt);
      terminal.status('');
    },
  };
}
