import type { EngineSession } from '../engine/engine.js';
import type { Sessions } from './run.js';

/**
 * @param open opens a session for a batch size; graphs are compiled for exactly one. @param first already open, not taught.
 * @param teaches whether the run has distillation: without it, no session is taught.
 */
export function createSessions(
  open: (batchSize: number, taught: boolean) => Promise<EngineSession>,
  first: { session: EngineSession; batchSize: number },
  teaches = false,
): Sessions {
  let { session, batchSize } = first;
  let isTaught = false;
  return {
    async use(wanted, taught = isTaught) {
      const wantsTaught = teaches && taught;
      if (wanted === batchSize && wantsTaught === isTaught) return session;
      const next = await open(wanted, wantsTaught);
      await next.setWeights(await session.getWeights());
      await next.setState(await session.getState());
      await next.setVelocity(await session.getVelocity());
      next.setRandomState(session.getRandomState());
      await session.dispose();
      session = next;
      batchSize = wanted;
      isTaught = wantsTaught;
      return session;
    },
  };
}
