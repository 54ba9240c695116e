import * as vscode from 'vscode';
import { setContext } from './contexts.js';
import { CONTEXTS } from './ids.js';
import { LIMITS } from './limits.js';

/** A walkthrough's tab has no type in the API. Its label is the editor's, in the editor's language. */
const mayBeWalkthrough = ({ input }: vscode.Tab): boolean => input === undefined;

/**
 * Marks steps that were done before the walkthrough was opened. The editor (seen in VS Code 1.100) reads the steps when it first shows a walkthrough,
 * and never marks one whose completion event holds by then. So each step has a second event with a key that holds for a moment only, after a
 * walkthrough may have been opened.
 */
export function registerWalkthrough(): vscode.Disposable {
  let timer: NodeJS.Timeout | undefined;
  const look = (tabs: readonly vscode.Tab[]) => {
    if (!tabs.some(mayBeWalkthrough)) return;
    clearTimeout(timer);
    timer = setTimeout(() => {
      setContext(CONTEXTS.walkthrough, true);
      setContext(CONTEXTS.walkthrough, false);
    }, LIMITS.walkthroughTime);
  };
  look(vscode.window.tabGroups.all.flatMap(({ tabs }) => tabs));
  return vscode.Disposable.from(
    vscode.window.tabGroups.onDidChangeTabs(({ opened, changed }) => look([...opened, ...changed])),
    new vscode.Disposable(() => clearTimeout(timer)),
  );
}
