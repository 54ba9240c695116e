import type { NamedTensorMap, Scalar, Tensor, Variable } from '@tensorflow/tfjs-core';
import { createRandom, type Random } from '../../lc/random.js';
import { modelGraph } from '../../model/layers/layerGraph.js';
import type { Model } from '../../model/model.js';
import { outputIndex } from '../../model/setup/trainingSetup.js';
import { UserError } from '../../protocol/errors.js';
import { sizeOf } from '../../protocol/shape.js';
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
import { absorbedHead, type Head } from '../../model/setup/loss.js';
import { classifies, joined, jointLoss, trainedOutputs, type TrainedOutput } from '../loss/jointLoss.js';
import { meanLoss } from '../loss/meanLoss.js';
import { activated, wrongShare } from './losses.js';
import { Residuals } from '../residuals.js';
import { outputMask } from '../masks/outputMask.js';
import { penalties } from '../layerTree.js';
import { activate, type TensorFlow } from './tensorflow.js';
import { TensorUpdate } from './update.js';

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
  readonly value: Tensor;
  readonly mask: Tensor | undefined;
}

type LossAndGradients = { value: Scalar; grads: NamedTensorMap };

/** An output that is computed. */
interface Computed {
  readonly trained: TrainedOutput;
  readonly head: Head;
  /** Its place among the model's outputs. */
  readonly index: number;
  /** Of one sample. */
  readonly shape: readonly number[];
}

/** Sums over the batches of an evaluation. */
interface Sums {
  loss: number;
  wrong: number;
  rows: number;
  readonly residuals: Residuals | null;
}

/** TensorFlow.js computes: the model's own layers, its own gradients, our update on its tensors. */
class DirectSession implements EngineSession {
  readonly parameters: readonly Parameter[];
  readonly size: number;
  readonly prunableSize: number;
  readonly outputShape: readonly number[];
  readonly jointShapes: readonly (readonly number[])[];
  private readonly velocities: readonly Variable[];
  private readonly random: Random;
  /** Whether each output carries a mask; undefined before the first pass. */
  private masked: readonly boolean[] | undefined;

  constructor(
    readonly info: EngineInfo,
    private readonly tf: TensorFlow,
    private readonly model: LoadedModel,
    private readonly spec: SessionSpec,
    private readonly outputs: readonly Computed[],
    readonly inputShapes: readonly (readonly number[])[],
  ) {
    const [own, ...jointly] = outputs;
    this.outputShape = own!.shape;
    this.jointShapes = jointly.map(({ shape }) => shape);
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
    const { inputs, target } = this.buffers(batchSize);
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
    const { inputs, target } = this.buffers(count);
    const targets = this.targetsIn(inputs, target);
    const sums = this.outputs.map(({ trained, shape }): Sums => {
      const residuals = classifies(trained) ? null : new Residuals(sizeOf(shape));
      return { loss: 0, wrong: 0, rows: 0, residuals };
    });
    await eachBatch(source, count, { inputs, target }, options, async (n, start) => {
      activate(this.tf);
      const answers = this.tf.core.tidy(() =>
        this.forward(this.inputTensors(inputs, n), false).map(({ value, mask }, i): (Tensor | undefined)[] => {
          const { trained, head } = this.outputs[i]!;
          const { loss, lossSettings: settings = {} } = trained;
          const expected = this.targetTensor(targets[i]!, i, n);
          return [
            meanLoss(this.tf.core, { loss, head, settings }, expected, value, mask),
            classifies(trained) ? wrongShare(this.tf, loss, head, expected, value, mask) : value,
            // Of a regression the values are read in any case.
            i === 0 && options.onBatch && classifies(trained) ? value.clone() : undefined,
            mask?.clone(),
          ];
        }),
      ) as [Tensor, Tensor, Tensor | undefined, Tensor | undefined][];
      this.model.masks.release();
      for (const [i, [lossTensor, answer, given, counted]] of answers.entries()) {
        const floats = (tensor: Tensor | undefined) => tensor?.data<'float32'>() ?? null;
        const read = [lossTensor.data(), answer.data<'float32'>(), floats(given), floats(counted)] as const;
        const [[batchLoss], values, outputs, mask] = await Promise.all(read);
        this.tf.core.dispose([lossTensor, answer, given, counted].filter((tensor) => tensor !== undefined));
        const { head } = this.outputs[i]!;
        if (i === 0) options.onBatch?.({ start, samples: n, values: outputs ?? values, head, target, mask });
        const batchRows = mask ? mask.reduce((sum, one) => sum + one, 0) : n;
        const own = sums[i]!;
        own.rows += batchRows;
        own.loss += batchLoss! * batchRows;
        if (own.residuals) own.residuals.add(values, targets[i]!, n, mask, this.outputs[i]!.shape.at(-1) ?? 1);
        else own.wrong += values[0]! * batchRows;
      }
    });
    const results = this.outputs.map(({ trained: { output, weight } }, i) => {
      const { loss, wrong, rows, residuals } = sums[i]!;
      const mean = { output, weight, loss: loss / Math.max(1, rows) };
      if (!residuals) return { ...mean, error: wrong / Math.max(1, rows) };
      return { ...mean, error: residuals.unexplained, absoluteError: residuals.meanAbsolute };
    });
    return joined(results, source.size);
  }

