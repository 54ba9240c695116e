/** The MCP server: tools and resources over one folder, on any transport. */
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import {
  CallToolRequestSchema,
  ErrorCode,
  ListResourcesRequestSchema,
  ListResourceTemplatesRequestSchema,
  ListToolsRequestSchema,
  McpError,
  ReadResourceRequestSchema,
  type CallToolResult,
} from '@modelcontextprotocol/sdk/types.js';
import { UserError } from '../protocol/errors.js';
import type { Log } from '../server/log.js';
import { listResources, readResource, templates } from './resources.js';
import type { Root } from './root.js';
import type { Call, Tool } from './tool.js';
import { compareRuns } from './tools/compare.js';
import { exportRun, listExports } from './tools/exports.js';
import { findData, inspectModel } from './tools/models.js';
import { checkPlan, createPlan, previewBudget } from './tools/plans.js';
import { listRuns, runStatus, stopRun } from './tools/runs.js';
import { resumeRun, startRun } from './tools/start.js';

export const TOOLS: readonly Tool[] = [
  inspectModel,
  findData,
  previewBudget,
  createPlan,
  checkPlan,
  startRun,
  runStatus,
  listRuns,
  stopRun,
  resumeRun,
  compareRuns,
  listExports,
  exportRun,
];

const INSTRUCTIONS = `LC Prune prunes a trained network to a budget (weights, bytes, FLOPs, neurons) by the Learning-Compression algorithm, on this machine.
The usual way: inspect_model, find_data, preview_budget, create_plan (or write NAME.prune.json and check_plan), start_run (twice: cost first, then with "confirm"), run_status with wait_seconds until it is done, compare_runs, list_export_formats, export_run.
Paths are relative to the root folder, and never leave it. Errors are shares (0.02 is 2%). A finding that is "unusable" means that the result must not be used as it is.`;

const failure = (message: string): CallToolResult => ({ isError: true, content: [{ type: 'text', text: message }] });

/** One sentence: an error that the user cannot correct is logged in full, and named here. */
function failureText(error: unknown, doing: string, log: Log): string {
  if (error instanceof UserError) return error.message;
  log('error', `${doing}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  const message = error instanceof Error ? error.message.split('\n')[0]! : 'unknown';
  return `internal error in ${doing}: ${message.slice(0, 300)}`;
}

export function createServer(root: Root, version: string): McpServer {
  const { log } = root.context;
  const mcp = new McpServer(
    { name: 'lc-prune', title: 'LC Prune', version },
    { capabilities: { tools: {}, resources: {} }, instructions: INSTRUCTIONS },
  );
  // The SDK's own validation reports errors in a validator's words. So tool calls are handled as plain requests, whose errors are sentences.
  const { server } = mcp;
  server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: TOOLS.map(({ listed }) => listed) }));
  server.setRequestHandler(CallToolRequestSchema, async ({ params }, extra): Promise<CallToolResult> => {
    const tool = TOOLS.find(({ name }) => name === params.name);
    if (!tool) throw new McpError(ErrorCode.InvalidParams, `there is no tool "${params.name.slice(0, 80)}"`);
    const progressToken = params._meta?.progressToken;
    const call: Call = {
      signal: extra.signal,
      progress(progress, message) {
        if (progressToken === undefined || extra.signal.aborted) return;
        const told = { progressToken, progress, total: 1, message };
        extra
          .sendNotification({ method: 'notifications/progress', params: told })
          .catch((error: unknown) => log('debug', `progress: ${String(error)}`));
      },
    };
    try {
      const structuredContent = await tool.call(params.arguments ?? {}, root, call);
      // Clients without structured content read the same as text.
      return { structuredContent, content: [{ type: 'text', text: JSON.stringify(structuredContent) }] };
    } catch (error) {
      return failure(failureText(error, params.name, log));
    }
  });
  server.setRequestHandler(ListResourcesRequestSchema, async () => ({ resources: await listResources(root) }));
  server.setRequestHandler(ListResourceTemplatesRequestSchema, () => ({ resourceTemplates: templates }));
  server.setRequestHandler(ReadResourceRequestSchema, async ({ params: { uri } }) => {
    try {
      return { contents: [{ uri, ...(await readResource(uri, root)) }] };
    } catch (error) {
      throw new McpError(ErrorCode.InvalidParams, failureText(error, uri.slice(0, 200), log));
    }
  });
  return mcp;
}
