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
    const end = await handle.done;
    if (end.event === 'done') return end;
    if (end.event === 'failed' && end.ending) throw new TrainerEnded(end.message, handle.folder, end.ending);
    if (end.event === 'failed')
      throw new UserError(end.code as UserError['code'], end.message, { file: handle.folder });
    terminal.note(`stopped; continue with: ${resumeCommand(handle.folder)}`);
    return null;
  } finally {
    stopListening();
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
  }
}
