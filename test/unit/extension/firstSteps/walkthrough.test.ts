/** The steps of the walkthrough that were done before it was opened. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import * as vscode from 'vscode';
import { registerWalkthrough } from '../../../../extension/walkthrough.js';
import { EventEmitter } from '../vscode.js';

interface Tab {
  label: string;
  input: unknown;
}
let changed: EventEmitter<{ opened: Tab[]; changed: Tab[] }>;
let set: unknown[][];

beforeEach(() => {
  vi.useFakeTimers();
  changed = new EventEmitter();
  set = [];
  vi.spyOn(vscode.commands, 'executeCommand').mockImplementation(async (...args: unknown[]) => void set.push(args));
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const open = (tabs: Tab[]) =>
  Object.assign(vscode.window, { tabGroups: { all: [{ tabs }], onDidChangeTabs: changed.event } });
const FILE = { label: 'model.json', input: {} };
const PULSE = [
  ['setContext', 'lcPrune.walkthrough', true],
  ['setContext', 'lcPrune.walkthrough', false],
];

test('a tab that may be one gives the steps one moment to be done, each time; a file does not', () => {
  open([FILE]);
  registerWalkthrough();
  changed.fire({ opened: [FILE], changed: [] });
  vi.advanceTimersByTime(5000);
  expect(set).toEqual([]);
  // Its label is in the language of the editor.
  changed.fire({ opened: [{ label: 'Willkommen', input: undefined }], changed: [] });
  changed.fire({ opened: [], changed: [{ label: 'Willkommen', input: undefined }] });
  expect(set).toEqual([]);
  vi.advanceTimersByTime(5000);
  expect(set).toEqual(PULSE);
  changed.fire({ opened: [{ label: 'Willkommen', input: undefined }], changed: [] });
  vi.advanceTimersByTime(5000);
  expect(set).toEqual([...PULSE, ...PULSE]);
});

test('one that is open when the extension starts counts; after its end nothing is set', () => {
  open([FILE, { label: 'Welcome', input: undefined }]);
  registerWalkthrough().dispose();
  vi.advanceTimersByTime(5000);
  expect(set).toEqual([]);
  registerWalkthrough();
  vi.advanceTimersByTime(5000);
  expect(set).toEqual(PULSE);
});
