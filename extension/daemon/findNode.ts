import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { LaunchError } from './launchError.js';

/** How to start plain Node: the program and the environment it needs. */
export interface NodeCommand {
  command: string;
  env: Record<string, string>;
  /** For the log and the Engine view. */
  origin: 'setting' | 'PATH' | 'editor';
}

/** The oldest Node the daemon runs on (package.json, engines.node). */
const OLDEST: readonly [number, number] = [20, 19];

/** "v22.1.0" -> [22, 1], or null. */
export function parseVersion(text: string): [number, number] | null {
  const match = /^v(\d+)\.(\d+)\./.exec(text.trim());
  return match ? [Number(match[1]), Number(match[2])] : null;
}

const newEnough = ([major, minor]: [number, number]): boolean =>
  major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]);

/** Asks a Node for its version; rejects if it does not start. */
export const askVersion = async (command: string): Promise<string> =>
  (await promisify(execFile)(command, ['--version'], { timeout: 5000, windowsHide: true })).stdout;

export interface Surroundings {
  /** Setting lcPrune.nodePath; empty when not set. */
  setting: string;
  /** The editor's own executable, and whether it is Electron (a remote extension host is plain Node). */
  execPath: string;
  electron: boolean;
  path: string;
  version: (command: string) => Promise<string>;
}

/**
 * The Node to run the daemon with: the setting's, else `node` on PATH, else the editor's own.
 * @throws LaunchError if the setting names something that is not a usable Node; an unusable `node` on PATH is only skipped.
 */
export async function findNode({ setting, execPath, electron, path, version }: Surroundings): Promise<NodeCommand> {
  if (setting) {
    let text;
    try {
      text = await version(setting);
    } catch (error) {
      throw new LaunchError(
        'bad-node',
        `"${setting}" (setting lcPrune.nodePath) does not start: ${(error as Error).message.split('\n')[0]}`,
      );
    }
    const found = parseVersion(text);
    if (!found) throw new LaunchError('bad-node', `"${setting}" (setting lcPrune.nodePath) is not Node.js.`);
    if (!newEnough(found))
      throw new LaunchError(
        'bad-node',
        `"${setting}" (setting lcPrune.nodePath) is Node ${text.trim()}; LC Prune needs ${OLDEST.join('.')} or newer.`,
      );
    return { command: setting, env: {}, origin: 'setting' };
  }
  if (path) {
    const found = await version('node').then(parseVersion, () => null);
    if (found && newEnough(found)) return { command: 'node', env: {}, origin: 'PATH' };
  }
  return { command: execPath, env: electron ? { ELECTRON_RUN_AS_NODE: '1' } : {}, origin: 'editor' };
}
