import type { RunEvent } from '../protocol/events.js';

type Batch = Extract<RunEvent, { event: 'batch' }>;

const mean = (values: readonly (number | null)[]): number | null => {
  const finite = values.filter((value) => value !== null);
  return finite.length === 0 ? null : finite.reduce((sum, value) => sum + value, 0) / finite.length;
};

/** Neighbouring batches as one: the mean loss and throughput, and where the last one was. */
function merge(batches: readonly Batch[]): Batch {
  const rate = mean(batches.map((batch) => batch.samplesPerSecond))!;
  return { ...batches.at(-1)!, loss: mean(batches.map((batch) => batch.loss)), samplesPerSecond: rate };
}

/**
 * At most `resolution` batch events, each the mean of equally many neighbours; they are not merged across other events'
 * phases. Other events stay as they are and in order.
 */
export function thinBatches(events: readonly RunEvent[], resolution: number): RunEvent[] {
  const total = events.reduce((count, { event }) => count + Number(event === 'batch'), 0);
  if (total <= resolution) return [...events];
  const size = Math.ceil(total / resolution);
  const thinned: RunEvent[] = [];
  let bucket: Batch[] = [];
  const close = () => {
    if (bucket.length > 0) thinned.push(merge(bucket));
    bucket = [];
  };
  let seen = 0;
  for (const event of events) {
    if (event.event !== 'batch') {
      thinned.push(event);
      continue;
    }
    bucket.push(event);
    seen += 1;
    if (seen % size === 0) close();
  }
  close();
  return thinned;
}
