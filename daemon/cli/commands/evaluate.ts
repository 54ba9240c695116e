import { isBuiltinData } from '../../protocol/dataPackages.js';
import type { Dataset } from '../../data/dataset.js';
import { openDataset } from '../../data/openDataset.js';
import { sampleSource } from '../../data/batches/sampleSource.js';
import type { EngineSession } from '../../engine/engine.js';
import { openEngine } from '../../engine/registry.js';
import { frontEndOf } from '../../model/frontEnds/frontEndOf.js';
import type { Model } from '../../model/model.js';
import { readModel } from '../../model/files/readModel.js';
import { setupByData } from '../../model/setup/setupByData.js';
import { trainingSetup } from '../../model/setup/trainingSetup.js';
import { resolveInside } from '../../files/workspacePath.js';
import { readPlan } from '../../plan/readPlan.js';
import { resolveData } from '../../plan/resolveData.js';
import { fewSamplesText } from '../../trainer/judge/fewSamples.js';
import { isMappingOpen, judgedSamples, mapByReference } from '../../trainer/dataMapping.js';
import { DataSource } from '../../protocol/plan.js';
import type { ResolvedData } from '../../protocol/resolvedPlan.js';
import { UserError } from '../../protocol/errors.js';
import { issueText } from '../../protocol/issueText.js';
import { namedFile, stringOption, type Command, type Values } from '../command.js';
import { DATA_NAMES, dataNames } from '../dataOptions.js';
import { evaluateOthers, otherSetups } from '../evaluate/otherOutputs.js';
import { count, errorText } from '../text.js';

/** Most samples computed at once. */
const BATCH = 256;

/** The model, the data and the options of an evaluation. */
interface Request {
  readonly model: Model;
  readonly config: ResolvedData;
  /** The folder that the data's paths are relative to. */
  readonly dataFolder: string;
  readonly output: string | undefined;
  readonly engineId: string;
  readonly seed: number;
}

/** Options that a plan already answers. */
const OF_A_MODEL = ['data', 'scale', 'mean', 'classes', ...Object.keys(DATA_NAMES)];

async function requested(positionals: readonly string[], values: Values): Promise<Request> {
  const { file, workspace } = await namedFile(positionals[0]!, values);
  if (/\.prune\.jsonc?$/.test(file)) {
    const option = OF_A_MODEL.find((name) => values[name] !== undefined);
    const given = positionals.length > 1 ? 'DATA' : option && `--${option}`;
    if (given !== undefined)
      throw new UserError('usage', `lc-prune evaluate: ${given} is for a model; a plan has its own data`);
    return planned(file, workspace, values);
  }
  const output = stringOption(values, 'output');
  const source = positionals[1] ?? stringOption(values, 'data');
  if (source === undefined)
    throw new UserError(
      'usage',
      'lc-prune evaluate: the data is missing: a built-in name ("mnist"), a file or a folder behind the model, or --data DATA',
    );
  if (positionals.length > 1 && values['data'] !== undefined)
    throw new UserError('usage', `lc-prune evaluate: the data is "${positionals[1]}" and --data "${String(values['data'])}"; give one of them`); // prettier-ignore
  const model = await readModel(file, { workspace });
  const scaleText = stringOption(values, 'scale');
  const scale = scaleText !== undefined && Number.isFinite(Number(scaleText)) ? Number(scaleText) : scaleText;
  const classes = stringOption(values, 'classes');
  const wish = {
    source,
    ...dataNames(values),
    ...(classes === undefined ? {} : { classes: classes.includes(',') ? classes.split(',') : classes }),
    preprocess: { ...(scale === undefined ? {} : { scale }), ...(values['mean'] ? { mean: values['mean'] } : {}) },
  };
  const parsed = DataSource.safeParse(wish);
  if (!parsed.success)
    throw new UserError('usage', `lc-prune evaluate: --scale, --mean or --classes: ${issueText(parsed.error, wish)}`);
  const data = isBuiltinData(source) ? { file: source, workspace: process.cwd() } : await namedFile(source, values);
  const config = resolveData(parsed.data, () => data.file);
  const engineId = stringOption(values, 'engine') ?? 'auto';
  return { model, config, dataFolder: data.workspace, output, engineId, seed: 0 };
}

/** A plan's model on a plan's data; the options may change the output and the engine. */
async function planned(file: string, workspace: string, values: Values): Promise<Request> {
  const plan = await readPlan(file, { workspace });
  if (!('path' in plan.model))
    throw new UserError(
      'usage',
      `lc-prune evaluate: the plan names an architecture, ${plan.model.architecture}, and no trained model; train it with "lc-prune train", and name what that writes`,
    );
  return {
    model: await readModel(await resolveInside(workspace, workspace, plan.model.path), { workspace }),
    config: plan.data,
    dataFolder: workspace,
    output: stringOption(values, 'output') ?? plan.output ?? undefined,
    engineId: stringOption(values, 'engine') ?? plan.engine,
    seed: plan.seed,
  };
}

