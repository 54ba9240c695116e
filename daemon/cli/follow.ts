/** Runs in the foreground: shows the events; Ctrl-C writes a checkpoint and prints the command that resumes. */
import type { RunEvent } from '../protocol/events.js';
import { UserError } from '../protocol/errors.js';
import type { RunHandle } from '../runs/supervisor.js';
import { TrainerEnded } from '../runs/ending.js';
import { resumeCommand } from './resumeCommand.js';
import { createRunView } from './runView.js';
import type { Terminal } from './terminal.js';

export type Done = Extract<RunEvent, { event: 'done' }>;

/**
 * @returns the run's `done` event, or null when the user interrupted it.
 * @throws UserError when it failed, TrainerEnded when a signal ended its trainer.
 */
export async function follow(handle: RunHandle, terminal: Terminal): Promise<Done | null> {
  const view = createRunView(terminal);
  const stopListening = handle.onEvent((event) => {
    view(event);
    if (event.event !== 'done') terminal.emit(event);
  });
  let interrupted = false;
  const interrupt = () => {
    // A second Ctrl-C does not wait for the checkpoint; the previous one is on disk.
    if (interrupted) process.exit(130);
    interrupted = true;
    terminal.status('');
    terminal.note('stopping: writing a checkpoint (Ctrl-C again to leave without it)');
    void handle.stop('interrupted');
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  try {
    return doneOrThrow(await handle.done, handle.folder, terminal);
  } finally {
    stopListening();
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
  }
}

/**
 * @param last event of the run in this folder. @returns its `done` event; null: it was stopped, and the way on is printed.
 * @throws UserError when it failed, TrainerEnded when a signal ended its trainer.
 */
export function doneOrThrow(last: RunEvent, folder: string, terminal: Terminal): Done | null {
  if (last.event === 'done') return last;
  if (last.event === 'failed' && last.ending) throw new TrainerEnded(last.message, folder, last.ending);
  if (last.event === 'failed') throw new UserError(last.code as UserError['code'], last.message, { file: folder });
  terminal.note(`stopped; continue with: ${resumeCommand(folder)}`);
  return null;
}
