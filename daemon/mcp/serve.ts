/** The life of the MCP server on standard input and output: serve, end with the client, leave checkpoints. */
import { Writable } from 'node:stream';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { backend } from '../server/backend.js';
import { logToStderr } from '../server/log.js';
import { Root } from './root.js';
import { createServer } from './server.js';

/** Standard output is for the protocol alone: other output (a library's note) goes to standard error. */
function claimStdout(): Writable {
  const { stdout, stderr } = process;
  const write = stdout.write.bind(stdout);
  stdout.write = stderr.write.bind(stderr) as typeof stdout.write;
  return new Writable({ decodeStrings: false, write: (chunk: string, encoding, done) => void write(chunk, encoding, done) }); // prettier-ignore
}

/**
 * Serves until the client closes standard input (or ends the process by a signal), then asks the trainers for a checkpoint.
 * @param folder the root: no path leaves it. @throws UserError if it is not a folder.
 */
export async function serveMcp(folder: string, version: string): Promise<void> {
  const output = claimStdout();
  // A bug in one request must not end the runs; it is logged.
  process.on('uncaughtException', (error) => logToStderr('error', `uncaught: ${error.stack ?? error.message}`));
  process.on('unhandledRejection', (reason) => logToStderr('error', `unhandled rejection: ${String(reason)}`));
  const root = await Root.open(folder, backend, logToStderr);
  const ended = new Promise<string>((resolve) => {
    process.stdin.once('end', () => resolve('stdin ended')).once('close', () => resolve('stdin closed'));
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve(signal));
  });
  const server = createServer(root, version);
  server.server.onerror = (error) => logToStderr('warn', `protocol: ${error.message}`);
  await server.connect(new StdioServerTransport(process.stdin, output));
  logToStderr('info', `lc-prune mcp serves ${root.folder}`);
  logToStderr('info', `${await ended}: checkpointing and ending`);
  await root.close();
  await server.close();
}
