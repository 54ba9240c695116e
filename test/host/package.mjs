// Makes the VSIX of this platform: the production bundles, and of the native packages only what this platform loads.
//   node test/host/package.mjs [--target linux-x64]
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { extensionPage } from './extensionPage.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const stage = join(root, '.cache/vsix');
const asked = process.argv.indexOf('--target');
const [platform, arch] = (asked < 0 ? `${process.platform}-${process.arch}` : process.argv[asked + 1]).split('-');

const size = (path) =>
  statSync(path).isDirectory()
    ? readdirSync(path).reduce((total, name) => total + size(join(path, name)), 0)
    : statSync(path).size;
const mb = (bytes) => `${(bytes / 1024 / 1024).toFixed(2)} MB`;

/** A package as it is at run time, beside the bundles: vsce leaves out a node_modules at the top. */
function copyPackage(name, keep) {
  const from = join(root, 'node_modules', name);
  cpSync(from, join(stage, 'dist/node_modules', name), {
    recursive: true,
    dereference: true,
    filter: (path) => keep(relative(from, path).replaceAll('\\', '/')),
  });
}

rmSync(stage, { recursive: true, force: true });
mkdirSync(stage, { recursive: true });
execFileSync(process.execPath, ['esbuild.mjs', '--production', `--out=${join(stage, 'dist')}`], {
  cwd: root,
  stdio: 'inherit',
});
rmSync(join(stage, 'dist/schemas.mjs'));
for (const part of ['media', 'schemas', 'syntaxes', 'l10n', 'LICENSE', 'CHANGELOG.md', 'package.nls.json']) {
  if (!existsSync(join(root, part))) continue;
  cpSync(join(root, part), join(stage, part), {
    recursive: true,
    filter: (path) => !/schemas\/.*\.ts$/.test(path),
  });
}

// The example of "Try the Example...".
cpSync(join(root, 'examples/lenet300'), join(stage, 'examples/lenet300'), { recursive: true });

const page = extensionPage(readFileSync(join(root, 'extension/README.md'), 'utf8'), join(root, 'extension'));
writeFileSync(join(stage, 'README.md'), page);

// The engine's native library, loaded by path: only this platform's, and none of its CUDA or TensorRT companions.
const napi = `bin/napi-v6/${platform}`;
copyPackage('onnxruntime-node', (path) =>
  path === '' || path === 'package.json' || path === 'LICENSE' || path.startsWith('dist')
    ? !/\.(map|d\.ts)$/.test(path)
    : path === 'bin' ||
      path === 'bin/napi-v6' ||
      path === napi ||
      path === `${napi}/${arch}` ||
      (path.startsWith(`${napi}/${arch}/`) && !/_cuda|_tensorrt|\.pdb$/.test(path)),
);
copyPackage('onnxruntime-common', (path) => !/\.(map|d\.ts)$/.test(path) && !/^(lib|dist\/esm)/.test(path));

// Our own kernels lie beside the bundles: those of other platforms go.
for (const name of readdirSync(join(stage, 'dist/prebuilt')))
  if (!name.includes(`${platform}-${arch}`)) rmSync(join(stage, 'dist/prebuilt', name));

// The bundles hold the other dependencies. The manifest of the VSIX names none, so that nothing is searched twice.
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
for (const key of ['dependencies', 'devDependencies', 'scripts', 'private', 'bin']) delete manifest[key];
writeFileSync(join(stage, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
writeFileSync(join(stage, '.vscodeignore'), '');

const vsix = join(root, `lc-prune-${manifest.version}-${platform}-${arch}.vsix`);
execFileSync(
  process.execPath,
  [
    join(root, 'node_modules/@vscode/vsce/vsce'),
    'package',
    ...['--no-dependencies', '--allow-missing-repository', '--skip-license', '--no-rewrite-relative-links'],
    ...['--target', `${platform}-${arch}`, '--out', vsix],
  ],
  { cwd: stage, stdio: 'inherit' },
);

console.log(`\n${relative(root, vsix)}: ${mb(statSync(vsix).size)}; unpacked ${mb(size(stage))}, of that`);
const parts = {
  onnxruntime: join(stage, 'dist/node_modules'),
  'extension.cjs': join(stage, 'dist/extension.cjs'),
  'monitor page': join(stage, 'dist/webview'),
  'daemon, trainer, CLI': join(stage, 'dist/chunks'),
  'pictures of the page': join(stage, 'README.md'),
  walkthrough: join(stage, 'media/walkthrough'),
  example: join(stage, 'examples'),
};
for (const [name, path] of Object.entries(parts)) console.log(`  ${name.padEnd(22)}${mb(size(path))}`);
