/**
 * `npm run test:sanitize [-- --mutants N --race SECONDS --seed S]`: the native kernels with the sanitizers of gcc.
 *   1. address and undefined behaviour: the unit tests of the kernels, and the fixed part of the engine's fuzzer;
 *   2. the same on N mutated programs (1,000,000), each of which must be refused or touch nothing that is not its own;
 *   3. threads: programs of every layer class on several threads for some seconds (60), with equal bits.
 * In the first two every float outside an operation's operands is poisoned while it runs (kernels/native/program/sentinels.h).
 * Needs gcc with its sanitizers, Node's headers and libuv, as Debian's gcc and libuv1-dev bring; says so where they are not.
 */
import { build } from 'esbuild';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { compileKernels, compileNative, nodeHeaders, sanitizerFlags } from '../../daemon/engine/kernels/build.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const root = resolve(here, '../..');
const work = join(root, 'artifacts/sanitize');
const results = join(root, 'artifacts/results');
const { values: options } = parseArgs({
  options: {
    mutants: { type: 'string', default: '1000000' },
    race: { type: 'string', default: '60' },
    seed: { type: 'string', default: '1' },
  },
});
/** Mutants of one process: what a crash makes us look through again. */
const blockSize = 20_000;

const library = (name) => execFileSync('gcc', [`-print-file-name=${name}`], { encoding: 'utf8' }).trim();

function missing() {
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'they are built on Linux x64';
  if (!nodeHeaders()) return "Node's headers are not installed";
  try {
    const absent = ['libasan.so', 'libubsan.so', 'libtsan.so'].find((name) => !library(name).includes('/'));
    return absent ? `gcc has no ${absent}` : null;
  } catch {
    return 'gcc is not installed';
  }
}

const reason = missing();
if (reason) {
  console.log(`sanitizer tests skipped: ${reason} (on Debian: apt-get install gcc libuv1-dev)`);
  process.exit(0);
}

rmSync(work, { recursive: true, force: true });
mkdirSync(work, { recursive: true });
mkdirSync(results, { recursive: true });

let passed = 0;
const failures = [];
function report(name, problem) {
  console.log(`${problem ? 'FAILED' : 'ok'}  ${name}${problem ? `: ${problem}` : ''}`);
  if (problem) failures.push(name);
  else passed++;
}

const underAddressSanitizer = {
  ...process.env,
  LD_PRELOAD: `${library('libasan.so')} ${library('libubsan.so')}`,
  // Node frees nothing at its end. A program may ask for more memory than there is: it is answered, not ended.
  ASAN_OPTIONS: 'detect_leaks=0:allocator_may_return_null=1:max_allocation_size_mb=256:abort_on_error=1',
  UBSAN_OPTIONS: 'print_stacktrace=1:halt_on_error=1',
};

/** The same, with reports in files: a test's children may have no output of their own. */
const reports = join(work, 'report');
const reporting = {
  ...underAddressSanitizer,
  ASAN_OPTIONS: `${underAddressSanitizer.ASAN_OPTIONS}:log_path=${reports}`,
  UBSAN_OPTIONS: `${underAddressSanitizer.UBSAN_OPTIONS}:log_path=${reports}`,
};
/** The report of the sanitizers. Warnings of failed allocations are not faults. */
const reported = () =>
  readdirSync(work)
    .filter((name) => name.startsWith('report.'))
    .map((name) => readFileSync(join(work, name), 'utf8'))
    .filter((text) => /ERROR: AddressSanitizer|runtime error/.test(text));

const addon = join(work, 'sanitized.node');
writeFileSync(addon, compileNative(sanitizerFlags));
await build({
  entryPoints: ['mutate.ts', 'dump.ts'].map((file) => join(here, file)),
  outdir: work,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  platform: 'node',
  format: 'esm',
  mainFields: ['module', 'main'],
  external: ['onnxruntime-node'],
  logLevel: 'warning',
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
});

