import type { WebSocket } from 'ws';

/** Pings are sent this often (milliseconds); after this many without any answer the daemon counts as hung. */
export interface Patience {
  interval: number;
  missed: number;
}

/**
 * Long enough for a daemon that is merely busy (it answers within milliseconds; heavy work is in other threads and processes), short enough for a
 * user who waits.
 */
export const PATIENCE: Patience = { interval: 2000, missed: 4 };

/**
 * Calls `onSilent` once when the other end has stopped answering. A process that is stopped or hung keeps its connection open, so its client would
 * wait for ever. Unanswered pings are counted rather than time, so that a sleeping computer or a busy extension host is not taken for a hung daemon.
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
