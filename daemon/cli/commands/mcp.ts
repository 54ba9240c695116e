import { resolve } from 'node:path';
import { stringOption, type Command } from '../command.js';
import { version } from '../version.js';

export const mcp: Command = {
  name: 'mcp',
  positionals: '',
  summary: 'a Model Context Protocol server for assistants, on standard input and output',
  options: {
    root: {
      type: 'string',
      value: 'DIR',
      help: 'the folder it works in, which no path may leave; the same as --workspace',
    },
  },
  async run({ values }) {
    const folder = resolve(stringOption(values, 'root') ?? stringOption(values, 'workspace') ?? '.');
    // Loaded here, because no other command needs the protocol.
    const { serveMcp } = await import('../../mcp/serve.js');
    await serveMcp(folder, version());
    return 0;
  },
};