/** A copy of the sources whose addon is the sanitized one, so that nothing in the product depends on it. */
function makeTree() {
  const tree = join(work, 'tree');
  mkdirSync(tree);
  for (const path of ['daemon', 'test', 'package.json', 'tsconfig.json', 'vitest.config.ts'])
    cpSync(join(root, path), join(tree, path), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(tree, 'node_modules'));
  cpSync(addon, join(tree, `daemon/engine/kernels/prebuilt/lc-kernels-${process.platform}-${process.arch}.node`));
  return tree;
}

/** Runs tests in the tree. A process that died without a report of the sanitizers gets one more try, and the log mentions it. */
function runTests(tree, name, files) {
  // Where vitest.config.ts has them written.
  const output = join(tree, 'artifacts/results/vitest.json');
  const args = [join(root, 'node_modules/vitest/vitest.mjs'), 'run', ...files, '--testTimeout=600000'];
  for (let tries = 1; ; tries++) {
    const { status } = spawnSync(process.execPath, args, { cwd: tree, stdio: 'inherit', env: reporting });
    if (existsSync(output)) cpSync(output, join(results, `sanitize-${name}.json`));
    const [found] = reported();
    if (found) return report(`tests: ${name}`, found.slice(0, 6000));
    if (status === 0 && JSON.parse(readFileSync(output, 'utf8')).numPassedTests > 0) return report(`tests: ${name}`);
    if (tries === 2) return report(`tests: ${name}`, `vitest ended with ${status}`);
    console.log(`${name}: vitest ended with ${status}, and no sanitizer says why; once more`);
  }
}

/** A kernel that writes one float too many must end the process; otherwise a clean run of this script would prove nothing. */
async function runPlanted() {
  const planted = join(work, 'planted');
  cpSync(join(root, 'daemon/engine/kernels'), planted, { recursive: true });
  const kernel = join(planted, 'native/move.c');
  const source = readFileSync(kernel, 'utf8');
  const wrong = source.replace('i < op->fill;', 'i <= op->fill;');
  if (wrong === source) throw new Error('move.c has no loop to spoil');
  writeFileSync(kernel, wrong);
  const { compileNative: compilePlanted } = await import(join(planted, 'build.mjs'));
  const file = join(work, 'planted.node');
  writeFileSync(file, compilePlanted(sanitizerFlags));
  // The fill of 4 floats of buffer 0, which has 8: what it should not touch is its own buffer's.
  const fill = `const addon = require(${JSON.stringify(file)});
    const code = Int32Array.from([9, -1, 0, 0, 0, 4, 0, 0, 1, 1, 1, 1, 1, 1, 1, ...new Array(16).fill(0)]);
    addon.runNow(addon.create([new Float32Array(8)], code, 1, addon.levels()[0]));`;
  const { stderr } = spawnSync(process.execPath, ['-e', fill], { env: underAddressSanitizer, encoding: 'utf8' });
  report(
    'a planted overflow is found',
    /use-after-poison/.test(stderr) ? undefined : stderr.slice(0, 2000) || 'it ran',
  );
}

function mutate(from, to, progress = []) {
  const args = [join(work, 'mutate.mjs'), addon, options.seed, String(from), String(to), ...progress];
  const child = spawn(process.execPath, args, { env: underAddressSanitizer, stdio: ['ignore', 'pipe', 'pipe'] });
  let [out, err] = ['', ''];
  child.stdout.on('data', (data) => (out += data));
  child.stderr.on('data', (data) => (err += data));
  return new Promise((done) => child.on('close', (code, signal) => done({ out, err, code, signal })));
}

/** The last output of a block, or null if it was ended. */
const counted = ({ out, code }) => {
  const line = out.trim().split('\n').at(-1);
  return code === 0 && line.startsWith('{') ? JSON.parse(line) : null;
};

/**
 * A block of mutants. One that ended early runs once more, with the number of each mutant kept: a sanitizer's words, or a second
 * end, are a problem that names the mutant. A process that died once without a word of them is logged, and the second run counts.
 */
