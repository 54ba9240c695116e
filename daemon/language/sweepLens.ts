import type { CodeLens } from 'vscode-languageserver-protocol/node';
import type { AbsolutePath } from '../protocol/paths.js';
import { command, TOP } from './planLens.js';

/** @param sweep the file as the client names it. */
export const sweepLenses = (sweep: AbsolutePath): CodeLens[] => [
  { range: TOP, command: command('$(play) Run sweep', 'lcPrune.runSweep', { sweep }) },
];
