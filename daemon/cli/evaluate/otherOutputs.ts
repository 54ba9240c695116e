/** The losses of a model's other outputs, and the weighted sum of all, as Keras's `evaluate` has them. */
import type { Dataset } from '../../data/dataset.js';
import { sampleSource } from '../../data/batches/sampleSource.js';
import type { EngineSession, EvaluationResult, SessionSpec } from '../../engine/engine.js';
import type { Model } from '../../model/model.js';
import type { TrainingSetup } from '../../model/setup/trainingSetup.js';
import { candidatesOf, setupsOf } from '../../trainer/judge/jointOutputs.js';
import { mapLabels } from '../../trainer/dataMapping.js';

/** The outputs beside `own` that the file has a loss for. */
export const otherSetups = (model: Model, own: TrainingSetup): TrainingSetup[] =>
  own.inFile ? setupsOf(candidatesOf(model, { jointly: own.outputNames.filter((name) => name !== own.output) })) : [];

export interface OutputFigures extends Pick<EvaluationResult, 'loss' | 'error' | 'absoluteError'> {
  readonly output: string;
  /** Weight of its loss in the model's total loss. */
  readonly weight: number;
}

export interface OthersEvaluated {
  readonly outputs: readonly OutputFigures[];
  /** Notes, one sentence each: how labels were mapped, and which outputs could not be evaluated. */
  readonly notes: readonly string[];
}

/**
 * Evaluates the other outputs that the data has targets for.
 * @param dataset with the input scale that was chosen. @param open opens the model for one of them.
 */
export async function evaluateOthers(
  setups: readonly TrainingSetup[],
  dataset: Dataset,
  batchSize: number,
  open: (spec: SessionSpec) => Promise<EngineSession>,
): Promise<OthersEvaluated> {
  const outputs: OutputFigures[] = [];
  const notes: string[] = [];
  for (const setup of setups) {
    const found = dataset.others.get(setup.output);
    if (!found || 'reason' in found) {
      notes.push(`output "${setup.output}" is not evaluated: ${found?.reason ?? 'the data has no targets named after it'}`); // prettier-ignore
      continue;
    }
    let data = await found.open();
    if (data.encodings.length > 1) {
      const choice = await mapLabels(data, setup, open);
      data = choice.dataset;
      notes.push(...choice.notes.map((note) => `output "${setup.output}": ${note}`));
    }
    const { output, loss, lossSettings, classification, fromLogits } = setup;
    const session = await open({ output, loss, lossSettings, classification, fromLogits, batchSize, purpose: 'inference', seed: 0 }); // prettier-ignore
    try {
      const { samples: _samples, outputs: _outputs, ...figures } = await session.evaluate(sampleSource(data.test));
      outputs.push({ output, weight: setup.inFile!.lossWeight, ...figures });
    } finally {
      await session.dispose();
    }
  }
  return { outputs, notes };
}
