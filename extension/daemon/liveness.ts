import type { WebSocket } from 'ws';

/** Asked this often (milliseconds), and taken for hung after this many questions without any sign of life. */
export interface Patience {
  interval: number;
  missed: number;
}

/**
 * Long enough for a daemon that is merely busy (it answers within milliseconds, heavy work is in other threads and
 * processes), short enough for a person who waits.
 */
export const PATIENCE: Patience = { interval: 2000, missed: 4 };

/**
 * Calls `onSilent` once when the other end has stopped answering: a process that is stopped or hung keeps its connection
 * open, and would be waited for for ever. Counts unanswered pings rather than time, so that a computer that slept, or an
 * extension host that was busy, is not the daemon's fault.
 */
export function watchAnswers(socket: WebSocket, onSilent: () => void, { interval, missed }: Patience = PATIENCE): void {
  let unanswered = 0;
  const heard = () => (unanswered = 0);
  socket.on('message', heard).on('pong', heard).on('ping', heard);
  const timer = setInterval(() => {
    if (unanswered >= missed) {
      clearInterval(timer);
      onSilent();
      return;
    }
    unanswered++;
    socket.ping();
  }, interval);
  timer.unref();
  socket.once('close', () => clearInterval(timer));
}
