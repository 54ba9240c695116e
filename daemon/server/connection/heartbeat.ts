import type { WebSocket } from 'ws';
import { LIMITS } from '../limits.js';

/** Sends pings, and closes a connection that has been silent for `LIMITS.silence` (a half-open socket, a stopped process). */
export function watchHeartbeat(socket: WebSocket, onDead: () => void): void {
  let heard = performance.now();
  const alive = () => {
    heard = performance.now();
  };
  socket.on('message', alive).on('pong', alive).on('ping', alive);
  const timer = setInterval(() => {
    if (performance.now() - heard > LIMITS.silence) {
      onDead();
      socket.terminate();
    } else socket.ping();
  }, LIMITS.pingInterval);
  timer.unref();
  socket.once('close', () => clearInterval(timer));
}
