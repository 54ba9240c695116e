import type { LayerKept } from '../protocol/events.js';
import { lastEvents } from './eventLog.js';

/** The latest kept weights per layer in the run's log; null before the first. */
export async function lastPerLayer(folder: string): Promise<LayerKept[] | null> {
  const { state, iteration } = await lastEvents(folder);
  return state?.event === 'done' ? state.perLayer : (iteration?.perLayer ?? null);
}
