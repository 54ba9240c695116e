import type { PathPoint } from '../protocol/events.js';
import { readEvents, readRunPlan } from './list/registry.js';

const WINDOW = 100_000;

/** The finished points of a path run, in the order they were computed. @throws UserError('run-missing' | 'run-invalid'). */
export async function pathPoints(folder: string): Promise<{ method: string; points: PathPoint[] }> {
  const { method } = await readRunPlan(folder);
  const points: PathPoint[] = [];
  for (let from = 0, end = false; !end;) {
    const window = await readEvents(folder, from, WINDOW, 2);
    for (const event of window.events) {
      if (event.event !== 'point') continue;
      const { event: _event, time: _time, points: _points, step: _step, ...point } = event;
      points.push(point);
    }
    from = window.next;
    end = window.end;
  }
  return { method, points };
}
