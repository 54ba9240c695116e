/** What a connection may touch: the folders its client opened, and whether they are trusted. */
import { realpath, stat } from 'node:fs/promises';
import { dirname, isAbsolute } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isInside, resolveInside } from '../model/workspacePath.js';
import { UserError } from '../protocol/errors.js';

/** The workspace is in Restricted Mode. */
export class NotTrustedError extends Error {
  override readonly name = 'NotTrustedError';
}

/** A file inside a workspace folder; both absolute and real (no links left). */
export interface Contained {
  readonly folder: string;
  readonly path: string;
}

export class Workspace {
  #uris: readonly string[] = [];
  #folders: readonly string[] = [];
  trusted = false;

  get folders(): readonly string[] {
    return this.#folders;
  }

  /** Folders on this machine's file system that exist; other URIs are ignored. */
  async open(uris: readonly string[]): Promise<void> {
    this.#uris = uris;
    const folders = await Promise.all(uris.map(folderOf));
    this.#folders = [...new Set(folders.filter((folder) => folder !== null))];
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
    for (const folder of [...this.#folders].sort((a, b) => b.length - a.length)) {
      try {
        return { folder, path: await resolveInside(folder, folder, path) };
      } catch (error) {
        refusal = error;
      }
    }
    throw refusal;
  }

  /** Whether a real path lies inside any folder. */
  holds(path: string): boolean {
    return this.#folders.some((folder) => isInside(folder, path));
  }
}

async function folderOf(uri: string): Promise<string | null> {
  try {
    const folder = await realpath(fileURLToPath(uri));
    // A root folder would make every path of the machine "inside".
    return (await stat(folder)).isDirectory() && dirname(folder) !== folder ? folder : null;
  } catch {
    return null;
  }
}
