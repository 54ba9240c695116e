/** Names of inputs and answers, and how they are scaled and mapped, for displays. */
import type { Dataset } from '../../data/dataset.js';
import type { EngineSession } from '../../engine/engine.js';
import type { TrainingSetup } from '../../model/setup/trainingSetup.js';
import type { SampleFacts } from './assembled.js';

export const sampleFacts = (session: EngineSession, setup: TrainingSetup, dataset: Dataset): SampleFacts => ({
  inputs: session.inputShapes.map((shape, i) => ({
    name: setup.inputNames[i] ?? `input ${i + 1}`,
    shape,
    columns: dataset.fields?.kind === 'columns' ? (dataset.fields.inputs[i] ?? []) : [],
    map: dataset.maps[i] ?? { scale: 1, shift: 0 },
  })),
  classes: dataset.classes ?? null,
  outputs: dataset.fields?.labels ?? [],
  spec: {
    loss: setup.loss,
    lossSettings: setup.lossSettings,
    classification: setup.classification,
    fromLogits: setup.fromLogits,
  },
});
