/** Probing engines loads native libraries, which may crash: a child does it, and the daemon stays small. */
import { execFile } from 'node:child_process';
import type { EngineProbe } from '../engine/engine.js';
import { UserError } from '../protocol/errors.js';

export interface Probes {
  readonly probes: EngineProbe[];
  /** Id of the engine that "auto" tries first, or null when none works. */
  readonly chosen: string | null;
}

/** The first argument with which the daemon's own bundle is the probing child; folders follow. */
export const PROBE_ARGUMENT = '--probe-engines';
const TIMEOUT = 60_000;

/** @param folders where optional packages of engines are looked for, best first. */
export function probeInChild(folders: readonly string[]): Promise<Probes> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      process.execPath,
      [process.argv[1]!, PROBE_ARGUMENT, ...folders],
      { timeout: TIMEOUT, maxBuffer: 1 << 20, windowsHide: true },
      (error, stdout, stderr) => {
        // Native libraries print what they like; the answer is the last line.
        const line = stdout.trimEnd().split('\n').at(-1) ?? '';
        try {
          resolve(JSON.parse(line) as Probes);
        } catch {
          const cause = stderr.trim().split('\n').at(-1) || error?.message || 'no answer';
          reject(new UserError('engine-unavailable', `engines could not be probed: ${cause}`));
        }
      },
    );
    child.stdin?.end();
  });
}

/** The child's side. */
export async function printProbes(folders: readonly string[]): Promise<void> {
  const { probeEngines } = await import('../engine/registry.js');
  // In the order of "auto".
  const probes = await probeEngines(folders.length > 0 ? { folders } : {});
  const chosen = probes.find((probe) => probe.available)?.id ?? null;
  process.stdout.write(`${JSON.stringify({ probes, chosen } satisfies Probes)}\n`);
}
