/**
 * Everything that talks to the daemon: the language client, the socket, the validators. It is a bundle of its own (dist/client.cjs) that loads with
 * the first daemon, so that it does not slow down the editor's start.
 */
export { launchDaemon } from './daemon/launch.js';
export { Session } from './daemon/session.js';
export { commandArguments } from '../daemon/protocol/commands.js';
export { issueText } from '../daemon/protocol/issueText.js';
export { RunOn } from '../daemon/protocol/runs/runOn.js';
