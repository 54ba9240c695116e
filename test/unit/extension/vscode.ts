/** The few parts of the editor's API that the monitor's host side needs, for tests outside an editor. */

type Listener<T> = (value: T) => void;

export class Disposable {
  static from(...all: { dispose(): unknown }[]): Disposable {
    return new Disposable(() => all.forEach((one) => one.dispose()));
  }
  constructor(readonly dispose: () => void) {}
}

export class EventEmitter<T> {
  #listeners = new Set<Listener<T>>();
  event = (listener: Listener<T>): Disposable => {
    this.#listeners.add(listener);
    return new Disposable(() => this.#listeners.delete(listener));
  };
  fire(value: T): void {
    for (const listener of this.#listeners) listener(value);
  }
  dispose(): void {
    this.#listeners.clear();
  }
}

export const Uri = {
  joinPath: (...parts: unknown[]): string => parts.join('/'),
  file: (path: string) => ({ scheme: 'file', fsPath: path }),
};
/** An older editor: it has the class, but not the function that newer ones register it with. */
export const lm = {};
export class McpStdioServerDefinition {}
export const ViewColumn = { Active: -1 };
export const QuickPickItemKind = { Separator: -1, Default: 0 };
export const env = { language: 'en' };
export const l10n = {
  t: (text: string, ...values: unknown[]): string => text.replace(/\{(\d)\}/g, (_, i) => String(values[i])),
};
export const workspace = {
  isTrusted: true,
  onDidGrantWorkspaceTrust: () => new Disposable(() => {}),
  onDidChangeWorkspaceFolders: () => new Disposable(() => {}),
  asRelativePath: (path: string): string => path,
};
export const commands = { executeCommand: async (..._args: unknown[]): Promise<unknown> => undefined };
export const window = { registerWebviewPanelSerializer: () => new Disposable(() => {}) };

export const TreeItemCollapsibleState = { None: 0, Collapsed: 1, Expanded: 2 };
export class TreeItem {
  id?: string;
  contextValue?: string;
  constructor(readonly label: string) {}
}
export class ThemeColor {
  constructor(readonly id: string) {}
}
export class ThemeIcon {
  constructor(
    readonly id: string,
    readonly color?: ThemeColor,
  ) {}
}
export class CancellationTokenSource {
  readonly #cancelled = new EventEmitter<void>();
  token = { isCancellationRequested: false, onCancellationRequested: this.#cancelled.event };
  cancel(): void {
    this.token.isCancellationRequested = true;
    this.#cancelled.fire();
  }
  dispose(): void {
    this.#cancelled.dispose();
  }
}
export class LanguageModelTextPart {
  constructor(readonly value: string) {}
}
export class LanguageModelToolResult {
  constructor(readonly content: readonly unknown[]) {}
}
