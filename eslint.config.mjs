import js from '@eslint/js';
import ts from 'typescript-eslint';
import { importX } from 'eslint-plugin-import-x';
import { createTypeScriptImportResolver } from 'eslint-import-resolver-typescript';

const daemon = (room) => `./daemon/${room}`;

/** `room` may import, of the daemon, itself and `allowed` only. See docs/architecture.md. */
const room = (name, allowed) => ({
  target: daemon(name),
  from: './daemon',
  except: [name, ...allowed].map((allowedRoom) => `./${allowedRoom}`),
  message: `daemon/${name} may import only: ${allowed.join(', ') || 'nothing of the daemon'} (docs/architecture.md).`,
});

const clients = ['./extension', './webview'].map((target) => ({
  target,
  from: './daemon',
  except: ['./protocol'],
  message: 'extension and webview may import daemon/protocol only.',
}));

const core = ['files', 'network', 'onnx', 'engine', 'lc', 'model', 'data', 'export'];

/** The rooms of the daemon, and what each may import beside itself: the table of docs/architecture.md, which a test compares. */
export const ROOMS = {
  // A kind of budget is one module, its validator and labels beside its C step: the plan's schema is read there.
  protocol: ['lc/budgets', 'lc/learningRate.ts'],
  // The format of numbers is not mathematics, and depends on text only.
  lc: ['protocol/format.ts', 'protocol/shape.ts'],
  files: ['protocol'],
  network: ['protocol'],
  onnx: ['protocol', 'files', 'network'],
  model: ['protocol', 'lc', 'files', 'network', 'onnx'],
  data: ['protocol', 'files', 'model', 'lc'],
  engine: ['protocol', 'files', 'network', 'onnx', 'model', 'lc'],
  plan: ['protocol', 'files', 'model', 'lc', 'data'],
  export: ['protocol', 'files', 'network', 'onnx', 'model', 'lc', 'engine', 'data'],
  trainer: ['protocol', ...core],
  runs: ['protocol', 'plan', 'trainer', ...core],
  language: ['protocol', 'files', 'plan', 'model', 'data', 'lc', 'runs'],
  server: ['protocol', 'files', 'plan', 'runs', 'language', 'model', 'lc', 'engine', 'export'],
  mcp: ['protocol', 'files', 'plan', 'runs', 'language', 'server', 'model'],
  cli: ['protocol', 'plan', 'runs', 'trainer', 'mcp', ...core],
};

export default ts.config(
  { ignores: ['dist', 'out', 'node_modules', 'artifacts', '.cache', '.lcprune', '.vscode-test', '**/*.wasm'] },
  js.configs.recommended,
  ...ts.configs.recommended,
  {
    files: ['**/*.ts', '**/*.mjs'],
    plugins: { 'import-x': importX },
    // Without the parser the plugin reads no TypeScript, and finds no circle in it.
    settings: {
      'import-x/resolver-next': [createTypeScriptImportResolver()],
      'import-x/extensions': ['.ts', '.mts', '.mjs'],
      'import-x/parsers': { '@typescript-eslint/parser': ['.ts', '.mts'] },
    },
    rules: {
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      'import-x/no-cycle': 'error',
      'import-x/no-restricted-paths': [
        'error',
        {
          zones: [
            ...clients,
            ...Object.entries(ROOMS).map(([name, allowed]) => room(name, allowed)),
            { target: './daemon', from: ['./extension', './webview', './test'] },
            {
              target: './extension',
              from: './webview',
              except: ['./messages'],
            },
            { target: './webview', from: './extension' },
            { target: './webview/messages', from: './webview', except: ['./messages'] },
          ],
        },
      ],
    },
  },
  {
    // Rules that need types: a promise that is not awaited loses its error, and a switch must name every case of a union.
    files: ['{daemon,extension,webview,test}/**/*.ts'],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
    },
  },
  {
    files: ['daemon/lc/**', 'daemon/protocol/**'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              group: ['node:*', '@tensorflow/*', 'onnxruntime*', 'vscode', 'ws'],
              message: 'This room is pure: no I/O, no engines, no editor.',
            },
          ],
        },
      ],
    },
  },
  {
    files: ['extension/**'],
    rules: {
      'no-restricted-imports': [
        'error',
        { patterns: [{ group: ['@tensorflow/*', 'onnxruntime*'], message: 'The extension never loads an engine.' }] },
      ],
    },
  },
  {
    files: ['extension/**'],
    ignores: ['extension/paths.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector:
            'MemberExpression[property.name=/^(fsPath|fileName)$/], MemberExpression[object.property.name="Uri"][property.name="file"]',
          message: 'Paths and URIs become each other in extension/paths.ts only.',
        },
      ],
    },
  },
  {
    files: ['webview/**'],
    rules: {
      'no-restricted-globals': [
        'error',
        { name: 'WebSocket', message: 'The webview never opens a socket.' },
        'fetch',
        'XMLHttpRequest',
        'EventSource',
      ],
    },
  },
  {
    files: ['**/*.mjs', 'esbuild.mjs'],
    languageOptions: { globals: { process: 'readonly', console: 'readonly', URL: 'readonly' } },
  },
);
