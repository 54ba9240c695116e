import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';
import util from 'node:util';

/** A package found in one of the folders where users install optional ones. */
export interface Peer {
  /** The folder it was resolved from. */
  readonly folder: string;
  readonly require: NodeJS.Require;
}

export type PeerSearch = { readonly peer: Peer } | { readonly missing: string };

/** Further folders, from the environment: the editor's setting and the extension's storage, or set by a terminal user. */
const installed = (): string[] => (process.env['LC_PRUNE_ENGINES'] ?? '').split(delimiter).filter(Boolean);

/**
 * Looks for an optional package without loading it.
 * @param folders to resolve from, best first; LC_PRUNE_ENGINES (a list like PATH) comes after them.
 */
export function findPeer(name: string, folders: readonly string[]): PeerSearch {
  for (const folder of [...folders, ...installed()]) {
    if (!existsSync(folder)) continue;
    const require = createRequire(join(folder, 'package.json'));
    try {
      require.resolve(name);
      return { peer: { folder, require } };
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code !== 'MODULE_NOT_FOUND')
        return { missing: `${name} in ${folder} cannot be resolved: ${firstLine(message)}` };
    }
  }
  return { missing: `${name} is not installed` };
}

/** tfjs-node 4.22 calls two functions that Node 23 removed from `util`. */
function restoreUtilFunctions(): void {
  const removed = util as unknown as Record<string, unknown>;
  removed['isNullOrUndefined'] ??= (value: unknown) => value === null || value === undefined;
  removed['isArray'] ??= Array.isArray;
}

const firstLine = (message: string): string => message.split('\n', 1)[0]!.trim();

/**
 * Loads tfjs-node or tfjs-node-gpu.
 *
 * @returns the package's exports: the whole of TensorFlow.js with the "tensorflow" backend active.
 * @throws Error with one clear line: a dependency of the package is missing, its binary was never downloaded (its
 * install script needs the internet), or the binary does not load (a CUDA library is missing).
 */
export function loadNodeBinding({ require, folder }: Peer, name: string): unknown {
  restoreUtilFunctions();
  try {
    return require(name);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (message.includes('tfjs_binding.node') && message.includes('can not be found')) {
      throw new Error(`${name} in ${folder} lacks its binary: run "npm rebuild ${name}" there, with internet access`, {
        cause: error,
      });
    }
    if (code === 'MODULE_NOT_FOUND') {
      throw new Error(`${name} in ${folder} is incomplete (${firstLine(message)}): install it again`, { cause: error });
    }
    throw new Error(`${name} in ${folder} does not load: ${firstLine(message)}`, { cause: error });
  }
}
