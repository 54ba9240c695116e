/**
 * Where a process runs, as far as process ids go. An id means something only on one machine, from one start of it to the next, and inside one
 * namespace of ids: a container beside its host, or on the host's name, has ids of its own.
 */
import { execFile } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { hostname, uptime } from 'node:os';
import { promisify } from 'node:util';
import * as z from 'zod';

/** Fields are absent where the system, or an earlier version of this product, does not report them. */
export const Place = z.object({
  host: z
    .string()
    .regex(/^\P{Cc}{1,255}$/u)
    .optional(),
  /** Identifies the start of the machine; see random(4), `/proc/sys/kernel/random/boot_id`. */
  boot: z
    .string()
    .regex(/^[\w-]{1,64}$/)
    .optional(),
  /** The namespace of process ids; see namespaces(7), `/proc/self/ns/pid`. */
  ids: z
    .string()
    .regex(/^[\w:[\]]{1,64}$/)
    .optional(),
});
export type Place = z.infer<typeof Place>;

/** What the system says; undefined where it has no such thing. */
function reported(read: () => string): string | undefined {
  try {
    return read().trim();
  } catch {
    return undefined;
  }
}

function findHere(): Place {
  const boot = reported(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8'));
  const ids = reported(() => readlinkSync('/proc/self/ns/pid'));
  return { host: hostname(), ...(boot && { boot }), ...(ids && { ids }) };
}

let found: Place | null = null;

/** The place of this process. */
export const here = (): Place => (found ??= findHere());

/** Whether ids of that place can be looked up from here. A field that is absent on either side decides nothing. */
export const isHere = (place: Place): boolean =>
  (['host', 'boot', 'ids'] as const).every(
    (field) => place[field] === undefined || here()[field] === undefined || place[field] === here()[field],
  );

/** When this machine was started, in milliseconds since 1970. */
export const startOfMachine = (): number => Date.now() - uptime() * 1000;

/** "", " on n7", " in another container of n7": where that place is, seen from here. */
export function placeText(place: Place): string {
  if (isHere(place)) return '';
  const own = here();
  if (place.host !== own.host) return ` on ${place.host ?? 'another machine'}`;
  const isSameStart = place.boot === undefined || place.boot === own.boot;
  return isSameStart ? ` in another container of ${own.host}` : ` on another ${own.host}, or before it was restarted`;
}

interface Process {
  /** Its start time, in the system's unit; null if the system does not report it. */
  readonly started: string | null;
}

/** A process of this place; null if there is none of this id, or only a zombie. */
export async function processOf(pid: number): Promise<Process | null> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return null;
  }
  try {
    if (process.platform === 'linux') {
      const text = await readFile(`/proc/${pid}/stat`, 'utf8');
      // The name in parentheses may hold spaces and parentheses; the state is field 3, the start time field 22.
      const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
      return 'ZX'.includes(fields[0]!) ? null : { started: fields[19] ?? null };
    }
    if (process.platform === 'win32') return { started: null };
    const { stdout } = await promisify(execFile)('ps', ['-o', 'lstart=', '-p', String(pid)]);
    return { started: stdout.trim() || null };
  } catch {
    return { started: null };
  }
}
