import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import * as vscode from 'vscode';
import { mcpServers, registerMcpServers } from '../../../extension/assistant/mcpServers.js';

const daemon = {
  engineFolder: '/engines',
  node: async () => ({ command: '/bin/node', env: { ELECTRON_RUN_AS_NODE: '1' }, origin: 'editor' as const }),
  log: { warn: vi.fn() } as unknown as vscode.LogOutputChannel,
};
const folder = (path: string, name: string) => ({ uri: { scheme: 'file', fsPath: path }, name });
const workspace = vscode.workspace as unknown as {
  workspaceFolders?: unknown;
  isTrusted: boolean;
  getConfiguration?: unknown;
};
const open = (...folders: unknown[]) =>
  Object.assign(workspace, { workspaceFolders: folders, getConfiguration: () => ({ get: () => undefined }) });

afterEach(() => {
  Object.assign(workspace, { isTrusted: true });
  delete workspace.workspaceFolders;
  delete workspace.getConfiguration;
});

describe('the servers that the editor may start', () => {
  test('are one for each folder on this machine', async () => {
    open(folder('/a', 'a'), folder('/b c', 'Bé'), { uri: { scheme: 'vscode-vfs', fsPath: '/c' }, name: 'c' });
    expect(await mcpServers(daemon, '/ext')).toEqual([
      {
        label: 'LC Prune (a)',
        command: '/bin/node',
        args: [join('/ext', 'dist', 'cli.mjs'), 'mcp', '--root', '/a'],
        env: { ELECTRON_RUN_AS_NODE: '1', LC_PRUNE_ENGINES: '/engines' },
      },
      expect.objectContaining({ label: 'LC Prune (Bé)', args: expect.arrayContaining(['/b c']) }),
    ]);
  });

  test('are none in a workspace that is not trusted, or without a folder', async () => {
    open();
    expect(await mcpServers(daemon, '/ext')).toEqual([]);
    open(folder('/a', 'a'));
    workspace.isTrusted = false;
    expect(await mcpServers(daemon, '/ext')).toEqual([]);
  });

  test('are not registered in an editor that knows nothing of them, or refuses them', () => {
    const context = { extensionPath: '/ext', extension: { packageJSON: { version: '1.2.3' } } } as never;
    const log = { warn: vi.fn(), info: vi.fn() } as unknown as vscode.LogOutputChannel;
    expect(() => registerMcpServers({ ...daemon, log }, context)).not.toThrow();
    const lm = vscode.lm as unknown as Record<string, unknown>;
    lm['registerMcpServerDefinitionProvider'] = () => {
      throw new Error('must be registered in the contributes.modelContextServerCollections array');
    };
    expect(() => registerMcpServers({ ...daemon, log }, context)).not.toThrow();
    expect(log.info).toHaveBeenCalledWith(expect.stringContaining('not offered'));
    delete lm['registerMcpServerDefinitionProvider'];
  });
});
