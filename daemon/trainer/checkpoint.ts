/**
 * Checkpoint files. Layout: the 8 bytes "LCPRUNE1", the header's length (uint32 LE), the header (JSON, UTF-8), the vectors one after the other
 * (float32 LE), the sha256 of all that comes before it. Written to a temporary file, fsynced, renamed.
 */
import { createHash } from 'node:crypto';
import { open, readdir, unlink, type FileHandle } from 'node:fs/promises';
import { basename, join } from 'node:path';
import * as z from 'zod';
import { ensureFolder } from '../files/makeFolder.js';
import { writeFileAtomic } from '../files/atomicWrite.js';
import { UserError } from '../protocol/errors.js';
import { Progress, type RunState, type StateVectors } from './state.js';
import { LIMITS } from './limits.js';

const MAGIC = Buffer.from('LCPRUNE1', 'latin1');
const DIGEST = 32;
/** One write or read call; the operating system's limit is 2 GiB. */
const PIECE = 64 << 20;
const KEPT = 2;

const VECTORS = [
  'w',
  'velocity',
  'statistics',
  'theta',
  'lambda',
  'startW',
  'startStatistics',
  'bestW',
  'bestStatistics',
] as const;
/** Earlier versions wrote only the first of them. */
const FEWEST_VECTORS = 7;

const Header = z.object({
  progress: Progress,
  /** Length of the event log when the checkpoint was taken: bytes and events. */
  log: z.object({ bytes: z.int().min(0), events: z.int().min(0) }),
  /** Lengths of the vectors, in the order of VECTORS. */
  lengths: z.array(z.int().min(0)).min(FEWEST_VECTORS).max(VECTORS.length),
});

export interface LogPosition {
  readonly bytes: number;
  readonly events: number;
}

export interface Checkpoint {
  readonly state: RunState;
  readonly log: LogPosition;
  readonly file: string;
}

const bytesOf = (vector: Float32Array): Uint8Array =>
  new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength);

function* pieces(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += PIECE) yield bytes.subarray(at, at + PIECE);
}

const sequenceOf = (name: string): number => Number(/^(\d{6,12})\.checkpoint$/.exec(name)?.[1] ?? NaN);

/** Checkpoint files of a folder, newest first. */
async function list(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [] as string[];
    throw error;
  });
  return names.filter((name) => !Number.isNaN(sequenceOf(name))).sort((a, b) => sequenceOf(b) - sequenceOf(a));
}

/**
 * Writes the next checkpoint and removes all but the last two.
 * @param folder the run's checkpoints folder.
 * @returns the file's path. @throws UserError('disk'); the earlier checkpoints are then untouched.
 */
export async function writeCheckpoint(folder: string, state: RunState, log: LogPosition): Promise<string> {
  await ensureFolder(folder);
  const existing = await list(folder);
  const file = join(folder, `${String((sequenceOf(existing[0] ?? '') || 0) + 1).padStart(6, '0')}.checkpoint`);
  const vectors = VECTORS.map((name) => state.vectors[name]);
  const header = Buffer.from(
    JSON.stringify({ progress: state.progress, log, lengths: vectors.map((vector) => vector.length) }),
  );
  const length = Buffer.alloc(4);
  length.writeUInt32LE(header.length);
  const content = [MAGIC, length, header, ...vectors.flatMap((vector) => [...pieces(bytesOf(vector))])];
  const hash = createHash('sha256');
  for (const piece of content) hash.update(piece);
  await writeFileAtomic(file, [...content, hash.digest()]);
  for (const old of existing.slice(KEPT - 1)) await unlink(join(folder, old)).catch(() => undefined);
  return file;
}

async function readFully(handle: FileHandle, into: Uint8Array, at: number): Promise<void> {
  for (let done = 0; done < into.length;) {
    const { bytesRead } = await handle.read(into, done, Math.min(PIECE, into.length - done), at + done);
    if (bytesRead === 0) throw new Error('it is too short');
    done += bytesRead;
  }
}

/** @throws UserError('run-invalid') for a file that is not a whole checkpoint. Allocates no more than the file's size. */
export async function readCheckpoint(file: string): Promise<Checkpoint> {
  const handle = await open(file, 'r').catch((error: Error) => {
    throw new UserError('run-invalid', `${file}: ${error.message}`, { file });
  });
  try {
    const { size } = await handle.stat();
    const prefix = Buffer.alloc(MAGIC.length + 4);
    await readFully(handle, prefix, 0);
    if (!prefix.subarray(0, MAGIC.length).equals(MAGIC)) throw new Error('it does not begin as one');
    const headerLength = prefix.readUInt32LE(MAGIC.length);
    if (headerLength > LIMITS.checkpointHeader || prefix.length + headerLength + DIGEST > size)
      throw new Error('it is too short');
    const headerBytes = Buffer.alloc(headerLength);
    await readFully(handle, headerBytes, prefix.length);
    const header = Header.parse(JSON.parse(headerBytes.toString('utf8')));
    let at = prefix.length + headerLength;
    if (at + 4 * header.lengths.reduce((sum, length) => sum + length, 0) + DIGEST !== size) {
      throw new Error('its length is wrong');
    }
    const hash = createHash('sha256').update(prefix).update(headerBytes);
    const vectors: Partial<Record<keyof StateVectors, Float32Array>> = {};
    for (const [i, name] of VECTORS.entries()) {
      const vector = new Float32Array(header.lengths[i] ?? 0);
      await readFully(handle, bytesOf(vector), at);
      at += vector.byteLength;
      for (const piece of pieces(bytesOf(vector))) hash.update(piece);
      vectors[name] = vector;
    }
    const digest = Buffer.alloc(DIGEST);
    await readFully(handle, digest, at);
    if (!hash.digest().equals(digest)) throw new Error('its checksum is wrong');
    return { state: { progress: header.progress, vectors: vectors as StateVectors }, log: header.log, file };
  } catch (error) {
    const reason = error instanceof z.ZodError ? 'its header is wrong' : (error as Error).message;
    throw new UserError('run-invalid', `${file} is not a usable checkpoint: ${reason}`, { file });
  } finally {
    await handle.close();
  }
}

/** File of the newest checkpoint, whole or damaged; null if there is none. Never throws. */
export async function newestCheckpoint(folder: string): Promise<string | null> {
  const [newest] = await list(folder).catch(() => []);
  return newest === undefined ? null : join(folder, newest);
}

/**
 * The newest checkpoint that is whole; a damaged newer one is skipped.
 * @param damaged is called with each file skipped. @returns null if there is none at all.
 * @throws UserError('run-invalid') if there are checkpoints and none is whole.
 */
export async function latestCheckpoint(
  folder: string,
  damaged: (file: string) => void = () => {},
): Promise<Checkpoint | null> {
  const names = await list(folder);
  for (const name of names) {
    try {
      return await readCheckpoint(join(folder, name));
    } catch {
      damaged(join(folder, name));
    }
  }
  if (names.length > 0) {
    throw new UserError('run-invalid', `${folder}: every checkpoint is damaged; start the plan anew`, { file: folder });
  }
  return null;
}

/**
 * Before a run continues from `file` (null: from its beginning): removes newer checkpoints, which are damaged, and files that a killed trainer left
 * incomplete.
 */
export async function tidyCheckpoints(folder: string, file: string | null): Promise<void> {
  const limit = file === null ? 0 : sequenceOf(basename(file));
  const names = await readdir(folder).catch(() => [] as string[]);
  for (const name of names) {
    if (sequenceOf(name) > limit || /^\..*\.tmp$/.test(name)) await unlink(join(folder, name)).catch(() => undefined);
  }
}