  async predict(inputs: readonly Float32Array[], count: number): Promise<Float32Array> {
    const head = this.spec.fromLogits ? 'none' : this.outputs[0]!.head;
    return (await this.infer(inputs, count, ([own]) => activated(this.tf, head, own!.value)))!;
  }

  async outputMask(inputs: readonly Float32Array[], count: number, output = 0): Promise<Float32Array | null> {
    if (this.masked?.[output] === false || count === 0) return null;
    return this.infer(inputs, count, (passed) => passed[output]!.mask?.clone());
  }

  /** A tensor of each batch's forward pass, one after the other; null where the passes have no such tensor. */
  private async infer(
    inputs: readonly Float32Array[],
    count: number,
    tensorOf: (passed: readonly Forward[]) => Tensor | undefined,
  ): Promise<Float32Array | null> {
    const parts: Float32Array[] = [];
    for (let from = 0; from < count; from += this.spec.batchSize) {
      const n = Math.min(this.spec.batchSize, count - from);
      const batch = this.inputShapes.map((shape, i) => {
        const size = sizeOf(shape);
        return inputs[i]!.subarray(from * size, (from + n) * size);
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
    const x = this.inputTensors(inputs, size);
    const expected = this.targetsIn(inputs, target).map((values, i) => this.targetTensor(values, i, size));
    const result = this.seeded(() =>
      this.tf.core.variableGrads(
        () => {
          const answers = this.forward(x, true).map(({ value, mask }, i) => {
            const { trained, head } = this.outputs[i]!;
            return { output: trained, head, target: expected[i]!, value, mask };
          });
          const mean = jointLoss(this.tf.core, answers);
          return penalties(this.model.layersModel).reduce((sum, penalty) => this.tf.core.add(sum, penalty), mean);
        },
        this.model.parameters.map(({ variable }) => variable),
      ),
    );
    this.model.masks.release();
    return result;
  }

  /** Each output that is computed. */
  private forward(inputs: Tensor[], training: boolean): Forward[] {
    const values = [this.model.layersModel.apply(inputs, { training }) as Tensor | Tensor[]].flat();
    const passed = this.outputs.map(({ index }) => ({
      value: values[index]!,
      mask: outputMask(this.model.masks, values[index]!),
    }));
    this.masked = passed.map(({ mask }) => mask !== undefined);
    return passed;
  }

  /** For a batch: the inputs, with the targets of outputs that are trained jointly behind them, and the target. */
  private buffers(count: number): { inputs: Float32Array[]; target: Float32Array } {
    const buffer = (shape: readonly number[]) => new Float32Array(count * sizeOf(shape));
    return { inputs: [...this.inputShapes, ...this.jointShapes].map(buffer), target: buffer(this.outputShape) };
  }

  /** Of each output that is computed, in a batch. */
  private targetsIn(inputs: readonly Float32Array[], target: Float32Array): Float32Array[] {
    return [target, ...inputs.slice(this.inputShapes.length)];
  }

  private inputTensors(inputs: readonly Float32Array[], count: number): Tensor[] {
    return this.inputShapes.map((shape, i) =>
      this.tf.core.tensor(inputs[i]!.subarray(0, count * sizeOf(shape)), [count, ...shape]),
    );
  }

  private targetTensor(target: Float32Array, output: number, count: number): Tensor {
    const { shape } = this.outputs[output]!;
    return this.tf.core.tensor(target.subarray(0, count * sizeOf(shape)), [count, ...shape]);
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
  const outputs = modelGraph(model.topology).outputLayers;
  let { topology } = model;
  const found = trainedOutputs(spec).map((trained) => {
    const index = outputIndex(outputs, trained.output ?? undefined);
    if (index < 0) {
      const names = outputs.map((name) => `"${name}"`).join(', ');
      throw new UserError(
        'model-unsupported',
        `${model.path}: no output "${trained.output}"; its outputs are ${names}`,
      );
    }
    const head = absorbedHead(trained.loss);
    const bare =
      head !== 'none' && !trained.fromLogits ? withoutOutputActivation(topology, head, outputs[index]) : null;
    topology = bare ?? topology;
    return { trained, index, head: bare !== null || trained.fromLogits === true ? head : ('none' as const) };
  });
  const loaded = await loadModel(tf, model, topology);
  const { layersModel } = loaded;
  return new DirectSession(
    info,
    tf,
    loaded,
    spec,
    found.map((one) => ({
      ...one,
      shape: fixedShape(model, layersModel.outputNames[one.index]!, layersModel.outputs[one.index]!.shape),
    })),
    layersModel.inputs.map(({ shape }, i) => fixedShape(model, layersModel.inputNames[i]!, shape)),
  );
}
