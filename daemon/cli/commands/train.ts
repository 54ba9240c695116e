import { relative, resolve } from 'node:path';
import { resultModel } from '../../model/files/modelInFolder.js';
import { exportModel, formatOfFile } from '../../export/exportModel.js';
import { REFERENCE } from '../../plan/defaults.js';
import { readPlan } from '../../plan/readPlan.js';
import { readModel } from '../../model/files/readModel.js';
import type { ResolvedPlan } from '../../protocol/resolvedPlan.js';
import { readRunScales } from '../../runs/runModels.js';
import { integerOption, namedFile, stringOption, type Command } from '../command.js';
import { execute } from '../execute.js';
import { exitCodeOf } from '../finishRun.js';
import { ON_OPTION, placed } from '../runnerOption.js';
import { percent } from '../text.js';

export const train: Command = {
  name: 'train',
  positionals: 'PLAN',
  summary: "train the plan's reference model and write it",
  options: {
    out: {
      type: 'string',
      value: 'FILE',
      help: 'where to write it; the ending says the format: .keras, .h5, .onnx, .json or a folder for TensorFlow.js (default: model.json in the run folder)',
    },
    engine: { type: 'string', value: 'ENGINE', help: 'engine id (default: the plan, else auto)' },
    seed: { type: 'string', value: 'N', help: 'seed (default: the plan, else 0)' },
    ...ON_OPTION,
  },
  async run({ positionals, values, terminal }) {
    const { file: planFile, workspace } = await namedFile(positionals[0]!, values);
    const seed = integerOption(values, 'seed', 0, 0xffffffff);
    const engine = stringOption(values, 'engine');
    const out = stringOption(values, 'out');
    // Checked before hours of training.
    const target = out === undefined ? null : resolve(out);
    const format = target === null ? null : formatOfFile(target, 'networks');
    const written = await readPlan(planFile, { workspace });
    const reference = { ...written.reference, epochs: written.reference.epochs || REFERENCE.epochs };
    const plan: ResolvedPlan = {
      ...written,
      reference,
      method: 'reference',
      ...(seed === undefined ? {} : { seed }),
      ...(engine === undefined ? {} : { engine }),
    };
    const { folder, done } = await execute(placed(plan, values), workspace, terminal);
    if (!done) return 130;
    let path = await resultModel(folder);
    if (target !== null && format !== null) {
      const scales = await readRunScales(folder, undefined);
      const model = await readModel(path, { workspace });
      ({ path } = await exportModel(model, format, target, { scales, inside: false }));
    }
    terminal.print(`reference ${percent(done.reference.error)} error: ${relative(process.cwd(), path)}`);
    terminal.emit({ ...done, folder, model: path });
    return exitCodeOf(done);
  },
};
