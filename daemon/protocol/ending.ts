/** How a trainer ended that could not report it itself, and the record of runs that continued after a crash. */
import * as z from 'zod';

/**
 * Written by the supervisor of a trainer that a signal (or an operating system's error code) has ended. `crash`: the engine's own fault; `memory`:
 * the system ended it, possibly for lack of memory; `killed`: a user or a program ended it.
 */
export const Ending = z.object({
  how: z.string().describe('"SIGSEGV", "exit code 0xC0000005 (access violation)".'),
  cause: z.enum(['crash', 'memory', 'killed']),
  engine: z.string().describe('The engine it trained on, or was to.'),
  checkpoint: z
    .string()
    .nullable()
    .describe('File of the newest checkpoint; null: the run goes on from its beginning.'),
  next: z.string().nullable().describe('After a crash: the next engine here that opens the model.'),
});
export type Ending = z.infer<typeof Ending>;

/** A change of engine, or a crash after which the run continued: both are part of the result's record. */
export const Continuation = z.object({
  from: z.string().describe('Engine before.'),
  to: z.string().describe('Engine after; the same where the run went on with it after a crash.'),
  phase: z.string().nullable().describe('Where the checkpoint was; null: the run went on from its beginning.'),
  iteration: z.number().describe('Of that phase, from 0.'),
  endings: z.array(z.object({ engine: z.string(), how: z.string() })).describe('Why: the trainers that had crashed.'),
  message: z.string().describe('All of it in one sentence.'),
});
export type Continuation = z.infer<typeof Continuation>;

/** The place in a run at which something happened, in words. @param iteration from 0. */
export function placeInRun(phase: string | null, iteration = 0): string {
  switch (phase) {
    case 'reference':
      return 'in the training of the reference';
    case 'direct':
      return 'in direct compression';
    case 'l-step':
    case 'c-step':
      return `at iteration ${iteration + 1}`;
    case 'prune':
      return `at pruning step ${iteration + 1}`;
    case 'retrain':
      return 'in retraining';
    case 'export':
      return 'while it wrote the result';
    default:
      return 'before training began';
  }
}
