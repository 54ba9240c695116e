/** The label of a run in lists. Without validators, because the page uses it too. */

/** A generated name: time stamp and plan. A renamed run has the stamp, and other words. */
const STAMP = /^\d{4}-\d{2}-\d{2}T\d{2}-\d{2}-\d{2}-?/;

/** "Nov 29, 11:53:46", in local time; with the year where it is another one. */
export function shortDate(time: number, now = Date.now()): string {
  const date = new Date(time);
  const isThisYear = date.getFullYear() === new Date(now).getFullYear();
  return date.toLocaleString('en-US', {
    ...(isThisYear ? {} : { year: 'numeric' }),
    month: 'short',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
  });
}

export interface LabelledRun {
  /** Name of its folder. */
  readonly name: string;
  readonly plan: string;
  readonly started: number;
  readonly budget?: string | undefined;
}

/** As in file names: the folder's name after its time stamp. @see daemon/trainer/process/runFolder.ts */
const inFileName = (text: string): string => text.normalize('NFC').replace(/[^\p{L}\p{N}._-]+/gu, '-');

/** The name that a user gave a run; null: none. */
export function givenName({ name, plan }: Pick<LabelledRun, 'name' | 'plan'>): string | null {
  if (!STAMP.test(name)) return name;
  const rest = name.replace(STAMP, '');
  const own =
    inFileName(plan)
      .replace(/^[-.]+|[-.]+$/g, '')
      .slice(0, 80) || 'run';
  // A second run within one second has a number after the stamp.
  return rest === own || (rest.startsWith(`${own}-`) && /^-\d+$/.test(rest.slice(own.length))) ? null : rest;
}

/** Plan, budget and date: what distinguishes runs of one plan. A renamed run keeps its name. */
export function runLabel(run: LabelledRun): string {
  const given = givenName(run);
  if (given !== null) return given;
  return `${run.plan}${run.budget ? ` ${run.budget}` : ''} · ${shortDate(run.started)}`;
}
