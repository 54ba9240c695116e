/**
 * A request to a trainer from a process that did not start it: a file in the run's folder. The trainer removes it and acts on it. The effect is in
 * the log; the answer to a budget, which may be rejected, is in a file beside it.
 */
import { readFile, rm } from 'node:fs/promises';
import * as z from 'zod';
import { writeFileAtomic } from '../../files/atomicWrite.js';
import type { ErrorCode } from '../../protocol/errors.js';
import { Budget } from '../../protocol/plan.js';
import type { SentError, TrainerRequest } from './ipc.js';
import type { RunPaths } from './runFolder.js';
import { LIMITS } from '../limits.js';

/** A later version may add fields; unknown ones are ignored. */
const Request = z.discriminatedUnion('type', [
  z.object({ type: z.literal('pause') }),
  z.object({ type: z.literal('resume') }),
  z.object({ type: z.literal('stop'), reason: z.enum(['user', 'shutdown']).default('user') }),
  z.object({ type: z.literal('setBudget'), budget: Budget, id: z.string().min(1).max(100) }),
]);
export type FileRequest = z.input<typeof Request>;

const Answer = z.object({
  id: z.string(),
  error: z.object({ code: z.custom<ErrorCode>((code) => typeof code === 'string'), message: z.string() }).nullable(),
});
type Files = Pick<RunPaths, 'request' | 'answer'>;

/** One request at a time: a later one takes the place of one that the trainer has not seen yet. @throws UserError('disk'). */
export const putRequest = ({ request }: Files, what: FileRequest): Promise<void> =>
  writeFileAtomic(request, JSON.stringify(what));

/** Withdraws a request that was not answered, or was meant for a trainer that is gone. */
export async function dropRequest({ request, answer }: Files): Promise<void> {
  await rm(request, { force: true });
  await rm(answer, { force: true });
}

/** The trainer's answer to the request of this id; undefined: none yet; `error` null: done. */
export async function answerOf({ answer }: Files, id: string): Promise<{ error: SentError | null } | undefined> {
  const found = Answer.safeParse(parseJson(await readFile(answer, 'utf8').catch(() => null)));
  return found.success && found.data.id === id ? { error: found.data.error } : undefined;
}

function parseJson(text: string | null): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
}

/** Checks for requests twice a second for as long as the process lives. @param serve acts on it; rejects with the error to answer. */
export function watchRequests(
  { request, answer }: Files,
  serve: (request: TrainerRequest) => Promise<void>,
  errorOf: (error: unknown) => SentError,
): void {
  const take = async () => {
    const text = await readFile(request, 'utf8').catch(() => null);
    if (text === null) return;
    await rm(request, { force: true });
    const { data } = Request.safeParse(parseJson(text));
    if (!data) return;
    // Not awaited: a pause takes as long as its checkpoint, and a stop must not wait for it.
    const done = serve(data).then(
      () => null,
      (error: unknown) => errorOf(error),
    );
    // A run that has ended meanwhile need not answer.
    if ('id' in data)
      void done
        .then((error) =>
          writeFileAtomic(answer, JSON.stringify({ id: data.id, error } satisfies z.infer<typeof Answer>)),
        )
        .catch(() => undefined);
  };
  const look = () =>
    void take()
      .catch(() => undefined)
      .finally(() => setTimeout(look, LIMITS.requestInterval).unref());
  look();
}
