import type { NamedTensorMap, Scalar, Tensor, Variable } from '@tensorflow/tfjs-core';
import { createRandom, type Random } from '../../lc/random.js';
import { modelGraph } from '../../model/layerGraph.js';
import type { Model } from '../../model/model.js';
import { outputIndex } from '../../model/trainingSetup.js';
import { UserError } from '../../protocol/errors.js';
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
import { loadModel, type LoadedModel } from './loadModel.js';
import { withoutOutputActivation } from './logits.js';
import { absorbedHead, type Head } from '../loss/head.js';
import { meanLoss } from '../loss/meanLoss.js';
import { activated, isClassification, wrongShare } from './losses.js';
import { Residuals } from '../residuals.js';
import { outputMask } from '../masks/outputMask.js';
import { penalties } from '../layerTree.js';
import { activate, type TensorFlow } from './tensorflow.js';
import { TensorUpdate } from './update.js';

const elements = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1);

/** A shape without its batch axis. @throws UserError('model-unsupported') where an axis has no fixed size. */
function fixedShape(model: Model, name: string, [, ...shape]: readonly (number | null)[]): number[] {
  if (shape.some((n) => n === null)) {
    const words = shape.map((n) => n ?? 'any').join(', ');
    throw new UserError(
      'model-unsupported',
      `${model.path}: "${name}" has no fixed shape [${words}]; set it in the model`,
    );
  }
  return shape as number[];
}

interface Forward {
  readonly output: Tensor;
  readonly mask: Tensor | undefined;
}

type LossAndGradients = { value: Scalar; grads: NamedTensorMap };

/** TensorFlow.js computes: the model's own layers, its own gradients, our update on its tensors. */
class DirectSession implements EngineSession {
  readonly parameters: readonly Parameter[];
  readonly size: number;
  readonly prunableSize: number;
  private readonly velocities: readonly Variable[];
  private readonly random: Random;
  /** Whether the output carries a mask; undefined before the first pass. */
  private masked: boolean | undefined;

  constructor(
    readonly info: EngineInfo,
    private readonly tf: TensorFlow,
    private readonly model: LoadedModel,
    private readonly spec: SessionSpec,
    private readonly head: Head,
    private readonly output: number,
    readonly inputShapes: readonly (readonly number[])[],
    readonly outputShape: readonly number[],
  ) {
    this.parameters = model.parameters.map(({ variable: _, ...parameter }) => parameter);
    this.size = model.size;
    this.prunableSize = model.prunableSize;
    this.velocities = model.parameters.map(({ variable }) => tf.core.variable(tf.core.zeros(variable.shape), false));
    this.random = createRandom(spec.seed, 1);
  }

  getWeights(): Promise<Float32Array> {
    return this.read(this.model.parameters.map(({ variable }) => variable));
  }

  async setWeights(weights: Float32Array): Promise<void> {
    this.write(
      this.model.parameters.map(({ variable }) => variable),
      weights,
    );
  }

  getState(): Promise<Float32Array> {
    return this.read(this.model.state);
  }

  async setState(state: Float32Array): Promise<void> {
    this.write(this.model.state, state);
  }

  getVelocity(): Promise<Float32Array> {
    return this.read(this.velocities);
  }

  async setVelocity(velocity: Float32Array): Promise<void> {
    this.write(this.velocities, velocity);
  }

  getRandomState(): readonly number[] {
    return this.random.state;
  }

  setRandomState(state: readonly number[]): void {
    this.random.restore(state);
  }

  async train(request: TrainRequest): Promise<TrainSummary> {
    const { batches, steps, signal, onStep } = request;
    const { batchSize } = this.spec;
    const inputs = this.inputShapes.map((shape) => new Float32Array(batchSize * elements(shape)));
    const target = new Float32Array(batchSize * elements(this.outputShape));
    activate(this.tf);
    const update = new TensorUpdate(this.tf, this.model.parameters, this.velocities, request);
    let done = 0;
    let sum = 0;
    try {
      for (; done < steps && !signal?.aborted; done++) {
        await batches.next(inputs, target);
        activate(this.tf);
        const lossTensor = this.tf.core.tidy(() => {
          const { value, grads } = this.lossAndGradients(inputs, target);
          update.step(grads, request.learningRate(done));
          return value;
        });
        const [loss] = await lossTensor.data();
        lossTensor.dispose();
        if (!Number.isFinite(loss)) {
          throw new UserError(
            'diverged',
            `the training loss became ${loss} after ${done + 1} steps; use a smaller learning rate`,
          );
        }
        sum += loss!;
        onStep?.(done, loss!);
      }
    } finally {
      activate(this.tf);
      update.dispose();
    }
    return { steps: done, meanLoss: done > 0 ? sum / done : 0, aborted: done < steps };
  }

