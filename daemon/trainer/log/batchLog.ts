/** Reduces the stream of training steps to one `batch` event every 50 ms, so that its readers keep up. */
import type { UntimedRunEvent } from '../../protocol/events.js';
import { LIMITS } from '../limits.js';

export interface BatchStep {
  /** Over the whole run, from 1. */
  readonly step: number;
  readonly epoch: number;
  readonly loss: number;
  readonly learningRate: number;
}

export interface BatchLog {
  add(step: BatchStep): void;
  /** Logs the steps since the last event. */
  flush(): void;
}

type BatchEvent = Extract<UntimedRunEvent, { event: 'batch' }>;

/**
 * @param batchSize samples per step, for the throughput. The loss of an event is the mean over its steps.
 */
export function createBatchLog(
  where: Pick<BatchEvent, 'phase' | 'iteration'>,
  batchSize: number,
  clock: () => number,
  log: (event: UntimedRunEvent) => void,
): BatchLog {
  let last: BatchStep | null = null;
  let sum = 0;
  let count = 0;
  let logged = clock();
  let rate = 0;
  const flush = () => {
    if (!last) return;
    const now = clock();
    const milliseconds = Math.max(now - logged, 1e-3);
    const weight = rate === 0 ? 1 : 1 - Math.exp(-milliseconds / LIMITS.rateTime);
    rate += weight * ((1000 * count * batchSize) / milliseconds - rate);
    const { step, epoch, learningRate } = last;
    log({ event: 'batch', ...where, step, epoch, loss: sum / count, learningRate, samplesPerSecond: Math.round(rate) });
    last = null;
    sum = 0;
    count = 0;
    logged = now;
  };
  return {
    add(step) {
      last = step;
      sum += step.loss;
      count += 1;
      if (clock() - logged >= LIMITS.batchInterval) flush();
    },
    flush,
  };
}
