import * as vscode from 'vscode';
import type { MarksChange } from '../../daemon/protocol/runs/marks.js';
import type { RunItem } from '../ids.js';
import { displayName } from '../monitor/runView.js';
import type { Run } from '../runs.js';
import type { Services } from '../services.js';
import type { CommandTable } from './command.js';
import { pickRun, selectedRuns } from './pick.js';

type MarkCommands = Pick<CommandTable, 'lcPrune.starRun' | 'lcPrune.tagRun' | 'lcPrune.noteRun' | 'lcPrune.showRuns'>;

/** "fast, to publish" as tags, each once. */
export const tagsOf = (text: string): string[] => [
  ...new Set(
    text
      .split(',')
      .map((tag) => tag.trim())
      .filter(Boolean),
  ),
];

/** Commands for the star, tags and note of runs, and for the table that shows them. */
export function markCommands({ daemon, runs, runsTable }: Services): MarkCommands {
  const choose = async (
    item: RunItem | undefined,
    selected: readonly unknown[],
    title: string,
  ): Promise<readonly Run[]> => {
    const several = selectedRuns(selected);
    if (several.length > 1) return several;
    if (item) return [item.summary];
    await daemon.session();
    if (runs.all.length === 0) await runs.load();
    const one = await pickRun(runs.all, title, vscode.l10n.t('There are no runs.'));
    return one ? [one] : [];
  };
  const mark = async (run: Run, change: MarksChange) => {
    await daemon.request('lc/mark', { run: run.run, change });
  };

  return {
    'lcPrune.showRuns': {
      needs: 'folder',
      run: () => runsTable.show(),
    },
    'lcPrune.starRun': {
      needs: 'trust',
      async run(item, selected) {
        const chosen = await choose(item, selected, vscode.l10n.t('Star of which run?'));
        const star = !chosen.every(({ marks }) => marks?.star);
        for (const run of chosen) await mark(run, { star });
      },
    },
    'lcPrune.tagRun': {
      needs: 'trust',
      async run(item, selected) {
        const chosen = await choose(item, selected, vscode.l10n.t('Tags of which run?'));
        const [first] = chosen;
        if (!first) return;
        const tags = (run: Run) => run.marks?.tags ?? [];
        // For several runs, the tags that all of them have are changed; each keeps its others.
        const common = tags(first).filter((tag) => chosen.every((run) => tags(run).includes(tag)));
        const known = [...new Set(runs.all.flatMap(tags))].sort();
        const text = await vscode.window.showInputBox({
          title:
            chosen.length === 1
              ? vscode.l10n.t('Tags of {0}', displayName(first))
              : vscode.l10n.t('Tags of {0} runs', chosen.length),
          value: common.join(', '),
          prompt: known.length > 0 ? vscode.l10n.t('In use: {0}', known.join(', ')) : '',
          placeHolder: vscode.l10n.t('Tags, separated by commas'),
          validateInput: (value) =>
            tagsOf(value).some((tag) => tag.length > 50 || /\p{Cc}/u.test(tag)) || tagsOf(value).length > 30
              ? vscode.l10n.t('At most 30 tags of up to 50 characters')
              : null,
        });
        if (text === undefined) return;
        const wanted = tagsOf(text);
        for (const run of chosen) {
          const own = tags(run).filter((tag) => !common.includes(tag) && !wanted.includes(tag));
          await mark(run, { tags: [...wanted, ...own] });
        }
      },
    },
    'lcPrune.noteRun': {
      needs: 'trust',
      async run(item, selected) {
        const [run] = await choose(item, selected, vscode.l10n.t('Note on which run?'));
        if (!run) return;
        const note = await vscode.window.showInputBox({
          title: vscode.l10n.t('Note on {0}', displayName(run)),
          value: run.marks?.note ?? '',
          validateInput: (value) => (value.length > 10_000 ? vscode.l10n.t('At most 10,000 characters') : null),
        });
        if (note !== undefined) await mark(run, { note });
      },
    },
  };
}
