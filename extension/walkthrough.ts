import * as vscode from 'vscode';
import { setContext } from './contexts.js';
import { CONTEXTS } from './ids.js';

/** The editor has read the steps of a walkthrough by then. */
const READ_MS = 1000;

/** Its tab and the extension's page are of no kind that extensions know; the page begins with another word. */
const isWalkthrough = ({ input, label }: vscode.Tab): boolean =>
  input === undefined && label.includes('LC Prune') && !label.startsWith('Extension:');

/**
 * Lets steps be done that were before the walkthrough was opened. The editor (seen in VS Code 1.100) reads the steps when a walkthrough is
 * first looked at, and never marks one whose completion event holds by then: each step has a second event, which holds when
 * the walkthrough is there, too.
 */
export function registerWalkthrough(): vscode.Disposable {
  let timer: NodeJS.Timeout | undefined;
  const look = () => {
    const isShown = vscode.window.tabGroups.all.some(({ tabs }) => tabs.some(isWalkthrough));
    if (isShown && timer === undefined) timer = setTimeout(() => setContext(CONTEXTS.walkthrough, true), READ_MS);
  };
  look();
  return vscode.Disposable.from(
    vscode.window.tabGroups.onDidChangeTabs(look),
    new vscode.Disposable(() => clearTimeout(timer)),
  );
}
