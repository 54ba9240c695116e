// Builds the bundles once, and from them a VSIX a target.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { extensionPage } from './page.mjs';
import { ROOT, hasRuntime, recordedAddon, runtimeFiles, runtimeFolder } from './targets.mjs';

const BUNDLES = join(ROOT, '.cache/bundles');
/** The folder that becomes the VSIX made last. */
export const STAGE = join(ROOT, '.cache/vsix');

export function buildBundles() {
  rmSync(BUNDLES, { recursive: true, force: true });
  execFileSync(process.execPath, ['esbuild.mjs', '--production', `--out=${BUNDLES}`], { cwd: ROOT, stdio: 'inherit' });
  rmSync(join(BUNDLES, 'schemas.mjs'));
  rmSync(join(BUNDLES, 'prebuilt'), { recursive: true });
}

/** A package as it is at run time, beside the bundles: vsce leaves out a node_modules at the top. */
function copyPackage(name, keep) {
  const from = join(ROOT, 'node_modules', name);
  cpSync(from, join(STAGE, 'dist/node_modules', name), {
    recursive: true,
    dereference: true,
    filter: (path) => keep(relative(from, path).replaceAll('\\', '/')),
  });
}

/** The engine's native library, loaded by path: only this platform's. */
function copyRuntime(target) {
  const folder = runtimeFolder(target);
  const kept = new Set(['bin', 'bin/napi-v6', `bin/napi-v6/${target.split('-')[0]}`, folder]);
  for (const name of runtimeFiles(target)) kept.add(`${folder}/${name}`);
  copyPackage('onnxruntime-node', (path) =>
    path === '' || path === 'package.json' || path === 'LICENSE' || path.startsWith('dist')
      ? !/\.(map|d\.ts)$/.test(path)
      : kept.has(path),
  );
  copyPackage('onnxruntime-common', (path) => !/\.(map|d\.ts)$/.test(path) && !/^(lib|dist\/esm)/.test(path));
}

/**
 * The manifest of a VSIX. It names no dependencies, which the bundles hold, so that nothing is searched twice.
 *
 * @param {string | null} repository its https address, for the links of marketplaces.
 */
export function vsixManifest(manifest, repository) {
  const rest = { ...manifest };
  for (const key of [
    'dependencies',
    'devDependencies',
    'peerDependencies',
    'peerDependenciesMeta',
    'optionalDependencies',
    'scripts',
    'private',
    'bin',
  ])
    delete rest[key];
  return repository
    ? {
        ...rest,
        repository: { type: 'git', url: `${repository}.git` },
        bugs: { url: `${repository}/issues` },
        homepage: `${repository}#readme`,
      }
    : rest; // prettier-ignore
}

function stage(target, repository) {
  rmSync(STAGE, { recursive: true, force: true });
  mkdirSync(STAGE, { recursive: true });
  cpSync(BUNDLES, join(STAGE, 'dist'), { recursive: true });
  for (const part of ['media', 'schemas', 'syntaxes', 'l10n', 'LICENSE', 'CHANGELOG.md', 'package.nls.json']) {
    if (!existsSync(join(ROOT, part))) continue;
    cpSync(join(ROOT, part), join(STAGE, part), { recursive: true, filter: (path) => !/schemas[\\/].*\.ts$/.test(path) });
  }
  // The example of "Try the Example...".
  cpSync(join(ROOT, 'examples/lenet300'), join(STAGE, 'examples/lenet300'), { recursive: true });
  const page = readFileSync(join(ROOT, 'extension/README.md'), 'utf8');
  writeFileSync(join(STAGE, 'README.md'), extensionPage(page, join(ROOT, 'extension'), repository ? ROOT : null));
  if (hasRuntime(target)) copyRuntime(target);
  const addon = recordedAddon(target);
  if (addon)
    cpSync(join(ROOT, 'daemon/engine/kernels/prebuilt', addon.file), join(STAGE, 'dist/prebuilt', addon.file));
  const manifest = vsixManifest(JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')), repository);
  writeFileSync(join(STAGE, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  writeFileSync(join(STAGE, '.vscodeignore'), '');
  return manifest;
} // prettier-ignore

/**
 * Makes the VSIX of one target; the bundles must be built.
 *
 * @param {string} target
 * @param {{ repository: string | null, folder: string }} options where the file is written
 * @returns {string} its path
 */
export function buildVsix(target, { repository, folder }) {
  const { version } = stage(target, repository);
  mkdirSync(folder, { recursive: true });
  const vsix = join(folder, `lc-prune-${version}-${target}.vsix`);
  execFileSync(
    process.execPath,
    [
      join(ROOT, 'node_modules/@vscode/vsce/vsce'),
      'package',
      '--no-dependencies',
      ...(repository ? [] : ['--allow-missing-repository', '--no-rewrite-relative-links']),
      ...['--target', target, '--out', vsix],
    ],
    { cwd: STAGE, stdio: ['ignore', 'ignore', 'inherit'] },
  );
  return vsix;
}

/** @returns {number} bytes of a file, or of all files below a folder; 0 if it is not there. */
export function sizeOf(path) {
  if (!existsSync(path)) return 0;
  const stats = statSync(path);
  return stats.isDirectory() ? readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0) : stats.size;
}
