import * as vscode from 'vscode';
import type { CONTEXTS } from './ids.js';

/** Sets a key that menus, welcome views and the steps of the walkthrough wait for. */
export function setContext(key: (typeof CONTEXTS)[keyof typeof CONTEXTS], value: boolean | string): void {
  void vscode.commands.executeCommand('setContext', key, value);
}
