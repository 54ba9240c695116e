import * as vscode from 'vscode';

/** The question that a path answers. */
export interface PathWish {
  path: { maxErrorIncrease?: string };
  compare?: ['magnitude'];
}

/** Asks what the path is for. @returns undefined if the user cancelled. */
export async function askPath(): Promise<PathWish | undefined> {
  const smallest = 'smallest';
  const items = [
    {
      label: vscode.l10n.t('Error against budget'),
      detail: vscode.l10n.t(
        'Eight budgets from large to small in one run, each starting from the one before; export any of them.',
      ),
      wish: { path: {} } satisfies PathWish,
    },
    {
      label: vscode.l10n.t('Error against budget, magnitude pruning beside it'),
      detail: vscode.l10n.t('The same, and magnitude pruning with as many epochs after it.'),
      wish: { path: {}, compare: ['magnitude'] as ['magnitude'] } satisfies PathWish,
    },
    {
      label: vscode.l10n.t('Smallest network within a bound on the error...'),
      detail: vscode.l10n.t('Looks for the smallest budget that loses no more than you allow.'),
      wish: smallest,
    },
  ] as const;
  const chosen = await vscode.window.showQuickPick(items, { title: vscode.l10n.t('Path of Budgets') });
  if (!chosen) return undefined;
  if (chosen.wish !== smallest) return chosen.wish;
  const bound = await vscode.window.showInputBox({
    title: vscode.l10n.t('How much more error than the reference, in absolute points?'),
    value: '0.5%',
    validateInput: (text) =>
      /^\s*\d+(\.\d+)?\s*%\s*$/.test(text) && parseFloat(text) <= 100
        ? null
        : vscode.l10n.t('A percentage such as 0.5%'),
  });
  return bound === undefined ? undefined : { path: { maxErrorIncrease: bound.trim() } };
}
