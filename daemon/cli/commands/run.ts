import { fileFormatOf } from '../../export/sparse/packageFormat.js';
import { readPlan } from '../../plan/readPlan.js';
import { BASELINES, type ResolvedPlan } from '../../protocol/resolvedPlan.js';
import { baselineList, integerOption, namedFile, stringOption, type Command } from '../command.js';
import { execute } from '../execute.js';
import { finishRun } from '../finishRun.js';
import { ON_OPTION, placed } from '../runnerOption.js';

export const run: Command = {
  name: 'run',
  positionals: 'PLAN',
  summary: 'execute a plan: train the reference if needed, prune to the budget, write the result',
  options: {
    engine: { type: 'string', value: 'ENGINE', help: 'engine id (default: the plan, else auto)' },
    seed: { type: 'string', value: 'N', help: 'seed (default: the plan, else 0)' },
    ...ON_OPTION,
    compare: {
      type: 'string',
      value: 'METHODS',
      help: `also run baselines with equal epochs: ${BASELINES.join(', ')} or both with a comma between`,
    },
  },
  async run({ positionals, values, terminal }) {
    const { file: planFile, workspace } = await namedFile(positionals[0]!, values);
    const baselines = baselineList(values) ?? [];
    const seed = integerOption(values, 'seed', 0, 0xffffffff);
    const engine = stringOption(values, 'engine');
    const written = await readPlan(planFile, { workspace, formatOf: fileFormatOf });
    const plan: ResolvedPlan = {
      ...written,
      ...(seed === undefined ? {} : { seed }),
      ...(engine === undefined ? {} : { engine }),
      ...(baselines.length > 0 && { compare: baselines }),
    };

    const { folder, done } = await execute(placed(plan, values), workspace, terminal);
    return done ? finishRun(terminal, workspace, done, folder) : 130;
  },
};
