/** `--on`: where a run executes, in place of the plan's `runOn`. */
import { UserError } from '../protocol/errors.js';
import type { ResolvedPlan } from '../protocol/resolvedPlan.js';
import { placeOf, Remote, RunOn } from '../protocol/runs/runOn.js';
import { stringOption, type Values } from './command.js';

/** The option of commands that start or continue runs. */
export const ON_OPTION = {
  on: {
    type: 'string',
    value: 'WHERE',
    help: 'local, slurm, command (both with the settings of the plan\'s runOn), a command line with {cmd} in it: "ssh box {cmd}", or the runOn of a plan as JSON (default: the plan)',
  },
} as const;

/**
 * @param planned of the plan; its settings stay if the option names the same runner.
 * @returns undefined: this machine. @throws UserError('usage') for an unknown place.
 */
export function runnerOption(values: Values, planned: Remote | undefined): Remote | undefined {
  const on = stringOption(values, 'on');
  if (on === undefined || on === 'local' || on === 'slurm') return placeOf(on, planned);
  const settings = RunOn.safeParse(asJson(on));
  if (settings.success) return placeOf(settings.data, planned);
  if (on === 'command' && planned && 'command' in planned) return planned;
  const found = Remote.safeParse({ command: on });
  if (found.success) return found.data;
  const reason =
    on === 'command'
      ? 'the plan has no command; set "runOn": { "command": "ssh box {cmd}" } in it, or give the command here'
      : `"${on}" is none of local, slurm, command, and no command line with {cmd} in it`;
  throw new UserError('usage', `--on: ${reason}`);
}

/** null: it is no JSON. */
function asJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** The plan with the place that the option names. */
export function placed({ runOn, ...plan }: ResolvedPlan, values: Values): ResolvedPlan {
  const remote = runnerOption(values, runOn);
  return remote ? { ...plan, runOn: remote } : plan;
}
