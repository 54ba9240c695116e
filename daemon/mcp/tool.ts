/** One tool of the MCP server: arguments and result (zod), its function, and the form of its errors. */
import type { ToolAnnotations } from '@modelcontextprotocol/sdk/types.js';
import * as z from 'zod';
import { UserError } from '../protocol/errors.js';
import { issueText } from '../protocol/issueText.js';
import type { Root } from './root.js';

/** The request that a call came with. */
export interface Call {
  /** Aborted when the client cancels the request, or is gone. */
  readonly signal: AbortSignal;
  /** Reports progress to a client that has asked for it. @param done in [0, 1]; @param message one line. */
  progress(done: number, message: string): void;
}

interface Definition<I extends z.ZodObject, O extends z.ZodObject> {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly annotations: ToolAnnotations;
  readonly input: I;
  readonly output: O;
  run(args: z.infer<I>, root: Root, call: Call): Promise<z.input<O>>;
}

/** A tool with erased types: arguments and results are validated at run time. */
export interface Tool {
  readonly name: string;
  /** Its entry in `tools/list`. */
  readonly listed: {
    readonly name: string;
    readonly title: string;
    readonly description: string;
    readonly annotations: ToolAnnotations;
    readonly inputSchema: JsonSchema;
    readonly outputSchema: JsonSchema;
  };
  /** @throws UserError, also for invalid arguments. */
  call(args: unknown, root: Root, call: Call): Promise<Record<string, unknown>>;
}

type JsonSchema = { type: 'object'; [key: string]: unknown };

/** Clients validate with draft 7. */
const schemaOf = (type: z.ZodObject, io: 'input' | 'output'): JsonSchema => ({
  ...z.toJSONSchema(type, { target: 'draft-7', io }),
  type: 'object',
});

export function defineTool<I extends z.ZodObject, O extends z.ZodObject>(definition: Definition<I, O>): Tool {
  const { name, title, description, annotations, input, output, run } = definition;
  return {
    name,
    listed: {
      name,
      title,
      description,
      // It accesses this machine only.
      annotations: { openWorldHint: false, ...annotations },
      inputSchema: schemaOf(input, 'input'),
      outputSchema: schemaOf(output, 'output'),
    },
    async call(args, root, call) {
      const parsed = input.safeParse(args);
      if (!parsed.success) throw new UserError('usage', `${name}: ${issueText(parsed.error, args)}`);
      return output.parse(await run(parsed.data, root, call));
    },
  };
}

/** Annotations of a tool that changes nothing. */
export const READS: ToolAnnotations = { readOnlyHint: true, idempotentHint: true };

/** The first line of every answer. */
export const text = z.string().describe('The answer in words.');

export const filePath = (what: string) =>
  z.string().min(1).max(4096).describe(`${what}: a path relative to the root folder, or an absolute one inside it.`);

export const runName = z.string().min(1).max(200).describe('Name of the run, as list_runs and start_run give it.');
