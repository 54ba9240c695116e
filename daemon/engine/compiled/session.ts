import { concatenated } from '../../lc/concatenated.js';
import { UserError } from '../../protocol/errors.js';
import { sizeOf } from '../../protocol/shape.js';
import { createRandom, type Random } from '../../lc/random.js';
import type { Model } from '../../model/model.js';
import { eachBatch } from '../eachBatch.js';
import type {
  EngineInfo,
  EngineSession,
  EvaluateOptions,
  EvaluationResult,
  Parameter,
  SampleSource,
  SessionSpec,
  TrainRequest,
  TrainSummary,
} from '../engine.js';
import { type Graph } from '../../network/ir.js';
import { verified } from '../../network/verify/verified.js';
import { graphsOf } from '../graphs/graphsOf.js';
import type { ModelGraphs } from '../graphs/modelGraphs.js';
import { clipNorm } from '../update/clipNorm.js';
import { updateSegments } from '../update/segments.js';
import { createUpdate, type Update } from '../update/update.js';
import { bindBuffers, type Buffers } from './buffers.js';
import { joined } from '../loss/jointLoss.js';
import { Score } from '../loss/score.js';
import { applyHead } from '../loss/tally.js';
import type { CreateExecutor, Executor } from './executor.js';
import { StepScheduler } from './stepScheduler.js';
import { MicroBatches } from './microBatches.js';
import { layOutParameters } from '../parameters.js';
import { fillRandom } from './randomInputs.js';
import { allocateVectors, type FlatVectors } from './vectors.js';

/** The random stream of dropout masks and noise, apart from those of shuffling and initial weights. */
const noiseStream = 1;

/** An executor and its buffers. */
interface Ready {
  readonly graph: Executor;
  readonly io: Buffers;
}

interface Training extends Ready {
  readonly batch: MicroBatches;
  readonly update: Update;
}

/** A model as graphs, computed by an executor, updated by our own kernel in one memory. */
export class CompiledSession implements EngineSession {
  readonly parameters: readonly Parameter[];
  readonly size: number;
  readonly prunableSize: number;
  readonly inputShapes: readonly (readonly number[])[];
  readonly outputShape: readonly number[];
  readonly jointShapes: readonly (readonly number[])[];

  readonly #vectors: FlatVectors;
  readonly #random: Random;
  readonly #scheduler = new StepScheduler();
  /** Non-trainable weights by name, as the graphs read them; and the states that training changes. */
  readonly #fixed = new Map<string, Float32Array>();
  /** Graphs are made on first use: an evaluation needs no training graph. */
  #training: Promise<Training> | undefined;
  #inference: Promise<Ready> | undefined;

  private constructor(
    readonly info: EngineInfo,
    private readonly spec: SessionSpec,
    private readonly createExecutor: CreateExecutor,
    private readonly traced: ModelGraphs,
    layout: ReturnType<typeof layOutParameters>,
    vectors: FlatVectors,
    fixed: Map<string, Float32Array>,
  ) {
    this.parameters = layout.parameters;
    this.size = layout.size;
    this.prunableSize = layout.prunableSize;
    this.inputShapes = traced.inputShapes;
    const [own, ...jointly] = traced.outputs;
    this.outputShape = own!.shape;
    this.jointShapes = jointly.map(({ shape }) => shape);
    this.#vectors = vectors;
    this.#random = createRandom(spec.seed, noiseStream);
    this.#fixed = fixed;
  }

  /** @throws UserError('model-unsupported') naming the layer; UserError('engine-failed'). */
  static async open(
    info: EngineInfo,
    model: Model,
    spec: SessionSpec,
    createExecutor: CreateExecutor,
  ): Promise<CompiledSession> {
    const traced = await graphsOf(model, spec);
    const layout = layOutParameters(traced.parameters);
    const vectors = allocateVectors(layout.size);
    const valueOf = weightValues(model);
    for (const { name, offset } of layout.parameters) vectors.w.set(valueOf(name), offset);
    const fixed = new Map(traced.states.map(({ name }) => [name, Float32Array.from(valueOf(name))]));
    const session = new CompiledSession(info, spec, createExecutor, traced, layout, vectors, fixed);
    if (spec.purpose !== 'inference') await session.#openTraining();
    return session;
  }

