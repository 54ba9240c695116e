import { isBuiltinData } from '../../data/builtin.js';
import { chooseReading } from '../../data/chooseReading.js';
import { openDataset } from '../../data/openDataset.js';
import { sampleSource } from '../../data/sampleSource.js';
import { openEngine } from '../../engine/registry.js';
import { withInputSizes } from '../../model/inputSizes.js';
import { readModel } from '../../model/readModel.js';
import { setupByData } from '../../model/setupByData.js';
import { trainingSetup } from '../../model/trainingSetup.js';
import { resolveData } from '../../plan/resolveData.js';
import { referenceOf } from '../../trainer/reading.js';
import { DataSource } from '../../protocol/plan.js';
import { UserError } from '../../protocol/errors.js';
import { namedFile, stringOption, type Command } from '../command.js';
import { count, errorText } from '../text.js';

/** Samples computed at once, at most. */
const BATCH = 256;

export const evaluate: Command = {
  name: 'evaluate',
  positionals: 'MODEL',
  summary: 'loss and error of a model on a data set (its test part, or all of it)',
  options: {
    data: {
      type: 'string',
      value: 'DATA',
      help: 'a built-in name, a file, or a folder with the usual IDX pair (required)',
    },
    scale: {
      type: 'string',
      value: 'SCALE',
      help: 'unit, symmetric, standard, none, a number, or auto (default: chosen by the loss)',
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
    const source = stringOption(values, 'data');
    if (source === undefined)
      throw new UserError(
        'usage',
        'lc-prune evaluate: --data DATA is missing: a built-in name ("mnist"), a file or a folder',
      );
    const { file, workspace } = await namedFile(positionals[0]!, values);
    const model = await readModel(file, { workspace });
    const output = stringOption(values, 'output');
    const scaleText = stringOption(values, 'scale');
    const scale = scaleText !== undefined && Number.isFinite(Number(scaleText)) ? Number(scaleText) : scaleText;
    const classes = stringOption(values, 'classes');
    const parsed = DataSource.safeParse({
      source,
      ...(classes === undefined ? {} : { classes: classes.includes(',') ? classes.split(',') : classes }),
      preprocess: { ...(scale === undefined ? {} : { scale }), ...(values['mean'] ? { mean: values['mean'] } : {}) },
    });
    if (!parsed.success)
      throw new UserError(
        'usage',
        `lc-prune evaluate: --scale, --mean or --classes: ${parsed.error.issues[0]!.message}`,
      );
    const data = isBuiltinData(source) ? { file: source, workspace: process.cwd() } : await namedFile(source, values);
    const { setup, opened } = await setupByData(trainingSetup(model, output), (requirements) =>
      openDataset(
        resolveData(parsed.data, () => data.file),
        requirements,
        { workspace: data.workspace, seed: 0, purpose: 'evaluate' },
      ),
    );
    const engine = await openEngine(
      stringOption(values, 'engine') ?? 'auto',
      withInputSizes(model, opened.inputShapes),
      {
        loss: setup.loss,
        lossSettings: setup.lossSettings,
        classification: setup.classification,
        fromLogits: setup.fromLogits,
        batchSize: Math.max(1, Math.min(BATCH, opened.test.size)),
        purpose: 'inference',
        seed: 0,
        ...(output === undefined ? {} : { output }),
      },
    );
    try {
      const scaleIsOpen = scale === undefined || scale === 'auto';
      const choice =
        scaleIsOpen || opened.encodings.length > 1
          ? await chooseReading(
              opened,
              { scale: scaleIsOpen },
              referenceOf(engine, setup, ({ test }) => test, 0),
            )
          : null;
      const dataset = choice?.dataset ?? opened;
      const split = dataset.test;
      const result = await engine.evaluate(sampleSource(split), {
        onProgress: (done) => terminal.status(`evaluating ${count(done)} of ${count(split.size)}`),
      });
      terminal.status('');
      for (const note of [...setup.notes, ...dataset.notes, ...(choice?.notes ?? [])]) terminal.note(note);
      terminal.emit({ ...result });
      terminal.print(
        `loss ${result.loss.toFixed(4)}, ${errorText(result)} on ${count(result.samples)} samples (${engine.info.name}, ${engine.info.device})`,
      );
      return 0;
    } finally {
      await engine.dispose();
    }
  },
};