async function runBlock(from, to) {
  const first = await mutate(from, to);
  if (counted(first)) return { counts: counted(first) };
  const file = join(work, `progress-${from}`);
  const second = await mutate(from, to, [file]);
  const at = existsSync(file) ? readFileSync(file, 'utf8').trim() : '?';
  const [spoken] = [first, second].filter(({ err }) => /ERROR: AddressSanitizer|runtime error/.test(err));
  if (spoken) return { problem: `mutant ${at} of seed ${options.seed}\n${spoken.err.slice(-6000)}` };
  const ends = `block ${from} to ${to}: ended with ${first.code ?? first.signal}: ${first.err.slice(-1000)}`;
  if (!counted(second)) return { problem: `${ends}\nand again at mutant ${at} of seed ${options.seed}` };
  console.log(`${ends}\nno sanitizer says why; run once more, it came to its end`);
  return { counts: counted(second) };
}

async function runMutants() {
  const total = Number(options.mutants);
  const counts = { built: 0, ran: 0, refused: {} };
  let next = 0;
  const problems = [];
  const worker = async () => {
    for (let from = next; from < total && problems.length === 0; from = next) {
      const to = Math.min(from + blockSize, total);
      next = to;
      const block = await runBlock(from, to);
      if (block.problem) {
        problems.push(block.problem);
        return;
      }
      const { built, ran, refused } = block.counts;
      counts.built += built;
      counts.ran += ran;
      for (const [why, n] of Object.entries(refused)) counts.refused[why] = (counts.refused[why] ?? 0) + n;
    }
  };
  const started = Date.now();
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  const refusals = Object.entries(counts.refused).sort((a, b) => b[1] - a[1]);
  const refused = refusals.reduce((sum, [, n]) => sum + n, 0);
  console.log(`${total} mutants of seed ${options.seed} in ${Math.round((Date.now() - started) / 1000)} s: ${counts.built} built, ${counts.ran} of them run, ${refused} refused`); // prettier-ignore
  for (const [why, n] of refusals) console.log(`  ${String(n).padStart(8)}  ${why}`);
  report('mutated programs', problems[0] ?? (counts.built + refused === total ? undefined : 'some are missing'));
}

function runRaces() {
  const flags = ['-fsanitize=thread', '-O1', '-g', '-DWORTH_NANOSECONDS=0'];
  const programs = join(work, 'programs.bin');
  const race = join(work, 'race');
  const kernels = join(root, 'daemon/engine/kernels/native');
  const objects = compileKernels(work, flags);
  execFileSync(process.execPath, [join(work, 'dump.mjs'), programs], { stdio: ['ignore', 'ignore', 'inherit'] });
  const sources = [join(here, 'race.c'), ...objects];
  execFileSync('gcc', [...flags, '-Wall', '-Wextra', '-Werror', `-I${kernels}`, '-isystem', nodeHeaders(), '-o', race, ...sources, '-l:libuv.so.1', '-lm']); // prettier-ignore
  const env = { ...process.env, TSAN_OPTIONS: 'halt_on_error=1' };
  const { status, stdout, stderr } = spawnSync(race, [programs, options.race, options.seed], { env, encoding: 'utf8' });
  console.log(stdout.trim());
  report('threads', status === 0 ? undefined : stderr.slice(0, 6000));
}

await runPlanted();
const tree = makeTree();
runTests(tree, 'kernels', ['test/unit/engine/native', 'test/unit/engine/compiled/layers.test.ts']);
runTests(tree, 'fuzz', ['test/fuzz/engine.test.ts']);
await runMutants();
runRaces();
writeFileSync(
  join(results, 'sanitize.json'),
  JSON.stringify({ numPassedTests: passed, numFailedTests: failures.length }),
);
console.log(`${passed} passed, ${failures.length} failed`);
process.exit(failures.length > 0 ? 1 : 0);
