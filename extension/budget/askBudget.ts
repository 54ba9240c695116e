import * as vscode from 'vscode';
import type { BudgetPreview } from '../../daemon/protocol/messages.js';
import type { Budget } from '../../daemon/protocol/plan.js';
import { parseBudget, SUGGESTED, type BudgetReading } from './parseBudget.js';
import { count } from '../../daemon/protocol/format.js';

/** What a budget means for the model at hand. */
export type Preview = (budget: Budget) => Promise<BudgetPreview>;

interface BudgetItem extends vscode.QuickPickItem {
  budget?: Budget;
}

/** Typing pauses this long before the daemon is asked. */
const PAUSE = 80;

function label({ kind, value }: BudgetReading): string {
  switch (kind) {
    case 'keep':
      return vscode.l10n.t('Keep {0} of the weights', value);
    case 'weights':
      return vscode.l10n.t('Keep {0} weights', count(Number(value)));
    case 'bytes':
      return vscode.l10n.t('Fit into {0} on disk', value);
    case 'flops':
      return vscode.l10n.t('Keep {0} of the FLOPs', value);
    case 'neurons':
      return vscode.l10n.t('Keep {0} neurons and filters', value);
    case 'pattern':
      return vscode.l10n.t('Keep {0} (N of every M consecutive weights)', value);
  }
}

function problemText(problem: 'empty' | 'unreadable' | 'range'): string {
  return problem === 'range'
    ? vscode.l10n.t('Out of range: a share is at most 100%, and N:M needs N < M')
    : vscode.l10n.t('Not a budget. Try 1%, 2662 weights, 40 kB, 50% flops, 100 neurons or 2:4');
}

/**
 * Asks for a budget in a quick pick whose entries say, as the user types, what each reading would keep. An impossible budget
 * says why and cannot be chosen.
 * @returns undefined where the user gave up.
 */
export function askBudget(title: string, preview: Preview, current = ''): Promise<Budget | undefined> {
  const pick = vscode.window.createQuickPick<BudgetItem>();
  pick.title = title;
  pick.placeholder = vscode.l10n.t('1%, 2662 weights, 40 kB, 50% flops, 100 neurons, 2:4');
  pick.value = current;
  pick.ignoreFocusOut = false;
  // The likeliest reading stays first. Not in the stable API yet, but honoured; without it the list sorts by label.
  (pick as { sortByLabel?: boolean }).sortByLabel = false;
  // Entries are made for what is typed: all of them match.
  const show = (items: BudgetItem[]) => (pick.items = items.map((item) => ({ ...item, alwaysShow: true })));
  let turn = 0;
  const refresh = async () => {
    const mine = ++turn;
    const parsed = pick.value.trim() === '' ? null : parseBudget(pick.value);
    if (parsed && 'problem' in parsed) {
      pick.busy = false;
      show([{ label: `$(error) ${problemText(parsed.problem)}` }]);
      return;
    }
    const readings =
      parsed?.readings ?? SUGGESTED.map((text) => (parseBudget(text) as { readings: BudgetReading[] }).readings[0]!);
    if (pick.items.length !== readings.length)
      show(readings.map((reading) => ({ label: label(reading), detail: '…', budget: reading.budget })));
    pick.busy = true;
    const items = await Promise.all(
      readings.map(async (reading): Promise<BudgetItem> => {
        try {
          const found = await preview(reading.budget);
          return found.problem
            ? { label: `$(error) ${label(reading)}`, detail: found.problem }
            : { label: label(reading), detail: found.text, budget: reading.budget };
        } catch (error) {
          return { label: `$(error) ${label(reading)}`, detail: (error as Error).message };
        }
      }),
    );
    if (mine !== turn) return;
    pick.busy = false;
    // What the daemon refuses goes last, unless it is all there is.
    show([...items.filter((item) => item.budget), ...items.filter((item) => !item.budget)]);
  };
  return new Promise((resolve) => {
    let timer: NodeJS.Timeout | undefined;
    pick.onDidChangeValue(() => {
      clearTimeout(timer);
      turn++;
      timer = setTimeout(() => void refresh(), PAUSE);
    });
    pick.onDidAccept(() => {
      const chosen = pick.selectedItems[0];
      if (!chosen?.budget) return;
      resolve(chosen.budget);
      pick.hide();
    });
    pick.onDidHide(() => {
      clearTimeout(timer);
      turn++;
      resolve(undefined);
      pick.dispose();
    });
    pick.show();
    void refresh();
  });
}
