/** Storage that outlives the session; `vscode.Memento` in the product. */
export interface Memory {
  get<T>(key: string): T | undefined;
  update(key: string, value: unknown): Thenable<void>;
}

const KEY = 'monitor.colours';
/** Runs whose colour is remembered. */
const LIMIT = 200;

/**
 * Gives every shown run a colour (a number; the page makes a colour and a marker of it) that no other shown run has. A run keeps its colour while it
 * is shown, and gets the same one later if it is free.
 */
export class RunColours {
  #remembered: Map<string, number>;
  #shown = new Map<string, number>();

  constructor(private readonly memory: Memory) {
    this.#remembered = new Map(Object.entries(memory.get<Record<string, number>>(KEY) ?? {}));
  }

  /** The runs on show from now on, in the order in which colours are given. */
  show(runs: readonly string[]): void {
    const before = this.#shown;
    const shown = new Map<string, number>();
    const used = () => new Set(shown.values());
    for (const run of runs) {
      const own = before.get(run);
      if (own !== undefined) shown.set(run, own);
    }
    for (const run of runs) {
      const own = this.#remembered.get(run);
      if (!shown.has(run) && own !== undefined && !used().has(own)) shown.set(run, own);
    }
    for (const run of runs) {
      if (shown.has(run)) continue;
      const taken = used();
      let free = 0;
      while (taken.has(free)) free++;
      shown.set(run, free);
    }
    this.#shown = shown;
    let isNew = false;
    for (const [run, colour] of shown) {
      if (this.#remembered.get(run) === colour) continue;
      isNew = true;
      this.#remembered.delete(run);
      this.#remembered.set(run, colour);
    }
    if (!isNew) return;
    while (this.#remembered.size > LIMIT) this.#remembered.delete(this.#remembered.keys().next().value!);
    void this.memory.update(KEY, Object.fromEntries(this.#remembered));
  }

  /** Of a run on show. */
  of(run: string): number {
    return this.#shown.get(run) ?? 0;
  }

  /** All runs on show with their colours. */
  get all(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#shown);
  }
}
