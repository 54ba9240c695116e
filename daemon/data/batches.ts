import { UserError } from '../protocol/errors.js';
import { createRandom, type Random } from '../lc/random.js';
import { augmentImages } from './augment.js';
import type { Split } from './dataset.js';
import { identityIndices } from './sampleStore.js';

/** Where a stream of batches stands. Plain JSON, of constant size: the order is derived from the generator again. */
export interface BatchState {
  /** Completed epochs. */
  readonly epoch: number;
  /** Batches already taken from the current epoch, in [0, stepsPerEpoch]. */
  readonly position: number;
  /** The generator as it was when the current epoch's order was drawn. */
  readonly generator: readonly number[];
}

const SHUFFLE_STREAM = 1;

/**
 * Batches of a split, every sample once per epoch in a freshly drawn order (Fisher-Yates). The last partial batch of an
 * epoch is dropped: the compiled graph takes exactly `batchSize` samples, and another order next epoch gives the dropped
 * samples their turn. Implements the engine's `BatchStream`.
 */
export class ShuffledBatches {
  readonly stepsPerEpoch: number;
  private readonly random: Random;
  private readonly order: Uint32Array;
  private epochStart: readonly number[];
  private epochs = 0;
  private position = 0;

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
  }

  /** Completed epochs, with the fraction of the current one. */
  get epoch(): number {
    return this.epochs + this.position / this.stepsPerEpoch;
  }

  /** Fills the next batch: one buffer per model input, and the target. */
  next(inputs: readonly Float32Array[], target: Float32Array): void | Promise<void> {
    if (this.position === this.stepsPerEpoch) this.startEpoch();
    const from = this.position * this.batchSize;
    // One stream per batch of the run, so that the draws depend on the position alone.
    const stream = (this.epochs * this.stepsPerEpoch + this.position) * 2 + 2;
    this.position++;
    const pending = this.split.gather(this.order, from, this.batchSize, inputs, target);
    const { augmentation } = this.split;
    if (!augmentation) return pending;
    const augment = (): void => augmentImages(augmentation, inputs[0]!, this.batchSize, this.seed, stream);
    if (pending) return pending.then(augment);
    augment();
  }

  get state(): BatchState {
    return { epoch: this.epochs, position: this.position, generator: this.epochStart };
  }

  /** Continues exactly where `state` was taken, given the same split, batch size and seed. */
  restore(state: BatchState): void {
    if (!Number.isInteger(state.position) || state.position < 0 || state.position > this.stepsPerEpoch)
      throw new RangeError(`batch ${state.position} is outside an epoch of ${this.stepsPerEpoch}`);
    this.epochs = state.epoch;
    this.position = state.position;
    this.random.restore(state.generator);
    this.drawOrder();
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
