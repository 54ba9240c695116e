/** The error of each file format of a result: the file is read back, or run, on the part of the data that the run's error is of. */
import { readFile, realpath } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pathToFileURL } from 'node:url';
import { eachBatch } from '../../engine/eachBatch.js';
import type { SampleSource } from '../../engine/engine.js';
import { outputIndex } from '../../model/setup/compiledLoss.js';
import { absorbedHead, type Head } from '../../model/setup/loss.js';
import { Score } from '../../engine/loss/score.js';
import { openEngine } from '../../engine/registry.js';
import type { FileQuality, JudgeFile } from '../../export/exportModel.js';
import type { Format } from '../../export/formats.js';
import { openOnnx } from '../../export/runOnnx.js';
import { readSparsePackage } from '../../export/sparse/readSparsePackage.js';
import { frontEndOf } from '../../model/frontEnds/frontEndOf.js';
import type { Model } from '../../model/model.js';
import { readModel } from '../../model/files/readModel.js';
import { hashModel } from '../../model/weights.js';
import { UserError } from '../../protocol/errors.js';
import { sizeOf } from '../../protocol/shape.js';
import { primarySet } from '../judge/evaluations.js';
import type { Assembled } from '../setup.js';
import { LIMITS } from '../limits.js';

/** Most samples that a file computes at once. */
const MOST_AT_ONCE = 256;

type Setting = Pick<Assembled, 'parts' | 'facts' | 'plan' | 'inputShapes'>;

/** A network computed outside our engines, as a function of a batch of inputs. */
type Run = (inputs: readonly Float32Array[], count: number) => Float32Array | Promise<Float32Array>;

/**
 * @param pruned the result, whose error on that part is `error`: files with exactly the same network are not evaluated again.
 * @returns evaluators of files. If a file cannot be evaluated it has a reason; no failure of a file fails the run.
 */
export function fileErrors(
  setting: Setting,
  pruned: { readonly model: Model; readonly error: number | null },
  workspace: string,
): JudgeFile {
  const source = setting.parts.sets[primarySet(setting.parts.sets)]!;
  const known = new Map<string, Promise<number | null>>([[hashModel(pruned.model), Promise.resolve(pruned.error)]]);
  const ofModel = (model: Model): Promise<number | null> => {
    const key = hashModel(model);
    const found = known.get(key) ?? evaluated(setting, model, source, workspace);
    known.set(key, found);
    return found;
  };
  let spent = 0;
  return async (format, path) => {
    if (spent > LIMITS.fileErrorsTime)
      return { why: 'not measured: judging the other files took more than two minutes' };
    const began = performance.now();
    try {
      return await judged(format, path, { setting, source, ofModel, pruned: pruned.model });
    } catch (error) {
      return { why: error instanceof Error ? error.message.split('\n')[0]! : String(error) };
    } finally {
      spent += performance.now() - began;
    }
  };
}

interface Judging {
  readonly setting: Setting;
  readonly source: SampleSource;
  ofModel(model: Model): Promise<number | null>;
  readonly pruned: Model;
}

async function judged(
  format: Format,
  path: string,
  { setting, source, ofModel, pruned }: Judging,
): Promise<FileQuality> {
  switch (format.extension) {
    case '.json':
    case '.h5':
    case '.keras':
      return { error: await ofModel(await readModel(path, { workspace: await realpath(dirname(path)) })) };
    case '.lcp':
      return { error: await ofModel(readSparsePackage(await readFile(path), path, pruned)) };
    case '.onnx': {
      const frontEnd = frontEndOf(pruned);
      const names = frontEnd.outputs().map(({ name }) => name);
      const place = outputIndex(names, setting.plan.output ?? undefined, frontEnd.mainOutput());
      const { run, release } = await openOnnx(path, pruned, setting.inputShapes, place);
      try {
        return { error: await computed(setting, source, run) };
      } finally {
        await release();
      }
    }
    case '.mjs': {
      const { predict } = (await import(pathToFileURL(path).href)) as { predict(inputs: Float32Array): Float32Array };
      const width = sizeOf(setting.inputShapes[0]!);
      return { error: await computed(setting, source, ([input], count) => predict(input!.subarray(0, count * width))) };
    }
    default:
      return { why: 'it holds weights alone' };
  }
}

const finite = (error: number): number | null => (Number.isFinite(error) ? error : null);

/** By the run's own engine, as it evaluates. */
async function evaluated(setting: Setting, model: Model, source: SampleSource, workspace: string) {
  const { plan, facts, inputShapes, parts } = setting;
  const { batchSize } = parts.plan.retrain;
  const output = plan.output === null ? {} : { output: plan.output };
  const spec = { ...facts.spec, batchSize, purpose: 'inference' as const, seed: plan.seed, ...output };
  const session = await openEngine(plan.engine, frontEndOf(model).withInputSizes(inputShapes), spec, {
    folders: [workspace],
  });
  try {
    return finite((await session.evaluate(source)).error);
  } finally {
    await session.dispose();
  }
}

/** Scores the predictions of a file's own function as the engines do. @throws UserError('model-unsupported'). */
async function computed({ facts, parts, inputShapes }: Setting, source: SampleSource, run: Run): Promise<number | null> {
  const session = await parts.sessions.use(parts.plan.retrain.batchSize);
  const { outputShape, jointShapes } = session;
  const refuse = (why: string) => new UserError('model-unsupported', why);
  if (jointShapes.length > 0) throw refuse('the error of several outputs is measured by the engines alone');
  // As many as a training step of the run computes at once, which fits into memory.
  const { batchSize, microBatch = batchSize } = parts.plan.retrain;
  const atOnce = Math.min(MOST_AT_ONCE, microBatch);
  const inputs = inputShapes.map((shape) => new Float32Array(atOnce * sizeOf(shape)));
  const target = new Float32Array(atOnce * sizeOf(outputShape));
  const { loss, lossSettings, classification, fromLogits } = facts.spec;
  const head: Head = fromLogits ? absorbedHead(loss) : 'none';
  const given = { output: null, weight: 1, loss, ...(lossSettings && { lossSettings }), ...(classification !== undefined && { classification }) }; // prettier-ignore
  const score = new Score(given, head, outputShape);
  await eachBatch(source, atOnce, { inputs, target }, {}, async (count, start) => {
    // Whether there is a mask depends on the model, not on the batch.
    if (start === 0 && (await session.outputMask(inputs, count))) throw refuse('it does not say which positions are padding');
    const values = await run(inputs, count);
    if (values.length !== count * sizeOf(outputShape)) throw refuse('its output is of another size');
    score.add(values, target, count, null);
  });
  return finite(score.result().error);
} // prettier-ignore
