// Starts the installed VS Code server and returns the address of its workbench.
import { execFile, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { installHost } from './install.mjs';

/** Quiet, deterministic settings for a test window. */
export const QUIET = {
  'workbench.startupEditor': 'none',
  'workbench.tips.enabled': false,
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'telemetry.telemetryLevel': 'off',
  'update.mode': 'none',
  'extensions.autoCheckUpdates': false,
  'extensions.autoUpdate': false,
  'extensions.ignoreRecommendations': true,
  'git.enabled': false,
  'github.gitAuthentication': false,
  'chat.disableAIFeatures': true,
  'chat.commandCenter.enabled': false,
  'security.workspace.trust.untrustedFiles': 'open',
  'npm.autoDetect': 'off',
  'typescript.disableAutomaticTypeAcquisition': true,
  'typescript.validate.enable': false,
};

const freePort = () =>
  new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });

const alive = (pid) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

/** Installs a VSIX into an extensions folder, as a person would. */
export async function installVsix(host, vsix, extensionsDir) {
  const { server, node } = installHost(host);
  await promisify(execFile)(node, [server, '--install-extension', vsix, '--extensions-dir', extensionsDir, '--force']);
}

/**
 * Starts a server with its own data folder.
 * @param {{ host?: 'floor' | 'newest', settings?: object, trust?: boolean, env?: object, dataDir?: string, log?: boolean, modal?: boolean }} options
 *   `trust`: keep Workspace Trust on (it is off by default, as in most suites).
 *   `modal`: the window shows modal questions. Without the driver it does, but loads no extension under development.
 */
export async function startServer({
  host = 'floor',
  settings = {},
  trust = false,
  env = {},
  dataDir,
  log = false,
  modal = false,
} = {}) {
  const { server, node, chromium, version } = installHost(host);
  const data = dataDir ?? mkdtempSync(join(tmpdir(), 'lc-prune-host-'));
  const extensionsDir = join(data, 'ext');
  const user = join(data, 'ud/User');
  // The server keeps remote (machine) settings under data; user settings live in the browser on the web, so both are written.
  for (const folder of [user, extensionsDir, join(data, 'data/Machine'), join(data, 'ud/Machine')])
    mkdirSync(folder, { recursive: true });
  const text = JSON.stringify({ ...QUIET, ...settings }, null, 2);
  for (const folder of [user, join(data, 'ud/Machine')]) writeFileSync(join(folder, 'settings.json'), text);
  const port = await freePort();
  const child = spawn(
    node,
    [
      server,
      ...['--host', '127.0.0.1', '--port', String(port), '--without-connection-token'],
      ...['--accept-server-license-terms', '--telemetry-level', 'off'],
      ...(modal ? [] : ['--enable-smoke-test-driver']),
      ...['--server-data-dir', data, '--user-data-dir', join(data, 'ud'), '--extensions-dir', extensionsDir],
      ...(trust ? [] : ['--disable-workspace-trust']),
    ],
    {
      env: { ...process.env, ...env },
      stdio: ['ignore', log ? 'inherit' : 'ignore', log ? 'inherit' : 'ignore'],
      detached: true,
    },
  );
  const url = `http://127.0.0.1:${port}`;
  const stop = async () => {
    // Its own process group: extension hosts can outlive the server, and nothing else is in it.
    const signal = (name) => {
      try {
        process.kill(-child.pid, name);
      } catch {
        // Gone already.
      }
    };
    signal('SIGTERM');
    for (let i = 0; i < 30 && alive(child.pid); i++) await sleep(100);
    signal('SIGKILL');
    if (!dataDir) rmSync(data, { recursive: true, force: true, maxRetries: 3 });
  };
  for (let i = 0; ; i++) {
    if (child.exitCode !== null) throw new Error(`The VS Code server exited with ${child.exitCode}.`);
    try {
      const answer = await globalThis.fetch(`${url}/version`);
      if (answer.ok) break;
    } catch {
      // Not listening yet.
    }
    if (i > 300) {
      await stop();
      throw new Error('The VS Code server did not answer within 60 s.');
    }
    await sleep(200);
  }
  return { url, port, data, extensionsDir, chromium, version, pid: child.pid, stop };
}

/** Chromium that can reach nothing but this machine. */
export const BROWSER_ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
];

/** The workbench of a folder or a `.code-workspace` file, with an extension under development and, if given, a test suite to run in its host. */
export function workbenchUrl(url, { folder, extension, suite }) {
  const remote = url.replace('http://', 'vscode-remote://');
  const payload = [
    ...(extension ? [['extensionDevelopmentPath', `${remote}${extension}`]] : []),
    ...(suite ? [['extensionTestsPath', `${remote}${suite}`]] : []),
  ];
  const query = [
    folder ? `${folder.endsWith('.code-workspace') ? 'workspace' : 'folder'}=${encodeURIComponent(folder)}` : 'ew=true',
    `payload=${encodeURIComponent(JSON.stringify(payload))}`,
  ];
  return `${url}/?${query.join('&')}`;
}
