import type { LayerKept } from '../daemon/protocol/events.js';
import type { RunSummary } from '../daemon/protocol/messages.js';
import type { Daemon } from './daemon/daemon.js';

/** Whether a run prunes this model file; a run names it relative to its workspace folder. */
export const prunes = (run: RunSummary, model: string): boolean => model.endsWith(run.model.replace(/^\.\//, ''));

/** What a run keeps of each layer, as of its last iteration; null before the first. Live events of the run follow. */
export async function latestKept(daemon: Daemon, run: string): Promise<readonly LayerKept[] | null> {
  await daemon.request('lc/subscribe', { run, on: true });
  const { events } = await daemon.request('lc/history', { run, from: 0, limit: 100_000, resolution: 2 });
  const last = events.findLast((event) => event.event === 'iteration' || event.event === 'done');
  return last?.perLayer ?? null;
}
