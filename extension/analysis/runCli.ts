/** Runs one command of the command line for the editor: its progress as a notification that can cancel it, its result as text. */
import { spawn } from 'node:child_process';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import * as vscode from 'vscode';
import type { Services } from '../services.js';
import type { AbsolutePath } from '../paths.js';
import { enginePathSetting } from '../settings.js';
import { LIMITS } from '../limits.js';

interface CliOptions {
  readonly title: string;
  /** The folder that the command runs in; no path leaves it. */
  readonly folder: AbsolutePath;
}

/**
 * @returns what the command printed, notes first. @throws Error with the command's own line if it fails; CancellationError where the user ended it.
 */
export function runCli(
  { context, daemon, log }: Services,
  args: readonly string[],
  { title, folder }: CliOptions,
): Promise<string> {
  return Promise.resolve(
    vscode.window.withProgress(
      { location: vscode.ProgressLocation.Notification, title, cancellable: true },
      async (progress, token) => {
        const node = await daemon.node();
        const env: NodeJS.ProcessEnv = {
          ...process.env,
          ...node.env,
          LC_PRUNE_ENGINES: [enginePathSetting(), daemon.engineFolder].filter(Boolean).join(delimiter),
        };
        delete env.NODE_OPTIONS;
        const cli = join(context.extensionPath, 'dist', 'cli.mjs');
        const child = spawn(node.command, [cli, ...args, '--workspace', folder], {
          cwd: folder,
          env,
          windowsHide: true,
        });
        token.onCancellationRequested(() => child.kill());
        let output = '';
        const notes: string[] = [];
        child.stdout.setEncoding('utf8').on('data', (text: string) => {
          if (output.length < LIMITS.cliOutput) output += text;
        });
        createInterface({ input: child.stderr }).on('line', (line) => {
          if (line.trim() === '') return;
          notes.push(line);
          log.info(line);
          progress.report({ message: line });
        });
        const code = await new Promise<number | null>((resolve, reject) =>
          child.once('error', reject).once('close', (ended) => resolve(ended)),
        );
        if (token.isCancellationRequested) throw new vscode.CancellationError();
        if (code === 0 || code === 3) return [...notes, output].filter(Boolean).join('\n');
        const last = notes.findLast((line) => /^(internal )?error: /.test(line)) ?? notes.at(-1) ?? `exit code ${code}`;
        throw new Error(last.replace(/^error: /, ''));
      },
    ),
  );
}
