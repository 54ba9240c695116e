/** The run's reference as the teacher of the networks that are trained after it: its answers to training samples, as targets. */
import { sampleSource } from '../../data/batches/sampleSource.js';
import type { Part } from '../../data/dataset.js';
import type { EngineSession, Taught } from '../../engine/engine.js';
import { hasTemperature, softened } from '../../engine/loss/taught.js';
import { DISTILL } from '../../lc/distillation.js';
import type { TrainingSetup } from '../../model/setup/trainingSetup.js';
import { UserError } from '../../protocol/errors.js';
import type { ResolvedPlan } from '../../protocol/resolvedPlan.js';
import { sizeOf } from '../../protocol/shape.js';
import type { FlatWeights } from '../assemble/assembled.js';
import { chanceDivergence } from '../judge/chanceLoss.js';
import { LIMITS } from '../limits.js';

/**
 * How a plan's networks are taught; undefined if they are not.
 * @throws UserError('plan-invalid') if a temperature is set for a loss that has none.
 */
export function taughtOf(
  { distill }: Pick<ResolvedPlan, 'distill'>,
  { loss, output }: Pick<TrainingSetup, 'loss' | 'output'>,
): Taught | undefined {
  if (!distill || distill.weight === 0) return undefined;
  const { weight, temperature } = distill;
  if (hasTemperature(loss)) return { weight, temperature: temperature ?? DISTILL.temperature };
  if (temperature === null || temperature === 1) return { weight, temperature: 1 };
  throw new UserError(
    'plan-invalid',
    `distill.temperature: only cross-entropies have one, and the loss of output "${output}" is ${loss}; leave it out`,
    { field: 'distill.temperature' },
  );
}

/** Mean losses of a constant answer without a teacher; null: unknown. */
export interface Untaught {
  /** Of all outputs that are trained together, weighted. */
  readonly all: number | null;
  /** Of the taught output, and its weight in that sum. */
  readonly own: number | null;
  readonly weight: number;
}

export interface TeacherOptions {
  readonly taught: Taught;
  readonly setup: Pick<TrainingSetup, 'loss' | 'lossSettings' | 'outputShape'>;
  /** Opens the model of the plan with the weights of its file, for inference. */
  open(): Promise<EngineSession>;
  readonly train: Part;
  readonly chance: Untaught;
  /** Bytes of answers that are kept in memory. Default: the process's limit. */
  readonly memory?: number;
}

export class Teacher {
  /** Whether the answers to all training samples are computed once: not if the samples are augmented, or the answers too large. */
  readonly keeps: boolean;
  /** Gives the weights of a reference that the run has trained; absent: those of the model's file. */
  reference?: () => Promise<FlatWeights>;
  readonly #size: number;
  #ready: Promise<void> | undefined;
  #answers: Float32Array | undefined;
  #session: EngineSession | undefined;
  #chanceLoss: number | null = null;
  #isReady = false;

  constructor(private readonly options: TeacherOptions) {
    const { train, setup, memory = LIMITS.answers } = options;
    this.#size = sizeOf(setup.outputShape);
    this.keeps = !train.augmentation && train.size * this.#size * Float32Array.BYTES_PER_ELEMENT <= memory;
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  /** Loss of a constant answer in taught training, once the teacher is ready; null: unknown. */
  get chanceLoss(): number | null {
    return this.#chanceLoss;
  }

  /** Opens the reference, and lets it answer all training samples if the answers are kept. */
  ready(): Promise<void> {
    return (this.#ready ??= this.#prepare());
  }

  async #prepare(): Promise<void> {
    const { open, train } = this.options;
    const session = await open();
    this.#session = session;
    if (this.reference) {
      const { weights, statistics } = await this.reference();
      await session.setWeights(weights);
      await session.setState(statistics);
    }
    this.#chanceLoss = await this.#lossByChance(session);
    if (this.keeps) {
      const answers = new Float32Array(train.size * this.#size);
      await this.#evaluate(session, sampleSource(train), answers);
      this.#answers = answers;
      await session.dispose();
      this.#session = undefined;
    }
    this.#isReady = true;
  }

  /** Answers a batch. Only if the answers are not kept. @param inputs of the model; further buffers are not read. */
  async answer(inputs: readonly Float32Array[], count: number, out: Float32Array): Promise<void> {
    const session = this.#session!;
    const widths = session.inputShapes.map(sizeOf);
    const read = (start: number, n: number, buffers: readonly Float32Array[]) =>
      widths.forEach((width, i) => buffers[i]!.set(inputs[i]!.subarray(start * width, (start + n) * width)));
    await this.#evaluate(session, { size: count, read }, out);
  }

  /** Copies the kept answers to training samples `indices[from .. from+count)` to the start of `out`. */
  recall(indices: Uint32Array, from: number, count: number, out: Float32Array): void {
    const size = this.#size;
    for (let k = 0; k < count; k++) {
      const at = indices[from + k]! * size;
      out.set(this.#answers!.subarray(at, at + size), k * size);
    }
  }

  async #evaluate(session: EngineSession, source: Parameters<EngineSession['evaluate']>[0], out: Float32Array) {
    const { taught, setup } = this.options;
    const size = this.#size;
    await session.evaluate(source, {
      onBatch: ({ start, samples, values, head }) =>
        softened(
          { loss: setup.loss, head, temperature: taught.temperature },
          values.subarray(0, samples * size),
          setup.outputShape.at(-1) ?? 1,
          out.subarray(start * size, (start + samples) * size),
        ),
    });
  }

  /** The run's, with the loss of the teacher's answers as a part of that of the taught output. */
  async #lossByChance(session: EngineSession): Promise<number | null> {
    const { taught, setup, train, chance } = this.options;
    const samples = sampleSource(train);
    const source = {
      size: train.size,
      read: async (start: number, count: number, inputs: readonly Float32Array[], target: Float32Array) => {
        await samples.read(start, count, inputs, target);
        await this.answer(inputs, count, target);
      },
    };
    const ofTeacher = await chanceDivergence(source, session, setup, taught.temperature);
    if (chance.all === null || chance.own === null || ofTeacher === null) return null;
    return chance.all + chance.weight * taught.weight * (ofTeacher - chance.own);
  }
}
