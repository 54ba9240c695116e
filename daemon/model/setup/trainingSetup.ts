/** The training setup of a model: its loss and the shapes of its data, from its own training config or else from its output. */
import { UserError } from '../../protocol/errors.js';
import { frontEndOf } from '../frontEnds/frontEndOf.js';
import type { OpenShape } from '../frontEnds/frontEnd.js';
import { field } from '../layers/layerConfig.js';
import type { Model } from '../model.js';
import { compiledLoss, lossInFile, metricsOf, outputIndex } from './compiledLoss.js';
import type { AsStored } from './inputsAsStored.js';
import { absorbedHead, type Loss } from './loss.js';
import { lossSettings, type LossSettings } from './lossSettings.js';

export interface TrainingSetup {
  readonly loss: Loss;
  readonly lossSettings: LossSettings;
  /** Error is the fraction of wrong samples; targets are one-hot (or 0/1 for a single output). */
  readonly classification: boolean;
  readonly inputNames: readonly string[];
  /** Paths of the layers of all outputs. */
  readonly outputNames: readonly string[];
  /** Of one sample, per input; null sizes are open. */
  readonly inputShapes: readonly OpenShape[];
  /** Per input: why no scale is chosen for it; null: one is. */
  readonly asStored: readonly (AsStored | null)[];
  readonly outputShape: readonly number[];
  /** The chosen output's layer, as in LayerSummary. */
  readonly output: string;
  /** The model's loss is defined on logits: its output has no softmax or sigmoid although it classifies (SessionSpec.fromLogits). */
  readonly fromLogits: boolean;
  /** Only the data distinguishes a regression from a classifier with logits (setupByData.ts). */
  readonly mayBeLogits: boolean;
  /** The file's loss weight and settings of the output; null: no supported loss. */
  readonly inFile: { readonly lossWeight: number } | null;
  /** What was chosen on the user's behalf, one sentence each. */
  readonly notes: readonly string[];
}

const saysAccuracy = (metrics: unknown): boolean => metrics != null && /"[^"]*acc[^"]*"/i.test(JSON.stringify(metrics));

function byActivation(activation: string): Loss {
  if (activation === 'softmax') return 'categoricalCrossentropy';
  return activation === 'sigmoid' ? 'binaryCrossentropy' : 'meanSquaredError';
}

const outputText = (activation: string): string =>
  activation === 'linear' ? 'numbers without an activation' : `a ${activation}`;

const LOSS_WORDS: Partial<Record<Loss, string>> = {
  categoricalCrossentropy: 'cross-entropy of classes',
  binaryCrossentropy: 'cross-entropy of yes and no',
  meanSquaredError: 'mean squared error',
};

/**
 * @param output name of the output's layer ("o1", "head/o1"); default the model's main one, which always trains.
 * @throws UserError('plan-invalid') on an unknown output, listing those there are; UserError('model-unsupported') on an open output shape.
 */
export function trainingSetup(model: Model, output?: string): TrainingSetup {
  const frontEnd = frontEndOf(model);
  const outputs = frontEnd.outputs();
  const inputs = frontEnd.inputs();
  const names = outputs.map(({ name }) => name);
  const notes: string[] = [];
  const index = outputIndex(names, output, frontEnd.mainOutput());
  if (index < 0) {
    throw new UserError(
      'plan-invalid',
      `output: the model has no output "${output}"; it has ${names.map((n) => `"${n}"`).join(', ')}`,
      { field: 'output' },
    );
  }
  if (output === undefined && names.length > 1) {
    const which = index === 0 ? 'first' : 'last';
    notes.push(`the model has ${names.length} outputs (${names.join(', ')}); the ${which} one is trained on`);
  }
  const { name, shape, activation, logProbabilities = false } = outputs[index]!;
  notes.push(...frontEnd.trainingNotes());
  if (!shape || shape.some((dim) => dim === null)) {
    throw new UserError(
      'model-unsupported',
      `${model.path}: the shape of output "${name}" is open; give the model's input a fixed shape`,
      { file: model.path, field: name },
    );
  }
  const outputShape = shape as readonly number[];
  const compiled = frontEnd.compiled();
  const config = compiled?.config;
  const { named, plainName, known } = compiledLoss(config, names, index) ?? { named: null, plainName: '' };
  if (named && known === undefined) {
    notes.push(
      `the model's own loss "${named.name.slice(0, 60)}" is not available; ${byActivation(activation)} fits its output`,
    );
  }
  const loss = known ?? (logProbabilities ? 'categoricalCrossentropy' : byActivation(activation));
  const { settings, ignored } = lossSettings(
    loss,
    plainName.startsWith('sparse'),
    known === undefined ? null : named!.config,
    outputShape.length + 1,
  );
  if (ignored.length > 0) notes.push(`the loss is computed without what the file sets of it: ${ignored.join(', ')}`);
  const absorbed = absorbedHead(loss);
  const crossEntropy = absorbed !== 'none';
  const several = outputShape.length > 0 && outputShape.at(-1)! > 1;
  const accuracy = compiled !== null && saysAccuracy(metricsOf(field(compiled.config, 'metrics'), names, index, compiled.keras3)); // prettier-ignore
  const classification =
    crossEntropy || activation === 'softmax' || ((several || activation === 'sigmoid') && accuracy);
  const ofLogits = crossEntropy && (named?.fromLogits ?? false);
  if (ofLogits && activation === absorbed)
    notes.push(`the file's loss takes logits, but output "${name}" is a ${absorbed}: the loss is computed on what goes into the ${absorbed}, as Keras does on TensorFlow`); // prettier-ignore
  const mayBeLogits = named === null && activation === 'linear' && several && !logProbabilities;
  // Where it may be logits, the data decides, and a note reports it.
  if (!frontEnd.saysLoss && !mayBeLogits)
    notes.push(`the file does not say its loss: of output "${name}", ${logProbabilities ? 'a LogSoftmax' : outputText(activation)}, it is the ${LOSS_WORDS[loss] ?? loss}`); // prettier-ignore
  return {
    loss,
    lossSettings: settings,
    classification,
    inputNames: inputs.map((input) => input.name),
    outputNames: names,
    inputShapes: inputs.map((input): OpenShape => input.shape),
    asStored: frontEnd.asStored(),
    outputShape,
    output: name,
    // Of an activation that the loss takes over, Keras too computes on the logits before it.
    fromLogits: logProbabilities || (ofLogits && activation !== absorbed),
    inFile: lossInFile(config, names, index),
    mayBeLogits,
    notes,
  };
}
