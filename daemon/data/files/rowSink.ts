import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UserError } from '../../protocol/errors.js';
import { sizeOf } from '../../protocol/shape.js';
import { invalidData } from '../dataError.js';
import { openRows } from './fileStore.js';
import { memoryStore, type SampleStore } from '../batches/sampleStore.js';

const BLOCK_VALUES = 1 << 20;

/**
 * Collects rows of unknown number into a store. Above `memoryLimit` bytes they go to a temporary file, which is read row by
 * row and disappears when the store is closed or the process ends.
 */
export class RowSink {
  private blocks: (Uint8Array | Float32Array)[] = [];
  private block: Uint8Array | Float32Array;
  private filled = 0;
  private count = 0;
  private spill: { path: string; folder: string; descriptor: number } | null = null;
  private readonly width: number;

  /** @param name of the data in messages. */
  constructor(
    private readonly name: string,
    private readonly shape: readonly number[],
    private readonly kind: 'u1' | 'f4',
    private readonly memoryLimit: number,
  ) {
    this.width = sizeOf(shape);
    this.block = this.newBlock();
  }

  get rows(): number {
    return this.count;
  }

  /** Copies one row. */
  append(row: ArrayLike<number>): void {
    if (this.filled + this.width > this.block.length) this.endBlock();
    this.block.set(row, this.filled);
    this.filled += this.width;
    this.count++;
  }

  /** @throws UserError('data-invalid') when there are no rows. */
  finish(): SampleStore {
    if (this.count === 0) {
      this.discard();
      throw invalidData(this.name, 'there are no samples in it');
    }
    if (this.spill) return this.finishSpill(this.spill);
    const data =
      this.kind === 'u1' ? new Uint8Array(this.count * this.width) : new Float32Array(this.count * this.width);
    let at = 0;
    for (const block of [...this.blocks, this.block.subarray(0, this.filled)]) {
      data.set(block, at);
      at += block.length;
    }
    this.blocks = [];
    return memoryStore(data, this.count, this.shape);
  }

  /** Deletes the temporary file of a sink that will not be finished. */
  discard(): void {
    if (!this.spill) return;
    closeSync(this.spill.descriptor);
    rmSync(this.spill.folder, { recursive: true, force: true });
    this.spill = null;
  }

  private newBlock(): Uint8Array | Float32Array {
    const values = Math.max(this.width, Math.floor(BLOCK_VALUES / Math.max(1, this.width)) * this.width);
    return this.kind === 'u1' ? new Uint8Array(values) : new Float32Array(values);
  }

  private endBlock(): void {
    this.blocks.push(this.block.subarray(0, this.filled));
    this.block = this.newBlock();
    this.filled = 0;
    const bytes = this.count * this.width * (this.kind === 'u1' ? 1 : 4);
    if (this.spill || bytes > this.memoryLimit) this.writeOut();
  }

  private writeOut(): void {
    try {
      this.spill ??= openSpill();
      for (const block of this.blocks) writeAll(this.spill.descriptor, block);
    } catch (error) {
      this.discard();
      throw new UserError(
        'disk',
        `${this.name}: larger than memory, and no room for its rows in ${tmpdir()} (${(error as NodeJS.ErrnoException).code ?? String(error)})`,
        { file: this.name },
      );
    }
    this.blocks = [];
  }

  private finishSpill(spill: NonNullable<typeof this.spill>): SampleStore {
    this.blocks.push(this.block.subarray(0, this.filled));
    this.writeOut();
    const littleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;
    const file = { path: spill.path, name: this.name };
    const store = openRows(file, 0, { kind: this.kind, littleEndian }, [this.count, ...this.shape]);
    // The open descriptor keeps the rows; the name is removed now, so that no file is left behind in any case.
    this.discard();
    return store;
  }
}

function openSpill(): { path: string; folder: string; descriptor: number } {
  const folder = mkdtempSync(join(tmpdir(), 'lc-prune-data-'));
  const path = join(folder, 'rows');
  return { path, folder, descriptor: openSync(path, 'wx', 0o600) };
}

function writeAll(descriptor: number, block: Uint8Array | Float32Array): void {
  const bytes = new Uint8Array(block.buffer, block.byteOffset, block.byteLength);
  for (let done = 0; done < bytes.length;) done += writeSync(descriptor, bytes, done);
}
