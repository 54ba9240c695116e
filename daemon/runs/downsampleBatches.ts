import type { RunEvent } from '../protocol/events.js';
import { downsample } from '../protocol/telemetry/downsample.js';

/** At most `resolution` of the batch events, peaks of the loss among them. Other events stay, all in order. */
export function downsampleBatches(events: readonly RunEvent[], resolution: number): RunEvent[] {
  const batches = events.filter((event) => event.event === 'batch');
  if (batches.length <= resolution) return [...events];
  const rows = downsample(
    batches.map(({ loss }) => loss),
    resolution,
  );
  const kept = new Set<RunEvent>(rows.map((row) => batches[row]!));
  return events.filter((event) => event.event !== 'batch' || kept.has(event));
}