export const evaluate: Command = {
  name: 'evaluate',
  positionals: 'PLAN|MODEL [DATA]',
  summary: "loss and error of a model, or of a plan's, on a data set (its test part, or all of it)",
  options: {
    data: {
      type: 'string',
      value: 'DATA',
      help: 'for a model: a built-in name, a CSV, npz, parquet or IDX file, or a folder (of images per class, of IDX pairs); also the second argument',
    },
    ...DATA_NAMES,
    scale: {
      type: 'string',
      value: 'SCALE',
      help: 'unit, symmetric, standard, none, a number, or auto (default: by the errors of the model)',
    },
    mean: { type: 'string', value: 'MEAN', help: 'image, channel or none: subtract the training mean' },
    classes: {
      type: 'string',
      value: 'ORDER',
      help: 'labels in the order of the outputs ("cat,dog"), or stored, from-one, value, text, appearance, reversed',
    },
    engine: { type: 'string', value: 'ENGINE', help: 'engine id (default: auto)' },
    output: { type: 'string', value: 'LAYER', help: 'output layer, for a model with several' },
  },
  async run({ positionals, values, terminal }) {
    const { model, config, dataFolder, output, engineId, seed } = await requested(positionals, values);
    if (config.labels === false)
      throw new UserError(
        'usage',
        'lc-prune evaluate: the plan reads no labels ("labels": false), and loss and error are measured against labels; name the model and data that has some',
      );
    const own = trainingSetup(model, output);
    const others = otherSetups(model, own);
    const { setup, opened } = await setupByData(own, (requirements) =>
      openDataset(config, { ...requirements, others }, { workspace: dataFolder, seed, purpose: 'evaluate' }),
    );
    const batchSize = Math.max(1, Math.min(BATCH, opened.test.size));
    const sized = frontEndOf(model).withInputSizes(opened.inputShapes);
    const engine = await openEngine(engineId, sized, {
      loss: setup.loss,
      lossSettings: setup.lossSettings,
      classification: setup.classification,
      fromLogits: setup.fromLogits,
      batchSize,
      purpose: 'inference',
      seed,
      ...(output === undefined ? {} : { output }),
    });
    try {
      const choice = isMappingOpen(config, opened) ? await mapByReference(config, opened, engine, setup) : null;
      const dataset = choice?.dataset ?? opened;
      const onProgress = (done: number) => terminal.status(`evaluating ${count(done)} of ${count(dataset.test.size)}`);
      const result = await engine.evaluate(sampleSource(dataset.test), { onProgress });
      const apart = choice?.unusual ? await errorApart(dataset, engine) : [];
      const along = await evaluateOthers(others, dataset, batchSize, (spec) => openEngine(engine.info.id, sized, spec));
      terminal.status('');
      const notes = [...setup.notes, ...dataset.notes, ...(choice?.notes ?? []), ...along.notes, ...apart];
      for (const note of notes) terminal.note(note);
      const all = [{ ...result, output: setup.output, weight: setup.inFile?.lossWeight ?? 1 }, ...along.outputs];
      const total = all.reduce((sum, one) => sum + one.weight * one.loss, 0);
      terminal.emit(along.outputs.length === 0 ? { ...result } : { ...result, total, others: along.outputs });
      terminal.print(
        `loss ${result.loss.toFixed(4)}, ${errorText(result)} on ${count(result.samples)} samples (${engine.info.name}, ${engine.info.device})`,
      );
      const few = fewSamplesText(result, !setup.classification);
      if (few !== null) terminal.note(`note: ${few}`);
      for (const one of along.outputs)
        terminal.print(`output "${one.output}": loss ${one.loss.toFixed(4)}, ${errorText(one)}`);
      if (along.outputs.length > 0)
        terminal.print(`loss of all ${all.length} outputs: ${total.toFixed(4)} (weights ${all.map(({ output: name, weight }) => `"${name}" ${weight}`).join(', ')})`); // prettier-ignore
      return 0;
    } finally {
      await engine.dispose();
    }
  },
};

/** If the evaluated samples decided on an unusual label mapping or input scale: a note on that, with the error on the other samples. */
async function errorApart(dataset: Dataset, engine: EngineSession): Promise<readonly string[]> {
  const { test, wholeTest } = dataset;
  if (!wholeTest) return [];
  const chosen = new Set(judgedSamples(dataset, test, 0.5));
  const others = Uint32Array.from({ length: test.size }, (_, i) => i).filter((i) => !chosen.has(i));
  if (others.length === 0) return [];
  const apart = await engine.evaluate({
    size: others.length,
    read: (start, n, inputs, target) => test.gather(others, start, n, inputs, target),
  });
  return [
    `The data has no part but the one evaluated: ${count(chosen.size)} of its samples chose how to read it; on the ${count(others.length)} others the error is ${errorText(apart)}.`,
  ];
}
