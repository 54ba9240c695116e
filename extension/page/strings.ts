import * as vscode from 'vscode';

/** The translations a page needs: all of the bundle, or nothing in English. */
export const pageStrings = (): Record<string, string> =>
  Object.fromEntries(
    Object.entries(vscode.l10n.bundle ?? {}).map(([key, value]) => [key, typeof value === 'string' ? value : '']),
  );
