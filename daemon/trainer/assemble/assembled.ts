/** What a run's loops need, assembled from a plan. */
import type { EngineInfo, EngineProvider, Purpose, SessionSpec } from '../../engine/engine.js';
import type { InputScale } from '../../model/setup/inputScale.js';
import type { Model } from '../../model/model.js';
import type { OtherOutput } from '../../protocol/events.js';
import type { ResolvedPlan } from '../../protocol/resolvedPlan.js';
import type { Run } from '../run.js';
import type { NamedInput } from '../whatChanged/inputForms.js';

/** A run's context but for what the process around it provides. */
export type Parts = Pick<
  Run,
  | 'plan'
  | 'sessions'
  | 'batches'
  | 'sets'
  | 'tasks'
  | 'layers'
  | 'chanceError'
  | 'chanceLoss'
  | 'regression'
  | 'checkpointMs'
>;

/** All of a session's values, flat: its trainable weights, and its non-trainable state. */
export interface FlatWeights {
  readonly weights: Float32Array;
  readonly statistics: Float32Array;
}

/** What inputs and answers are called, and how they are read: for those who show them. */
export interface SampleFacts {
  readonly inputs: readonly NamedInput[];
  /** Names of the classes; null where there are none. */
  readonly classes: readonly string[] | null;
  /** Names of the target's values, as far as the data has them. */
  readonly outputs: readonly string[];
  readonly spec: Pick<SessionSpec, 'loss' | 'lossSettings' | 'classification' | 'fromLogits'>;
}

export interface Assembled {
  readonly parts: Parts;
  /** The plan with the hashes of model and data, and the input scale and engine that were chosen. */
  readonly plan: ResolvedPlan;
  readonly model: Model;
  /** Of one sample, per input, as trained on: what the model may leave open. */
  readonly inputShapes: readonly (readonly number[])[];
  /** Of the inputs that are not taken as stored. */
  readonly inputScales: readonly InputScale[];
  readonly engine: EngineInfo;
  /** Trainable weights, and those the tasks cover. */
  readonly weights: number;
  readonly prunable: number;
  /** Names of the trainable weights. */
  readonly parameters: ReadonlySet<string>;
  /** One sentence each, for the user. */
  readonly notes: readonly string[];
  /** The same, of how the reference's answers had the data read: the scale of the inputs and the classes, with the figures. */
  readonly reading: readonly string[];
  /** The same, of the engine: what a comparison with the reference found amiss just now. */
  readonly doubts: readonly string[];
  /** Path of the trained output: of several that are trained together, the one whose error counts. */
  readonly output: string;
  /** What became of the outputs that were not trained, in a result. @throws UserError where they cannot be computed. */
  others(result: Model): Promise<OtherOutput[]>;
  readonly facts: SampleFacts;
  /** The values of a model with this one's weights by name, such as the run's reference or its result. @throws UserError('run-invalid'). */
  flatWeights(model: Pick<Model, 'weights' | 'path'>): FlatWeights;
  /** The model with these weights; `statistics` is a session's state. */
  withWeights(weights: Float32Array, statistics: Float32Array): ReadonlyMap<string, Float32Array>;
}

export interface AssembleOptions {
  readonly workspace: string;
  /** 'inference' where nothing will be trained. Default 'training'. */
  readonly purpose?: Purpose;
  /** Devices on which the run's engine was compared with the reference before: see ChooseOptions. */
  readonly comparedOn?: readonly string[];
  /** Bytes of memory that training may share; by default what the process may still take. */
  readonly free?: number;
  /** Engines in the order of `auto`; by default all there are. */
  readonly providers?: readonly EngineProvider[];
}

export type Assemble = (plan: ResolvedPlan, options: AssembleOptions) => Promise<Assembled>;
