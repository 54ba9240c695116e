/** What is kept between sessions; `vscode.Memento` in the product. */
export interface Memory {
  get<T>(key: string): T | undefined;
  update(key: string, value: unknown): Thenable<void>;
}

const KEY = 'monitor.colours';
const PALETTE = 6;
/** Runs whose colour is remembered. */
const LIMIT = 200;

/** Gives every run a colour that it keeps: after a reload, and when other runs come and go. */
export class RunColours {
  #colours: Map<string, number>;

  constructor(private readonly memory: Memory) {
    this.#colours = new Map(Object.entries(memory.get<Record<string, number>>(KEY) ?? {}));
  }

  of(run: string): number {
    const known = this.#colours.get(run);
    if (known !== undefined) return known;
    const last = Array.from(this.#colours.values()).at(-1) ?? -1;
    const colour = (last + 1) % PALETTE;
    this.#colours.set(run, colour);
    while (this.#colours.size > LIMIT) this.#colours.delete(this.#colours.keys().next().value!);
    void this.memory.update(KEY, Object.fromEntries(this.#colours));
    return colour;
  }
}
