/** Finds and reads the files that a manifest names, inside the workspace only, and of exactly the manifest's size. */
import { open, readdir, stat } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { UserError } from '../../protocol/errors.js';
import { whatElse } from '../../files/jsonText.js';
import { groupBytes, type ManifestGroup } from './manifest.js';
import type { Notes } from '../notes.js';
import { resolveInside } from '../../files/workspacePath.js';

/** Called with the real path of a file before it is checked or read, even if it is missing. */
export type OnFile = (path: string) => void;

interface Shard {
  /** Its name in the manifest. */
  readonly name: string;
  readonly path: string;
  readonly size: number;
}

const fileSize = async (path: string): Promise<number | null> => {
  const info = await stat(path).catch(() => null);
  return info?.isFile() ? info.size : null;
};

/** The last segment of a path of either kind of slash, without a URL's query. */
const plainName = (path: string): string => basename(path.replaceAll('\\', '/').replace(/[?#].*$/, ''));

/** Alternative names of a shard beside the JSON: downloads add and drop extensions, and a renamed JSON no longer matches its shard. */
function candidates(path: string, json: string, alone: boolean): string[] {
  const name = plainName(path);
  const stem = basename(json, extname(json));
  const same = [name, `${name}.bin`, ...(name.endsWith('.bin') ? [name.slice(0, -4)] : [])];
  return [...same, ...(alone ? [`${stem}.bin`, `${stem}.weights.bin`] : [])];
}

/** The one file beside the JSON of exactly this size; null if there is none, or several. */
async function onlyFileOfSize(folder: string, bytes: number, not: string): Promise<string | null> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const matching: string[] = [];
  for (const entry of entries.slice(0, 10_000)) {
    if (entry.isFile() && entry.name !== not && (await fileSize(join(folder, entry.name))) === bytes)
      matching.push(entry.name);
  }
  return matching.length === 1 ? matching[0]! : null;
}

async function locate(
  group: ManifestGroup,
  name: string,
  json: string,
  { workspace, notes, onFile }: { workspace: string; notes: Notes; onFile: OnFile },
): Promise<Shard> {
  const folder = dirname(json);
  let refused: unknown;
  try {
    const path = await resolveInside(workspace, folder, name);
    onFile(path);
    const size = await fileSize(path);
    if (size !== null) return { name, path, size };
  } catch (error) {
    refused = error;
  }
  const alone = group.paths.length === 1;
  const others = candidates(name, json, alone);
  const bySize = alone ? await onlyFileOfSize(folder, groupBytes(group), basename(json)) : null;
  for (const other of bySize === null ? others : [...others, bySize]) {
    // The file beside the JSON may itself be a link; it must stay inside as well.
    const path = await resolveInside(workspace, folder, other).catch(() => null);
    if (path !== null) onFile(path);
    const size = path === null ? null : await fileSize(path);
    if (path === null || size === null) continue;
    notes.add(
      `the weights were not where the manifest says ("${name.slice(0, 100)}"); "${other}" beside the model was read`,
    );
    return { name, path, size };
  }
  if (refused !== undefined) throw refused;
  throw new UserError(
    'model-missing',
    `${json}: the weights file "${name.slice(0, 200)}" is missing; put it beside the model, or save the model again`,
    { file: name },
  );
}

/** The size of every shard but the last: TensorFlow.js's 4 MB if that fits the number of shards, else the most frequent. */
function fullShard(shards: readonly Shard[], expected: number): number {
  const standard = 4 * 1024 * 1024;
  if (shards.length === Math.ceil(expected / standard)) return standard;
  const sizes = shards.slice(0, -1).map((shard) => shard.size);
  const count = (size: number): number => sizes.filter((other) => other === size).length;
  return sizes.reduce((best, size) => (count(size) > count(best) ? size : best), sizes[0] ?? 0);
}

/** Finds the faulty shard of a group of the wrong size. Programs fill all shards but the last to the same size. */
async function sizeError(shards: readonly Shard[], expected: number, json: string): Promise<UserError> {
  const full = fullShard(shards, expected);
  const should = (i: number): number => (i < shards.length - 1 ? full : expected - full * (shards.length - 1));
  const guilty = shards.find((shard, i) => shard.size !== should(i)) ?? shards.at(-1)!;
  const wanted = should(shards.indexOf(guilty));
  const handle = await open(guilty.path, 'r');
  let why: string | null;
  try {
    const head = Buffer.alloc(256);
    const { bytesRead } = await handle.read(head, 0, 256, 0);
    why = whatElse(head.subarray(0, bytesRead));
  } finally {
    await handle.close();
  }
  const total = shards.reduce((sum, shard) => sum + shard.size, 0);
  const problem =
    why ??
    `is ${guilty.size} bytes where the manifest of ${basename(json)} needs ${wanted}: it is too ${total < expected ? 'short' : 'long'}; copy or download it again`;
  return new UserError('model-invalid', `${guilty.path} ${problem}`, { file: guilty.path });
}

/**
 * The bytes of one group, in one buffer.
 * @param json absolute path of the model.json.
 * @throws UserError('model-missing' | 'model-invalid' | 'path-outside-workspace') naming the shard.
 */
export async function readGroup(
  group: ManifestGroup,
  json: string,
  reading: { workspace: string; notes: Notes; onFile: OnFile },
): Promise<Uint8Array> {
  const expected = groupBytes(group);
  const shards: Shard[] = [];
  for (const name of group.paths) shards.push(await locate(group, name, json, reading));
  const total = shards.reduce((sum, shard) => sum + shard.size, 0);
  if (total !== expected) {
    if (shards.length > 0) throw await sizeError(shards, expected, json);
    throw new UserError(
      'model-invalid',
      `${json}: the manifest lists weights but no file for them; save the model again`,
      { file: json },
    );
  }
  const bytes = new Uint8Array(expected);
  let offset = 0;
  for (const shard of shards) {
    const handle = await open(shard.path, 'r').catch((error: NodeJS.ErrnoException) => {
      throw new UserError('model-missing', `${shard.path} cannot be read: ${error.code ?? error.message}`, {
        file: shard.path,
      });
    });
    try {
      for (let done = 0; done < shard.size;) {
        const { bytesRead } = await handle.read(bytes, offset + done, shard.size - done, done);
        if (bytesRead === 0)
          throw new UserError('model-invalid', `${shard.path} became shorter while it was read; try again`, {
            file: shard.path,
          });
        done += bytesRead;
      }
    } finally {
      await handle.close();
    }
    if (shard.size < 1024) {
      const why = whatElse(bytes.subarray(offset, offset + shard.size));
      if (why !== null) throw new UserError('model-invalid', `${shard.path} ${why}`, { file: shard.path });
    }
    offset += shard.size;
  }
  return bytes;
}
