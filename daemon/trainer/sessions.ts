import type { EngineSession } from '../engine/engine.js';
import type { Sessions } from './run.js';

/** @param open opens a session for a batch size; graphs are compiled for exactly one. @param first already open. */
export function createSessions(
  open: (batchSize: number) => Promise<EngineSession>,
  first: { session: EngineSession; batchSize: number },
): Sessions {
  let { session, batchSize } = first;
  return {
    async use(wanted) {
      if (wanted === batchSize) return session;
      const next = await open(wanted);
      await next.setWeights(await session.getWeights());
      await next.setState(await session.getState());
      await next.setVelocity(await session.getVelocity());
      next.setRandomState(session.getRandomState());
      await session.dispose();
      session = next;
      batchSize = wanted;
      return session;
    },
  };
}
