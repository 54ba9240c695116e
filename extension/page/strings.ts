import * as vscode from 'vscode';

/** The translations that a page needs: the whole bundle, or nothing in English. */
export const pageStrings = (): Record<string, string> =>
  Object.fromEntries(
    Object.entries(vscode.l10n.bundle ?? {}).map(([key, value]) => [key, typeof value === 'string' ? value : '']),
  );
