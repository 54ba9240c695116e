/** The built `lc-prune mcp` behind a client of the official SDK. */
import { resolve } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import type { Progress } from '@modelcontextprotocol/sdk/types.js';

export interface Answer {
  /** The result of a successful call. */
  readonly data: Record<string, unknown>;
  /** The error of a failed call; null if it succeeded. */
  readonly error: string | null;
}

export class McpClient {
  /** Lines on standard output that are not messages of the protocol. */
  readonly junk: string[] = [];
  stderr = '';
  readonly client = new Client({ name: 'test', version: '0' });
  private constructor(readonly transport: StdioClientTransport) {}

  static async start(folder: string, args: readonly string[] = ['--root', folder]): Promise<McpClient> {
    const cli = resolve('dist', 'cli.mjs');
    const transport = new StdioClientTransport({
      command: process.execPath,
      args: [cli, 'mcp', ...args],
      cwd: folder,
      stderr: 'pipe',
    });
    const started = new McpClient(transport);
    transport.stderr!.on('data', (text: Buffer) => (started.stderr += String(text)));
    started.client.onerror = (error) => started.junk.push(error.message);
    await started.client.connect(transport);
    // The client checks results against the output schemas that it has listed.
    await started.client.listTools();
    return started;
  }

  async call(name: string, args: Record<string, unknown>, onprogress?: (progress: Progress) => void): Promise<Answer> {
    const result = await this.client.callTool({ name, arguments: args }, undefined, {
      timeout: 120_000,
      ...(onprogress && { onprogress }),
    });
    const content = result.content as { type: string; text: string }[];
    if (result.isError) return { data: {}, error: content[0]!.text };
    const data = result.structuredContent as Record<string, unknown>;
    // Clients without structured content get the same.
    if (JSON.stringify(data) !== content[0]!.text) throw new Error(`${name}: text and structured content differ`);
    return { data, error: null };
  }

  /** A successful call. */
  async ask<T = Record<string, unknown>>(name: string, args: Record<string, unknown>): Promise<T> {
    const { data, error } = await this.call(name, args);
    if (error !== null) throw new Error(`${name}: ${error}; ${this.stderr}`);
    return data as T;
  }

  /** The error of a call that does not. */
  async refuse(name: string, args: Record<string, unknown>): Promise<string> {
    const { error } = await this.call(name, args);
    if (error === null) throw new Error(`${name} went well`);
    return error;
  }

  /** Asks for the cost, and starts. @returns the run's name. */
  async start(plan: string, more: Record<string, unknown> = {}): Promise<string> {
    const { confirm } = await this.ask<{ confirm: string }>('start_run', { plan, ...more });
    return (await this.ask<{ run: string }>('start_run', { plan, ...more, confirm })).run;
  }

  /** Waits until the run has ended. */
  async finish(run: string): Promise<Record<string, unknown>> {
    for (;;) {
      const status = await this.ask('run_status', { run, wait_seconds: 20 });
      if (status['state'] !== 'running' && status['state'] !== 'queued') return status;
    }
  }
}
