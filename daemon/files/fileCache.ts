/** The one cache of values read from files. A value is kept while every file it was read from, shards of weights included, is unchanged. */
import { areUnchanged, type FileStamps } from './fileStamps.js';

interface Entry<T> {
  /** Every file that was read, with its stamp from before reading. */
  readonly stamps: FileStamps;
  readonly value: Promise<T>;
  /** The value, once it is there. */
  settled?: { readonly value: T };
}

export interface FileCacheOptions {
  /** Most values kept; the least recently used is dropped. */
  readonly kept: number;
  /** Milliseconds after its last use for which a value is kept. Default: for ever. */
  readonly lifetime?: number;
}

export class FileCache<T> {
  readonly #entries = new Map<string, Entry<T>>();
  readonly #timers = new Map<string, NodeJS.Timeout>();

  constructor(private readonly options: FileCacheOptions) {}

  /**
   * The value of a key: read once, and again when one of its files has changed. A failure is not kept.
   * @param read stamps every file before it reads it.
   * @throws the errors of `read`.
   */
  get(key: string, read: (stamps: FileStamps) => Promise<T>): Promise<T> {
    let entry = this.#current(key);
    if (!entry) {
      const stamps: FileStamps = new Map();
      const own: Entry<T> = { stamps, value: read(stamps) };
      own.value.then(
        (value) => (own.settled = { value }),
        () => this.#entries.get(key) === own && this.forget(key),
      );
      entry = own;
    }
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.options.kept) break;
      this.forget(oldest);
    }
    this.#startTimer(key);
    return entry.value;
  }

  /** The value of a key that has been read, wrapped in an object; null if it was not, is being read, or its files have changed. */
  known(key: string): { readonly value: T } | null {
    return this.#current(key)?.settled ?? null;
  }

  forget(key: string): void {
    this.#entries.delete(key);
    clearTimeout(this.#timers.get(key));
    this.#timers.delete(key);
  }

  #current(key: string): Entry<T> | undefined {
    const entry = this.#entries.get(key);
    if (!entry || areUnchanged(entry.stamps)) return entry;
    this.forget(key);
    return undefined;
  }

  #startTimer(key: string): void {
    const { lifetime } = this.options;
    if (lifetime === undefined) return;
    clearTimeout(this.#timers.get(key));
    this.#timers.set(key, setTimeout(() => this.forget(key), lifetime).unref());
  }
}
