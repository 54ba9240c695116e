import type { LayerKept } from '../protocol/events.js';
import { lastEvents } from './eventLog.js';

/** Kept weights per layer as the run's log last gives them; null where it does not yet. */
export async function lastPerLayer(folder: string): Promise<LayerKept[] | null> {
  const { state, iteration } = await lastEvents(folder);
  return state?.event === 'done' ? state.perLayer : (iteration?.perLayer ?? null);
}
