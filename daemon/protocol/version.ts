/** Constants that a daemon needs before it loads anything else. */

/** Bumped on any incompatible change; the hello line carries it. */
export const PROTOCOL_VERSION = 1;

/** The only path of the daemon's WebSocket; the token goes into `Authorization: Bearer <token>`. */
export const SOCKET_PATH = '/lcprune';
