/** The files that a connection may access: the folders its client opened, and whether they are trusted. */
import { realpath, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isInside, resolveInside } from '../files/workspacePath.js';
import { UserError } from '../protocol/errors.js';
import type { RunSummary } from '../protocol/messages.js';
import type { AbsolutePath } from '../protocol/paths.js';

/** The workspace is in Restricted Mode. */
export class NotTrustedError extends Error {
  override readonly name = 'NotTrustedError';
}

/** A file inside a workspace folder; both absolute and real (no links left). */
export interface Contained {
  readonly folder: string;
  readonly path: string;
}

/** A workspace folder: its real path, and the client's name for it, which may go through links. */
interface Folder {
  readonly real: string;
  readonly named: string;
}

export class Workspace {
  #uris: readonly string[] = [];
  #folders: readonly Folder[] = [];
  #opening: Promise<void> = Promise.resolve();
  trusted = false;

  /** Real paths. */
  get folders(): readonly string[] {
    return this.#folders.map(({ real }) => real);
  }

  /** Folders on this machine's file system that exist; other URIs are ignored. */
  open(uris: readonly string[]): Promise<void> {
    this.#uris = uris;
    const looked = Promise.all(uris.map(folderOf));
    // One after the other, in the order of the client's requests.
    this.#opening = this.#opening.then(async () => {
      const found = (await looked).filter((folder) => folder !== null);
      // The first name of a folder is its name.
      this.#folders = found.filter(({ real }, i) => found.findIndex((other) => other.real === real) === i);
    });
    return this.#opening;
  }

  /** Resolves when the folders are the client's latest list. */
  settled(): Promise<void> {
    return this.#opening;
  }

  async change({ added, removed }: { added: readonly string[]; removed: readonly string[] }): Promise<void> {
    await this.open([...this.#uris.filter((uri) => !removed.includes(uri)), ...added]);
  }

  /** @throws NotTrustedError */
  requireTrust(doing: string): void {
    if (!this.trusted) throw new NotTrustedError(`${doing} needs a trusted workspace; choose "Manage Workspace Trust"`);
  }

  /**
   * The real path of an absolute `path` and the folder it lies in (the innermost, where folders are nested).
   * @throws UserError('path-outside-workspace') for anything else, links out of the folder included.
   */
  async contain(path: string): Promise<Contained> {
    if (!isAbsolute(path)) {
      throw new UserError('path-outside-workspace', `"${path.slice(0, 200)}" is not an absolute path`, { file: path });
    }
    let refusal: unknown = new UserError(
      'path-outside-workspace',
      'no folder is open; open the folder of the model first',
    );
    for (const { real: folder } of this.#innermostFirst()) {
      try {
        return { folder, path: await resolveInside(folder, folder, path) };
      } catch (error) {
        refusal = error;
      }
    }
    throw refusal;
  }

  /** A real path as the client names it: below a workspace folder by the client's name of the folder. */
  asNamed(path: string): AbsolutePath {
    const folder = this.#innermostFirst().find(({ real }) => isInside(real, path));
    return (folder ? join(folder.named, relative(folder.real, path)) : path) as AbsolutePath;
  }

  /** The same for the paths in a run's summary. */
  runAsNamed(summary: RunSummary): RunSummary {
    return { ...summary, workspace: this.asNamed(summary.workspace), folder: this.asNamed(summary.folder) };
  }

  /** The run of a folder's path, by the client's name of its workspace folder or by the real one; null: none. */
  runAt(path: string): { workspace: string; run: string } | null {
    const run = basename(path);
    const folder = this.#folders.find((one) =>
      [one.named, one.real].some((root) => relative(join(root, '.lcprune', 'runs', run), path) === ''),
    );
    return folder ? { workspace: folder.real, run } : null;
  }

  /** The folder of a run of one of the folders, as the client names it. */
  runFolderAsNamed(folder: string, run: string): AbsolutePath {
    return this.asNamed(join(folder, '.lcprune', 'runs', run));
  }

  /** Whether a real path lies inside any folder. */
  holds(path: string): boolean {
    return this.#folders.some(({ real }) => isInside(real, path));
  }

  #innermostFirst(): Folder[] {
    return [...this.#folders].sort((a, b) => b.real.length - a.real.length);
  }
}

async function folderOf(uri: string): Promise<Folder | null> {
  try {
    const named = resolve(fileURLToPath(uri));
    const real = await realpath(named);
    // A root folder would make every path of the machine "inside".
    return (await stat(real)).isDirectory() && dirname(real) !== real ? { real, named } : null;
  } catch {
    return null;
  }
}
