/** Everything that a run's loops need, assembled from a plan. */
import type { EngineInfo, EngineProvider, Purpose, SessionSpec } from '../../engine/engine.js';
import type { InputScale } from '../../model/setup/inputScale.js';
import type { Model } from '../../model/model.js';
import type { OtherOutput } from '../../protocol/events.js';
import type { ResolvedPlan } from '../../protocol/resolvedPlan.js';
import type { Teacher } from '../distill/teacher.js';
import type { Run } from '../run.js';
import type { NamedInput } from '../whatChanged/inputForms.js';

/** A run's context without the parts that its process provides. */
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
  | 'unlabelled'
  | 'checkpointMs'
> & {
  /** The reference, if it teaches. */
  readonly teacher?: Teacher;
};

/** All of a session's values, flat: its trainable weights, and its non-trainable state. */
export interface FlatWeights {
  readonly weights: Float32Array;
  readonly statistics: Float32Array;
}

/** Names of inputs and answers, and how they are scaled and mapped: for displays. */
export interface SampleFacts {
  readonly inputs: readonly NamedInput[];
  /** Names of the classes; null if there are none. */
  readonly classes: readonly string[] | null;
  /** Names of the target's values, as far as the data has them. */
  readonly outputs: readonly string[];
  readonly spec: Pick<SessionSpec, 'loss' | 'lossSettings' | 'classification' | 'fromLogits'>;
}

export interface Assembled {
  readonly parts: Parts;
  /** The plan with the hashes of model and data, and the chosen input scale and engine. */
  readonly plan: ResolvedPlan;
  readonly model: Model;
  /** Shape of one sample of each input, as trained on; the model may leave sizes open. */
  readonly inputShapes: readonly (readonly number[])[];
  /** For the inputs that are not taken as stored. */
  readonly inputScales: readonly InputScale[];
  readonly engine: EngineInfo;
  /** Number of trainable weights, and of those the tasks cover. */
  readonly weights: number;
  readonly prunable: number;
  /** Names of the trainable weights. */
  readonly parameters: ReadonlySet<string>;
  /** One sentence each, for the user. */
  readonly notes: readonly string[];
  /** The same, on the label mapping and the input scale that the reference's answers chose, with the figures. */
  readonly mapping: readonly string[];
  /** The same, on the engine: problems that the comparison with the reference engine has just found. */
  readonly doubts: readonly string[];
  /** Path of the trained output: if several are trained together, the one whose error counts. */
  readonly output: string;
  /** The untrained outputs in a result. @throws UserError if they cannot be computed. */
  others(result: Model): Promise<OtherOutput[]>;
  readonly facts: SampleFacts;
  /** The weights of a model, such as the run's reference or its result, in this model's order. @throws UserError('run-invalid'). */
  flatWeights(model: Pick<Model, 'weights' | 'path'>): FlatWeights;
  /** The model with these weights; `statistics` is a session's state. */
  withWeights(weights: Float32Array, statistics: Float32Array): ReadonlyMap<string, Float32Array>;
}

export interface AssembleOptions {
  readonly workspace: string;
  /** 'inference' if nothing will be trained. Default 'training'. */
  readonly purpose?: Purpose;
  /** Devices on which the run's engine has been compared with the reference: see ChooseOptions. */
  readonly comparedOn?: readonly string[];
  /** Bytes of memory that training may use; default: what the process can still allocate. */
  readonly free?: number;
  /** Engines in the order of `auto`; default: all. */
  readonly providers?: readonly EngineProvider[];
}

export type Assemble = (plan: ResolvedPlan, options: AssembleOptions) => Promise<Assembled>;
