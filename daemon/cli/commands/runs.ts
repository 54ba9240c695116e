import { resolve } from 'node:path';
import { RunState } from '../../protocol/events.js';
import { UserError } from '../../protocol/errors.js';
import type { RunSummary } from '../../protocol/messages.js';
import { fits, RUN_COLUMNS, runsCsv, runsMarkdown, searchText, searchWords } from '../../protocol/runs/columns.js';
import { runRow, type RunRow } from '../../protocol/runs/runRow.js';
import { listRuns } from '../../runs/list/listRuns.js';
import { stringOption, type Command, type Values } from '../command.js';
import { table } from '../text.js';

/** The columns of a list in a terminal, which is narrower than a page. */
const SHOWN = [
  'run',
  'star',
  'state',
  'place',
  'progress',
  'budget',
  'kept',
  'error',
  'difference',
  'size',
  'time',
  'engine',
  'tags',
];

/** Whether the options select a run. @throws UserError('usage') for an unknown state. */
function wanted(values: Values): (row: RunRow) => boolean {
  const words = searchWords(stringOption(values, 'filter') ?? '');
  const tag = stringOption(values, 'tag');
  const state = stringOption(values, 'state');
  const states = [...RunState.options, 'warnings'];
  if (state !== undefined && !states.includes(state))
    throw new UserError('usage', `--state: "${state}" is none of ${states.join(', ')}`);
  return (row) =>
    fits(searchText(row), words) &&
    (tag === undefined || row.tags.includes(tag)) &&
    (values['starred'] !== true || row.star) &&
    (state === undefined || row.state === state || (row.state === 'doubtful' && (state === 'warnings' || state === 'done'))); // prettier-ignore
}

/** Empty columns are left out. */
function terminalTable(rows: readonly RunRow[]): string {
  const columns = SHOWN.map((id) => RUN_COLUMNS.find((column) => column.id === id)!);
  const used = columns.filter((column) => rows.some((row) => column.text(row) !== ''));
  return table(
    used.map(({ title }) => title),
    rows.map((row) => used.map((column) => column.text(row))),
  );
}

/** How a run's trainer ended, if by a signal. */
const endings = (found: readonly RunSummary[]): string[] =>
  found.flatMap(({ run, state, ending }) => (ending ? [`${run}: ${state} (${ending.how}, ${ending.engine})`] : []));

export const runs: Command = {
  name: 'runs',
  positionals: '',
  summary: 'the runs of this workspace: state, budget, error, size, tags; --filter and more narrow them',
  options: {
    filter: { type: 'string', value: 'WORDS', help: 'runs that have all of these words somewhere: plan, tags, note, ...' },
    tag: { type: 'string', value: 'TAG', help: 'runs with this tag' },
    starred: { type: 'boolean', help: 'runs with a star' },
    state: { type: 'string', value: 'STATE', help: 'runs in this state: done, warnings, running, failed, ...' },
    as: { type: 'string', value: 'FORM', help: 'csv or markdown: as a table for other programs' },
  },
  async run({ values, terminal }) {
    const form = stringOption(values, 'as');
    if (form !== undefined && form !== 'csv' && form !== 'markdown')
      throw new UserError('usage', `--as: "${form}" is neither csv nor markdown`);
    const isWanted = wanted(values);
    const all = await listRuns(resolve(stringOption(values, 'workspace') ?? '.'));
    const found = all
      .map((summary) => ({ summary, row: runRow({ ...summary, name: summary.run }) }))
      .filter(({ row }) => isWanted(row));
    for (const { summary } of found) terminal.emit({ event: 'run', ...summary });
    const rows = found.map(({ row }) => row);
    if (form !== undefined) terminal.print((form === 'csv' ? runsCsv(rows) : runsMarkdown(rows)).trimEnd());
    else if (all.length === 0) terminal.print('no runs here; start one with: lc-prune run PLAN');
    else if (rows.length === 0) terminal.print(`none of the ${all.length} runs here is asked for`);
    else terminal.print([terminalTable(rows), ...endings(found.map(({ summary }) => summary))].join('\n'));
    return 0;
  },
}; // prettier-ignore