  async evaluate(source: SampleSource, options: EvaluateOptions = {}): Promise<EvaluationResult> {
    const count = Math.min(this.spec.batchSize, source.size);
    const inputs = this.inputShapes.map((shape) => new Float32Array(count * elements(shape)));
    const target = new Float32Array(count * elements(this.outputShape));
    const classifies = this.spec.classification ?? isClassification(this.spec.loss);
    const residuals = classifies ? null : new Residuals(elements(this.outputShape));
    let lossSum = 0;
    let wrong = 0;
    let rows = 0;
    await eachBatch(source, count, { inputs, target }, options, async (n) => {
      activate(this.tf);
      const { loss, lossSettings: settings = {} } = this.spec;
      const [lossTensor, answer, counted] = this.tf.core.tidy((): Tensor[] => {
        const { output, mask } = this.forward(this.inputTensors(inputs, n), false);
        const expected = this.targetTensor(target, n);
        return [
          meanLoss(this.tf.core, { loss, head: this.head, settings }, expected, output, mask),
          classifies ? wrongShare(this.tf, loss, this.head, expected, output, mask) : output,
          ...(mask ? [mask.clone()] : []),
        ];
      }) as [Tensor, Tensor, Tensor?];
      this.model.masks.release();
      const read = [lossTensor.data(), answer.data<'float32'>(), counted?.data<'float32'>() ?? null] as const;
      const [[batchLoss], values, mask] = await Promise.all(read);
      this.tf.core.dispose(counted ? [lossTensor, answer, counted] : [lossTensor, answer]);
      const batchRows = mask ? mask.reduce((sum, one) => sum + one, 0) : n;
      rows += batchRows;
      lossSum += batchLoss! * batchRows;
      if (residuals) residuals.add(values, target, n, mask, this.outputShape.at(-1) ?? 1);
      else wrong += values[0]! * batchRows;
    });
    const [loss, samples] = [lossSum / Math.max(1, rows), source.size];
    if (!residuals) return { loss, error: wrong / Math.max(1, rows), samples };
    return { loss, error: residuals.unexplained, absoluteError: residuals.meanAbsolute, samples };
  }

  async predict(inputs: readonly Float32Array[], count: number): Promise<Float32Array> {
    const head = this.spec.fromLogits ? 'none' : this.head;
    return (await this.infer(inputs, count, ({ output }) => activated(this.tf, head, output)))!;
  }

  async outputMask(inputs: readonly Float32Array[], count: number): Promise<Float32Array | null> {
    if (this.masked === false || count === 0) return null;
    return this.infer(inputs, count, ({ mask }) => mask?.clone());
  }

