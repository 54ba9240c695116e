/** Walks through a folder to find possible data. It reads names only, and its extent is bounded. */
import type { Dirent } from 'node:fs';
import { opendir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isCifar100Folder } from '../../data/builtin/cifar100.js';
import { isCifarBinaryFolder } from '../../data/builtin/cifar10.js';
import { findPairs } from '../../data/files/idxFolder.js';
import { IMAGE_NAME, TRAIN_FOLDERS } from '../../data/images/imageFolder.js';
import { isInside } from '../../files/workspacePath.js';
import { count } from '../../protocol/format.js';

/** A file of a format that is read, or a folder that is one data set; absolute. */
export interface Found {
  readonly path: string;
  readonly kind: 'file' | 'images';
}

export interface Walk {
  readonly found: readonly Found[];
  /** Why the walk ended early; null if it is complete. */
  readonly stopped: string | null;
}

export interface WalkLimits {
  /** Most names of files and folders that are read. */
  readonly names: number;
  /** Most names of one folder: a larger one is a data set of images, which a few of them identify. */
  readonly namesOfFolder: number;
  readonly folders: number;
  /** Depth of folders below the one that is searched. */
  readonly depth: number;
  readonly milliseconds: number;
}

export const WALK_LIMITS: WalkLimits = {
  names: 50_000,
  namesOfFolder: 3_000,
  folders: 3_000,
  depth: 6,
  milliseconds: 3_000,
};

const DATA_FILE = /\.((csv|tsv)(\.gz)?|npz|npy|parquet)$/i;
/** A shard of a table, named as on Hugging Face's hub: its files are a single table. */
const SHARD = /-\d{5}-of-\d{5}.*\.parquet$/i;
/** Files that tools write beside the data. */
const LEFT_OUT = /^(\..*|node_modules|__pycache__|__MACOSX|venv|env|site-packages)$/i;

/** The entries of a folder. */
interface Seen {
  readonly path: string;
  readonly images: boolean;
}

/** The kind of a link's target, if it stays in the workspace; null if it does not, or is missing. */
async function behindLink(path: string, workspace: string): Promise<'file' | 'folder' | null> {
  const real = await realpath(path).catch(() => null);
  if (real === null || !isInside(workspace, real)) return null;
  const info = await stat(real).catch(() => null);
  return info?.isDirectory() ? 'folder' : info?.isFile() ? 'file' : null;
}

/**
 * Walks through a folder and those below it, the nearest first.
 * @param folder absolute, in the workspace. @param workspace real path that no link may leave.
 * @param signal ends the walk early, with what was found until then.
 */
export async function walkForData(
  folder: string,
  workspace: string,
  { signal, limits = WALK_LIMITS }: { signal?: AbortSignal; limits?: WalkLimits } = {},
): Promise<Walk> {
  const end = performance.now() + limits.milliseconds;
  const found: Found[] = [];
  const seen: Seen[] = [];
  const visited = new Set<string>();
  const queue = [{ path: folder, depth: 0 }];
  let names = 0;
  let stopped: string | null = null;
  while (queue.length > 0 && stopped === null) {
    const { path, depth } = queue.shift()!;
    const real = await realpath(path).catch(() => null);
    if (real === null || visited.has(real)) continue;
    visited.add(real);
    const files: string[] = [];
    let images = false;
    let here = 0;
    // A folder without read permission is skipped.
    for await (const entry of membersOf(path)) {
      names++;
      if (++here > limits.namesOfFolder) break;
      if (LEFT_OUT.test(entry.name)) continue;
      const member = join(path, entry.name);
      const kind = entry.isSymbolicLink()
        ? await behindLink(member, workspace)
        : entry.isDirectory()
          ? 'folder'
          : entry.isFile()
            ? 'file'
            : null;
      if (kind === 'folder' && depth < limits.depth) queue.push({ path: member, depth: depth + 1 });
      if (kind === 'file') {
        files.push(entry.name);
        images ||= IMAGE_NAME.test(entry.name);
      }
    }
    seen.push({ path, images });
    found.push(...setsIn(path, files));
    stopped = whyStopped(signal, names, visited.size, end, limits);
  }
  if (queue.length === 0) stopped = null;
  return { found: [...found, ...imageFolders(seen)], stopped };
}

async function* membersOf(path: string): AsyncGenerator<Dirent> {
  const folder = await opendir(path).catch(() => null);
  if (folder) yield* folder;
}

function whyStopped(
  signal: AbortSignal | undefined,
  names: number,
  folders: number,
  end: number,
  limits: WalkLimits,
): string | null {
  if (signal?.aborted) return 'the search was given up';
  if (names > limits.names) return `the folder has more than ${count(limits.names)} files`;
  if (folders >= limits.folders) return `the folder has more than ${count(limits.folders)} folders`;
  return performance.now() > end ? `looking took more than ${limits.milliseconds / 1000} s` : null;
}

/** The data sets that the files of one folder form: each file by itself, or the folder. */
function setsIn(folder: string, files: readonly string[]): Found[] {
  const file = (path: string): Found => ({ path, kind: 'file' });
  if (isCifarBinaryFolder(files) || isCifar100Folder(files) || findPairs(files).length > 0) return [file(folder)];
  const shards = files.some((name) => SHARD.test(name));
  const single = files.filter((name) => DATA_FILE.test(name) && !SHARD.test(name)).sort();
  return [...(shards ? [file(folder)] : []), ...single.map((name) => file(join(folder, name)))];
}

/** Folders whose folders hold images: one per class. If they are named "train" and the like, the folder around them is the data set. */
function imageFolders(seen: readonly Seen[]): Found[] {
  const classes = new Map<string, number>();
  for (const { path, images } of seen) if (images) classes.set(dirname(path), (classes.get(dirname(path)) ?? 0) + 1);
  const known = new Set(seen.map(({ path }) => path));
  const roots = [...classes].filter(([path, count]) => count >= 2 && known.has(path)).map(([path]) => path);
  const isTrain = (path: string) => TRAIN_FOLDERS.includes(basename(path).toLowerCase());
  const around = new Set(
    roots.filter((path) => isTrain(path) && known.has(dirname(path))).map((path) => dirname(path)),
  );
  return [...around, ...roots.filter((path) => !around.has(dirname(path)))].map((path) => ({ path, kind: 'images' }));
}
