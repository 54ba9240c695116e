/**
 * What a process asks of a trainer that it did not start: a file in the run's folder. The trainer takes it away and does it;
 * what came of it is in the log.
 */
import { readFile, rm } from 'node:fs/promises';
import { z } from 'zod';
import { writeFileAtomic } from '../model/atomicWrite.js';

const Request = z.strictObject({ type: z.enum(['pause', 'resume', 'stop']) });
export type RequestType = z.infer<typeof Request>['type'];

const LOOK_MS = 500;

/** One request at a time: a later one takes the place of one that the trainer has not seen yet. @throws UserError('disk'). */
export const putRequest = (file: string, type: RequestType): Promise<void> =>
  writeFileAtomic(file, JSON.stringify({ type } satisfies z.infer<typeof Request>));

/** Takes back what nobody has answered, or what was meant for a trainer that is gone. */
export const dropRequest = (file: string): Promise<void> => rm(file, { force: true });

/** @returns the request that waits; null: none, or nothing that can be read. */
async function takeRequest(file: string): Promise<RequestType | null> {
  const text = await readFile(file, 'utf8').catch(() => null);
  if (text === null) return null;
  await dropRequest(file);
  try {
    return Request.parse(JSON.parse(text)).type;
  } catch {
    return null;
  }
}

/** Looks for requests twice a second for as long as the process lives. */
export function watchRequests(file: string, onRequest: (type: RequestType) => void): void {
  const look = () => {
    takeRequest(file)
      .then((type) => type !== null && onRequest(type))
      .catch(() => undefined)
      .finally(() => setTimeout(look, LOOK_MS).unref());
  };
  look();
}
