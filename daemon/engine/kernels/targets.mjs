/**
 * The platforms that the native kernels are built for, all on Debian: compilers of its packages. build.mjs compiles and links as
 * these records say.
 */
import { execFileSync } from 'node:child_process';

/** The instruction set levels that the kernels are compiled for, by the suffix of their table; addon/levels.c chooses one. */
const x64Levels = {
  avx2: ['-mavx2', '-mfma'],
  avx512: ['-mavx512f', '-mavx512vl', '-mavx512dq', '-mavx512bw', '-mfma'],
};
/** Every processor of the architecture has NEON. */
const arm64Levels = { neon: [] };

const linkFlags = ['-shared', '-s', '-Wl,--build-id=none'];

/** A target of gcc. `version`: of the compiler that made the committed addon; others give other, equally good bytes. */
const gcc = (compiler, levels) => ({
  compiler,
  version: '12',
  flags: ['-fPIC'],
  levels,
  linkFlags,
  link: (objects, output) => execFileSync(compiler, [...linkFlags, '-o', output, ...objects, '-lm']),
});

/** By the names of platforms that VS Code has. */
export const targets = {
  'linux-x64': gcc('gcc', x64Levels),
  'linux-arm64': gcc('aarch64-linux-gnu-gcc', arm64Levels),
};

/** @returns why a target cannot be built here to the same bytes as the committed addon, in one line; null if it can. */
export function cannotBuild(target) {
  const { compiler, version } = targets[target];
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'addons are built on Linux x64';
  try {
    const found = execFileSync(compiler, ['-dumpversion'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    if (parseInt(found) !== Number(version)) return `${compiler} is version ${found.trim()}, not ${version}`;
    return null;
  } catch {
    return `${compiler} or its linker is not installed`;
  }
}
