/** The requirements on every engine, on tiny nets, against float64 loops: the contract of daemon/engine/engine.ts. */
import { afterEach, describe } from 'vitest';
import type { EngineProvider, EngineSession, SessionSpec } from '../../../daemon/engine/engine.js';
import { mlp, type Net } from './nets.js';
import { batchSize } from './contractCases.js';
import { describeEvaluation } from './evaluationContract.js';
import { describeGradients } from './gradientContract.js';
import { describeTraining } from './trainingContract.js';

/** Whether an available engine also opens: a GPU provider may be bundled and still find no device. */
export async function opens(provider: EngineProvider): Promise<boolean> {
  if (!(await provider.probe()).available) return false;
  const net = mlp('meanSquaredError', 'linear');
  try {
    await (await provider.open(net.model, { loss: net.loss, batchSize, seed: 1 })).dispose();
    return true;
  } catch {
    return false;
  }
}

/** Holds an engine to the contract. @param here whether it can run; if not, its tests are skipped by name. */
export function describeContract(provider: EngineProvider, here: boolean): void {
  describe.skipIf(!here)(`engine ${provider.id}`, () => {
    const open: EngineSession[] = [];
    const session = async (net: Net, more: Partial<SessionSpec> = {}) => {
      const opened = await provider.open(net.model, { loss: net.loss, batchSize, seed: 1, ...more });
      open.push(opened);
      return opened;
    };
    afterEach(async () => {
      for (const opened of open.splice(0)) await opened.dispose();
    });

    describeGradients(session, provider.id);
    describeTraining(session);
    describeEvaluation(session);
  });
}
