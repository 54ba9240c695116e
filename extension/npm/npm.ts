/** Runs npm in a folder, for packages that the user has agreed to install there. */
import { execFile, spawn } from 'node:child_process';
import { mkdir, realpath, stat, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import type { NodeCommand } from '../daemon/findNode.js';
import { npmReason } from './npmReason.js';

const isFile = (path: string): Promise<boolean> =>
  stat(path).then(
    (entry) => entry.isFile(),
    () => false,
  );

/**
 * npm's own script, so that it runs without a shell on every system: the one beside `node`, else the one on PATH.
 * @throws Error with the way out if there is none.
 */
export async function findNpm(node: NodeCommand, path: string): Promise<string> {
  const { stdout } = await promisify(execFile)(node.command, ['-p', 'process.execPath'], {
    env: { ...process.env, ...node.env },
    windowsHide: true,
  });
  const folder = dirname(await realpath(stdout.trim()));
  const candidates = [
    join(folder, 'node_modules/npm/bin/npm-cli.js'),
    join(folder, '../lib/node_modules/npm/bin/npm-cli.js'),
    ...path.split(delimiter).flatMap((entry) => [join(entry, 'npm'), join(entry, 'node_modules/npm/bin/npm-cli.js')]),
  ];
  for (const candidate of candidates) {
    const real = await realpath(candidate).catch(() => null);
    if (real && /\.[cm]?js$/.test(real) && (await isFile(real))) return real;
  }
  throw new Error('npm was not found: install Node.js with npm, or name its node in the setting lcPrune.nodePath.');
}

export interface InstallOptions {
  node: NodeCommand;
  /** npm's script (findNpm). */
  npm: string;
  /** Created if it is missing. */
  folder: string;
  /** Names with versions. */
  packages: readonly string[];
  /** Whether the packages' install scripts run: an engine's fetches its native library; data packages need none. */
  scripts: boolean;
  signal: AbortSignal;
  onLine: (line: string) => void;
}

/** Lines of npm's output in which its reason is looked for. */
const KEPT_LINES = 200;

/**
 * Runs `npm install`.
 * @throws Error with npm's own reason if it fails; an AbortError if `signal` ends it.
 */
export async function installPackages({
  node,
  npm,
  folder,
  packages,
  scripts,
  signal,
  onLine,
}: InstallOptions): Promise<void> {
  await mkdir(folder, { recursive: true });
  const manifest = join(folder, 'package.json');
  if (!(await isFile(manifest))) {
    await writeFile(manifest, `${JSON.stringify({ private: true })}\n`);
    await writeFile(join(folder, '.gitignore'), '*\n');
  }
  const child = spawn(
    node.command,
    [npm, 'install', `--ignore-scripts=${!scripts}`, '--no-audit', '--no-fund', '--foreground-scripts', ...packages],
    {
      cwd: folder,
      env: { ...process.env, ...node.env },
      stdio: ['ignore', 'pipe', 'pipe'],
      windowsHide: true,
      // A process group of its own, so that the scripts that npm starts end with it.
      detached: process.platform !== 'win32',
    },
  );
  const abort = () => {
    if (child.pid === undefined) return;
    if (process.platform === 'win32')
      spawn('taskkill', ['/pid', String(child.pid), '/t', '/f'], { windowsHide: true }).on('error', () => child.kill());
    else process.kill(-child.pid, 'SIGTERM');
  };
  const last: string[] = [];
  for (const input of [child.stdout, child.stderr])
    createInterface({ input }).on('line', (line) => {
      if (line.trim() === '') return;
      onLine(line);
      last.push(line);
      if (last.length > KEPT_LINES) last.shift();
    });
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', resolve);
      if (signal.aborted) abort();
      else signal.addEventListener('abort', abort, { once: true });
    });
    signal.throwIfAborted();
    if (code !== 0) throw new Error(`npm could not install ${packages.join(' ')}: ${npmReason(last)}`);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