  async getWeights() {
    return this.#vectors.w.slice();
  }

  async setWeights(weights: Float32Array) {
    setExactly(this.#vectors.w, weights, 'weights');
  }

  async getVelocity() {
    return this.#vectors.v.slice();
  }

  async setVelocity(velocity: Float32Array) {
    setExactly(this.#vectors.v, velocity, 'velocities');
  }

  async getState() {
    return concatenated(this.traced.states.map(({ name }) => this.#fixed.get(name)!));
  }

  async setState(state: Float32Array) {
    const sizes = this.traced.states.map(({ shape }) => sizeOf(shape));
    const total = sizes.reduce((sum, size) => sum + size, 0);
    if (state.length !== total) throw new RangeError(`the state has ${total} values, not ${state.length}`);
    let at = 0;
    this.traced.states.forEach(({ name }, i) => {
      this.#fixed.get(name)!.set(state.subarray(at, (at += sizes[i]!)));
    });
  }

  getRandomState() {
    return this.#random.state;
  }

  setRandomState(state: readonly number[]) {
    this.#random.restore(state);
  }

  async train(request: TrainRequest): Promise<TrainSummary> {
    const { batches, steps, momentum, nesterov, weightDecay, clipNorm: most, penalty, mask, signal, onStep } = request;
    const training = await this.#openTraining();
    const { graph, io, batch, update } = training;
    const segments = updateSegments(this.size, this.prunableSize, {
      ...(penalty ? { penalty: penalty.ranges } : {}),
      ...(mask ? { mask: mask.ranges } : {}),
    });
    if (penalty) setExactly(this.#vectors.target, penalty.target, 'penalty targets');
    if (mask) setExactly(this.#vectors.keep, mask.keep, 'mask entries');
    let sum = 0;
    let done = 0;
    for (; done < steps && !signal?.aborted; done++) {
      const reading = batches.next(batch.data, batch.target, graph.copyRows);
      if (reading) await reading;
      // Reading ahead needs the event loop while the step runs.
      const loss = await batch.run(() => this.#step(training, !reading));
      if (!Number.isFinite(loss))
        throw new UserError('diverged', `the loss became ${loss} at step ${done + 1}; lower the learning rate`);
      if (most !== undefined) clipNorm(this.#vectors.g, most, mask);
      update.step(this.#vectors.offsets, segments, {
        eta: request.learningRate(done),
        momentum,
        nesterov,
        weightDecay,
        mu: penalty?.mu ?? 0,
      });
      for (const { name, next } of io.states) this.#fixed.get(name)!.set(next);
      sum += loss;
      onStep?.(done, loss);
    }
    return { steps: done, meanLoss: done > 0 ? sum / done : 0, aborted: done < steps };
  }

  async gradient(inputs: readonly Float32Array[], target: Float32Array) {
    const training = await this.#openTraining();
    const { batch } = training;
    if (inputs.length !== batch.data.length)
      throw new RangeError(`expected ${batch.data.length} inputs and further targets, not ${inputs.length}`);
    inputs.forEach((values, i) => setExactly(batch.data[i]!, values, `values of input ${i}`));
    setExactly(batch.target, target, 'targets');
    const loss = await batch.run(() => this.#step(training));
    return { loss, gradient: this.#vectors.g.slice() };
  }

  /** Loss and gradients of the batch in the graph's buffers, with fresh random inputs. @param blocking whether it may block. */
  async #step({ graph, io }: Ready, blocking = false): Promise<number> {
    for (const { values, spec } of io.randoms) fillRandom(this.#random, spec, values);
    await this.#scheduler.run(graph, blocking);
    return io.loss[0]!;
  }

  async predict(inputs: readonly Float32Array[], count: number) {
    const result = await this.#infer(inputs, count, ({ results }) => results[0]!.output);
    if (!this.spec.fromLogits) applyHead(this.traced.outputs[0]!.head, result, this.outputShape.at(-1) ?? 1);
    return result;
  }

  async outputMask(inputs: readonly Float32Array[], count: number, output = 0) {
    if (!this.traced.inference.outputs.some((one) => one.role === 'mask' && one.index === output)) return null;
    return this.#infer(inputs, count, ({ results }) => results[output]!.mask!);
  }

  /** One of the inference graph's outputs for `count` samples. */
  async #infer(inputs: readonly Float32Array[], count: number, written: (io: Buffers) => Float32Array) {
    const { graph, io } = await this.#openInference();
    const batch = this.traced.inferenceBatchSize;
    const values = written(io);
    const width = values.length / batch;
    const result = new Float32Array(count * width);
    for (let start = 0; start < count; start += batch) {
      const n = Math.min(batch, count - start);
      io.data.forEach((buffer, i) => {
        const size = buffer.length / batch;
        buffer.set(inputs[i]!.subarray(start * size, (start + n) * size));
      });
      await graph.run();
      result.set(values.subarray(0, n * width), start * width);
    }
    return result;
  }

  async evaluate(source: SampleSource, options: EvaluateOptions = {}): Promise<EvaluationResult> {
    const { graph, io } = await this.#openInference();
    const batch = this.traced.inferenceBatchSize;
    const { outputs } = this.traced;
    const targets = outputs.map(({ shape }) => new Float32Array(batch * sizeOf(shape)));
    const [target, ...jointTargets] = targets as [Float32Array, ...Float32Array[]];
    const scores = outputs.map(({ trained, head, shape }) => new Score(trained, head, shape));
    const { head } = outputs[0]!;
    await eachBatch(
      source,
      batch,
      { inputs: [...io.data, ...jointTargets], target },
      options,
      async (samples, start) => {
        await graph.run();
        const [{ output: values, mask }] = io.results as readonly [(typeof io.results)[number]];
        options.onBatch?.({ start, samples, values, head, target, mask });
        scores.forEach((score, i) => score.add(io.results[i]!.output, targets[i]!, samples, io.results[i]!.mask));
      },
    );
    return joined(
      scores.map((score) => score.result()),
      source.size,
    );
  }

  #openTraining() {
    return (this.#training ??= (async (): Promise<Training> => {
      const ready = await this.#makeReady(await this.traced.training());
      const { memory, g } = this.#vectors;
      const { batchSize, microBatch = batchSize } = this.spec;
      const batch = new MicroBatches(ready.io, batchSize / microBatch, g);
      return { ...ready, batch, update: ready.graph.update?.(memory) ?? createUpdate(memory) };
    })());
  }

  #openInference() {
    return (this.#inference ??= this.#makeReady(this.traced.inference));
  }

  async #makeReady(graph: Graph): Promise<Ready> {
    const io = bindBuffers(graph, this.parameters, this.#vectors, this.#fixed);
    return { graph: await this.createExecutor(verified(graph), io.inputs, io.outputs), io };
  }

  async dispose() {
    // A graph that could not be made has nothing to release.
    for (const made of [this.#training, this.#inference]) await (await made?.catch(() => undefined))?.graph.release();
  }
}

function setExactly<T extends Float32Array | Uint8Array>(to: T, from: T, what: string): void {
  if (from.length !== to.length) throw new RangeError(`expected ${to.length} ${what}, not ${from.length}`);
  to.set(from);
}

function weightValues(model: Model): (name: string) => Float32Array {
  const values = new Map(model.weights.map(({ name, data }) => [name, data]));
  return (name) => values.get(name)!;
}