  /** A tensor of each batch's forward pass, one after the other; null where the passes have no such tensor. */
  private async infer(
    inputs: readonly Float32Array[],
    count: number,
    tensorOf: (pass: Forward) => Tensor | undefined,
  ): Promise<Float32Array | null> {
    const parts: Float32Array[] = [];
    for (let from = 0; from < count; from += this.spec.batchSize) {
      const n = Math.min(this.spec.batchSize, count - from);
      const batch = inputs.map((input, i) => {
        const size = elements(this.inputShapes[i]!);
        return input.subarray(from * size, (from + n) * size);
      });
      activate(this.tf);
      const [tensor] = this.tf.core.tidy(() => [tensorOf(this.forward(this.inputTensors(batch, n), false))].flatMap((one) => one ?? [])); // prettier-ignore
      this.model.masks.release();
      if (!tensor) return null;
      parts.push(await tensor.data<'float32'>());
      tensor.dispose();
    }
    const result = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      result.set(part, at);
      at += part.length;
    }
    return result;
  }

  async gradient(
    inputs: readonly Float32Array[],
    target: Float32Array,
  ): Promise<{ loss: number; gradient: Float32Array }> {
    const { core } = this.tf;
    activate(this.tf);
    const { value, grads } = core.tidy(() => {
      const before = this.model.state.map((variable) => variable.clone());
      const result = this.lossAndGradients(inputs, target);
      // Moving averages are a training step's to change; this is only a question.
      this.model.state.forEach((variable, i) => variable.assign(before[i]!));
      return result;
    });
    const tensors = this.model.parameters.map(({ variable }) => grads[variable.name] ?? core.zerosLike(variable));
    const [loss] = await value.data();
    const gradient = await this.read(tensors);
    core.dispose([value, ...tensors]);
    return { loss: loss!, gradient };
  }

  async dispose(): Promise<void> {
    this.tf.core.dispose([...this.velocities]);
    this.model.layersModel.dispose();
  }

  /** Of a batch; in parts, where the session has a micro-batch. */
  private lossAndGradients(inputs: readonly Float32Array[], target: Float32Array): LossAndGradients {
    const { batchSize, microBatch = batchSize } = this.spec;
    const parts = batchSize / microBatch;
    if (parts === 1) return this.ofPart(inputs, target, batchSize);
    const { core } = this.tf;
    const partOf = (values: Float32Array, k: number) => values.subarray((k * values.length) / parts, ((k + 1) * values.length) / parts); // prettier-ignore
    let sum: LossAndGradients | undefined;
    for (let k = 0; k < parts; k++) {
      const before = sum;
      const part = inputs.map((values) => partOf(values, k));
      const add = (tensor: Tensor, earlier: Tensor | undefined) => {
        const share = core.div(tensor, parts);
        return earlier ? core.add(earlier, share) : share;
      };
      sum = core.tidy(() => {
        const { value, grads } = this.ofPart(part, partOf(target, k), microBatch);
        const added = Object.entries(grads).map(([name, grad]) => [name, add(grad, before?.grads[name])] as const);
        return { value: add(value, before?.value) as Scalar, grads: Object.fromEntries(added) };
      });
    }
    return sum!;
  }

  private ofPart(inputs: readonly Float32Array[], target: Float32Array, size: number): LossAndGradients {
    const { loss, lossSettings: settings = {}, classWeights } = this.spec;
    const lost = { loss, head: this.head, settings, ...(classWeights && { classWeights }) };
    const x = this.inputTensors(inputs, size);
    const expected = this.targetTensor(target, size);
    const result = this.seeded(() =>
      this.tf.core.variableGrads(
        () => {
          const { output, mask } = this.forward(x, true);
          const mean = meanLoss(this.tf.core, lost, expected, output, mask);
          return penalties(this.model.layersModel).reduce((sum, penalty) => this.tf.core.add(sum, penalty), mean);
        },
        this.model.parameters.map(({ variable }) => variable),
      ),
    );
    this.model.masks.release();
    return result;
  }

  private forward(inputs: Tensor[], training: boolean): Forward {
    const outputs = [this.model.layersModel.apply(inputs, { training }) as Tensor | Tensor[]].flat();
    const output = outputs[this.output]!;
    const mask = outputMask(this.model.masks, output);
    this.masked = mask !== undefined;
    return { output, mask };
  }

  private inputTensors(inputs: readonly Float32Array[], count: number): Tensor[] {
    return inputs.map((values, i) => {
      const shape = this.inputShapes[i]!;
      return this.tf.core.tensor(values.subarray(0, count * elements(shape)), [count, ...shape]);
    });
  }

  private targetTensor(target: Float32Array, count: number): Tensor {
    return this.tf.core.tensor(target.subarray(0, count * elements(this.outputShape)), [count, ...this.outputShape]);
  }

  /** Dropout and noise layers seed themselves from Math.random, and offer no other way in. */
  private seeded<T>(compute: () => T): T {
    const original = Math.random;
    Math.random = this.random.next;
    try {
      return compute();
    } finally {
      Math.random = original;
    }
  }

  private async read(tensors: readonly Tensor[]): Promise<Float32Array> {
    activate(this.tf);
    const parts = await Promise.all(tensors.map((tensor) => tensor.data<'float32'>()));
    const flat = new Float32Array(tensors.reduce((sum, { size }) => sum + size, 0));
    let at = 0;
    for (const part of parts) {
      flat.set(part, at);
      at += part.length;
    }
    return flat;
  }

  private write(variables: readonly Variable[], flat: Float32Array): void {
    const size = variables.reduce((sum, variable) => sum + variable.size, 0);
    if (flat.length !== size) throw new RangeError(`${flat.length} values for ${size} weights`);
    activate(this.tf);
    let at = 0;
    for (const variable of variables) {
      const part = flat.slice(at, (at += variable.size));
      this.tf.core.tidy(() => variable.assign(this.tf.core.tensor(part, variable.shape, variable.dtype)));
    }
  }
}

/**
 * Opens a session of TensorFlow.js itself.
 *
 * @param tf an instance whose backend is initialised and has passed `gradientSelfTest`.
 * @throws UserError('model-unsupported' | 'model-invalid').
 */
export async function openDirectSession(
  tf: TensorFlow,
  info: EngineInfo,
  model: Model,
  spec: SessionSpec,
): Promise<EngineSession> {
  activate(tf);
  const head = absorbedHead(spec.loss);
  const outputs = modelGraph(model.topology).outputLayers;
  const output = outputIndex(outputs, spec.output);
  if (output < 0) {
    const names = outputs.map((name) => `"${name}"`).join(', ');
    throw new UserError('model-unsupported', `${model.path}: no output "${spec.output}"; its outputs are ${names}`);
  }
  const bare =
    head !== 'none' && !spec.fromLogits ? withoutOutputActivation(model.topology, head, outputs[output]) : null;
  const loaded = await loadModel(tf, model, bare ?? model.topology);
  const { layersModel } = loaded;
  return new DirectSession(
    info,
    tf,
    loaded,
    spec,
    bare !== null || spec.fromLogits === true ? head : 'none',
    output,
    layersModel.inputs.map(({ shape }, i) => fixedShape(model, layersModel.inputNames[i]!, shape)),
    fixedShape(model, layersModel.outputNames[output]!, layersModel.outputs[output]!.shape),
  );
}
