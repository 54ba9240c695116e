/** `lc-prune mcp` for the editor's assistants: one server for each folder of a trusted workspace. */
import { basename, delimiter, join } from 'node:path';
import * as vscode from 'vscode';
import type { Daemon } from '../daemon/daemon.js';
import { MCP_SERVERS } from '../ids.js';
import { pathOf } from '../paths.js';
import { enginePathSetting } from '../settings.js';

/** How the editor starts a server, when a person or an assistant asks for it. */
interface StdioServer {
  readonly label: string;
  readonly command: string;
  readonly args: string[];
  readonly env: Record<string, string | number | null>;
  readonly version?: string;
}

/** The part of the API that editors have since 1.101; the oldest supported editor lacks it. */
interface McpApi {
  readonly lm: {
    registerMcpServerDefinitionProvider?(
      id: string,
      provider: {
        onDidChangeMcpServerDefinitions: vscode.Event<void>;
        provideMcpServerDefinitions(): Promise<StdioServer[]>;
      },
    ): vscode.Disposable;
  };
  readonly McpStdioServerDefinition?: new (
    label: string,
    command: string,
    args: string[],
    env: StdioServer['env'],
    version: string,
  ) => StdioServer;
}

/** None if the workspace is not trusted, or has no folder on this machine. @throws LaunchError if a setting names no Node. */
export async function mcpServers(
  daemon: Pick<Daemon, 'node' | 'engineFolder'>,
  extensionPath: string,
): Promise<Pick<StdioServer, 'label' | 'command' | 'args' | 'env'>[]> {
  const folders = (vscode.workspace.workspaceFolders ?? []).filter(({ uri }) => uri.scheme === 'file');
  if (!vscode.workspace.isTrusted || folders.length === 0) return [];
  const { command, env } = await daemon.node();
  const engines = [enginePathSetting(), daemon.engineFolder].filter(Boolean).join(delimiter);
  return folders.map(({ uri, name }) => ({
    label: folders.length === 1 ? 'LC Prune' : `LC Prune (${name || basename(pathOf(uri))})`,
    command,
    args: [join(extensionPath, 'dist', 'cli.mjs'), 'mcp', '--root', pathOf(uri)],
    env: { ...env, LC_PRUNE_ENGINES: engines },
  }));
}

export function registerMcpServers(
  daemon: Pick<Daemon, 'node' | 'engineFolder' | 'log'>,
  { extensionPath, extension }: Pick<vscode.ExtensionContext, 'extensionPath' | 'extension'>,
): vscode.Disposable {
  const { lm, McpStdioServerDefinition: Definition } = vscode as unknown as McpApi;
  if (!lm.registerMcpServerDefinitionProvider || !Definition) return new vscode.Disposable(() => {});
  const changed = new vscode.EventEmitter<void>();
  const { version } = extension.packageJSON as { version: string };
  const provider = {
    onDidChangeMcpServerDefinitions: changed.event,
    async provideMcpServerDefinitions() {
      try {
        const servers = await mcpServers(daemon, extensionPath);
        return servers.map(({ label, command, args, env }) => new Definition(label, command, args, env, version));
      } catch (error) {
        // A setting that names no Node is reported by the first command that needs it; assistants get no server.
        daemon.log.warn(`MCP server: ${(error as Error).message}`);
        return [];
      }
    },
  };
  let registered: vscode.Disposable;
  try {
    registered = lm.registerMcpServerDefinitionProvider(MCP_SERVERS, provider);
  } catch (error) {
    // 1.100 had this as a proposed API with another contribution in package.json; it rejects this one.
    daemon.log.info(`MCP servers are not offered in this editor: ${(error as Error).message}`);
    return changed;
  }
  return vscode.Disposable.from(
    changed,
    registered,
    vscode.workspace.onDidGrantWorkspaceTrust(() => changed.fire()),
    vscode.workspace.onDidChangeWorkspaceFolders(() => changed.fire()),
  );
}
