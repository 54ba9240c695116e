import { UserError } from '../../protocol/errors.js';
import { createRandom, type Random } from '../../lc/random.js';
import { augmentImages } from './augment.js';
import type { Split } from '../dataset.js';
import type { CopyRows } from '../mapping/preparedInput.js';
import { identityIndices } from './sampleStore.js';

/** The position in a stream of batches. Plain JSON, of constant size: the order is derived from the generator again. */
export interface BatchState {
  /** Completed epochs. */
  readonly epoch: number;
  /** Batches already taken from the current epoch, in [0, stepsPerEpoch]. */
  readonly position: number;
  /** The generator as it was when the current epoch's order was drawn. */
  readonly generator: readonly number[];
}

/** A batch being read before it is asked for. */
interface Ahead {
  readonly epochs: number;
  readonly position: number;
  readonly inputs: readonly Float32Array[];
  readonly target: Float32Array;
  readonly filled: Promise<void>;
}

const SHUFFLE_STREAM = 1;

/**
 * Batches of a split, every sample once per epoch in a freshly drawn order (Fisher-Yates). The last partial batch of an epoch is dropped, because the
 * compiled graph takes exactly `batchSize` samples; with another order in the next epoch, other samples are dropped. Implements the engine's
 * `BatchStream`.
 */
export class ShuffledBatches {
  readonly stepsPerEpoch: number;
  private readonly random: Random;
  private readonly order: Uint32Array;
  private epochStart: readonly number[];
  private epochs = 0;
  private position = 0;
  private ahead: Ahead | null = null;
  private readonly beginning: BatchState;

  /** @throws UserError('data-invalid') when the split has fewer samples than one batch. */
  constructor(
    private readonly split: Split,
    readonly batchSize: number,
    private readonly seed: number,
  ) {
    this.stepsPerEpoch = Math.floor(split.size / batchSize);
    if (this.stepsPerEpoch === 0)
      throw new UserError(
        'data-invalid',
        `The training part has ${split.size} samples, fewer than one batch of ${batchSize}: set "training.batchSize" to ${Math.max(1, split.size)} or less`,
        { field: 'training.batchSize' },
      );
    this.random = createRandom(seed, SHUFFLE_STREAM);
    this.order = identityIndices(split.size);
    this.epochStart = this.random.state;
    this.random.shuffle(this.order);
    this.beginning = this.state;
  }

  /** Completed epochs, with the fraction of the current one. */
  get epoch(): number {
    return this.epochs + this.position / this.stepsPerEpoch;
  }

  /** Fills the next batch: one buffer per model input, and the target. */
  next(inputs: readonly Float32Array[], target: Float32Array, copyRows?: CopyRows): void | Promise<void> {
    if (this.position === this.stepsPerEpoch) this.startEpoch();
    const { epochs, position } = this;
    this.position++;
    const { ahead } = this;
    if (ahead && ahead.epochs === epochs && ahead.position === position) {
      return ahead.filled.then(() => {
        inputs.forEach((buffer, i) => buffer.set(ahead.inputs[i]!));
        target.set(ahead.target);
        this.readAhead(ahead);
      });
    }
    const pending = this.fill(epochs, position, inputs, target, copyRows);
    return pending?.then(() => {
      const spare = { inputs: inputs.map((buffer) => new Float32Array(buffer.length)), target: target.slice() };
      this.readAhead(spare);
    });
  }

  private fill(
    epochs: number,
    position: number,
    inputs: readonly Float32Array[],
    target: Float32Array,
    copyRows?: CopyRows,
  ): void | Promise<void> {
    const pending = this.split.gather(this.order, position * this.batchSize, this.batchSize, inputs, target, copyRows);
    const { augmentation } = this.split;
    if (!augmentation) return pending;
    // One stream per batch of the run, so that the draws depend on the position alone.
    const stream = (epochs * this.stepsPerEpoch + position) * 2 + 2;
    const augment = (): void => augmentImages(augmentation, inputs[0]!, this.batchSize, this.seed, stream);
    if (pending) return pending.then(augment);
    augment();
  }

  /** Reads the next batch of a split on disk while a step trains. It does not cross the end of the epoch, because the next order is not drawn yet. */
  private readAhead({ inputs, target }: Pick<Ahead, 'inputs' | 'target'>): void {
    const { epochs, position } = this;
    this.ahead = null;
    if (position === this.stepsPerEpoch) return;
    const filled = Promise.resolve(this.fill(epochs, position, inputs, target));
    // A failure belongs to the step that requests this batch, and is dropped when none does.
    filled.catch(() => {});
    this.ahead = { epochs, position, inputs, target, filled };
  }

  get state(): BatchState {
    return { epoch: this.epochs, position: this.position, generator: this.epochStart };
  }

  /** Continues exactly where `state` was taken, given the same split, batch size and seed. */
  restore(state: BatchState): void {
    if (!Number.isInteger(state.position) || state.position < 0 || state.position > this.stepsPerEpoch)
      throw new RangeError(`batch ${state.position} is outside an epoch of ${this.stepsPerEpoch}`);
    this.ahead = null;
    this.epochs = state.epoch;
    this.position = state.position;
    this.random.restore(state.generator);
    this.drawOrder();
  }

  /** Returns to the first batch of the first epoch. */
  rewind(): void {
    this.restore(this.beginning);
  }

  private startEpoch(): void {
    this.epochs++;
    this.position = 0;
    this.drawOrder();
  }

  private drawOrder(): void {
    this.epochStart = this.random.state;
    for (let i = 0; i < this.order.length; i++) this.order[i] = i;
    this.random.shuffle(this.order);
  }
}
