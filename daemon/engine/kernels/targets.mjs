/**
 * The platforms that the native kernels are built for, all on Debian: compilers of its packages, and no system's headers but
 * those of the packages. build.mjs compiles and links as these records say.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const native = join(dirname(fileURLToPath(import.meta.url)), 'native');

/** The instruction set levels that the kernels are compiled for, by the suffix of their table; addon/levels.c chooses one. */
const x64Levels = {
  avx2: ['-mavx2', '-mfma'],
  avx512: ['-mavx512f', '-mavx512vl', '-mavx512dq', '-mavx512bw', '-mfma'],
};
/** Every processor of the architecture has NEON. */
const arm64Levels = { neon: [] };

const elfFlags = ['-shared', '-s', '-Wl,--build-id=none'];

/** What the addon calls in Node, as native/addon/node_functions.h lists it. */
export const nodeFunctions = [
  ...readFileSync(join(native, 'addon/node_functions.h'), 'utf8').matchAll(/^ {2}X\((\w+)\)/gm),
].map(([, name]) => name);

/** What the addon calls in macOS: all that its port of the C headers declares, and what compilers call by themselves. */
export const darwinFunctions = [
  '__bzero acosf acoshf aligned_alloc asinf asinhf atan2f atanf atanhf bzero calloc cosf',
  'coshf free malloc memcpy memset powf sinf sinhf snprintf strcmp sysctlbyname tanf tanhf',
].flatMap((line) => line.split(' '));

/** The description of macOS's C library for the linker, which needs no more of it. */
const libSystem = [
  '--- !tapi-tbd',
  'tbd-version: 4',
  'targets: [ x86_64-macos, arm64-macos ]',
  "install-name: '/usr/lib/libSystem.B.dylib'",
  'exports:',
  '  - targets: [ x86_64-macos, arm64-macos ]',
  `    symbols: [ dyld_stub_binder, ${darwinFunctions.map((name) => `_${name}`).join(', ')} ]`,
  '...',
  '',
].join('\n');

/** A target of gcc. `version`: of the compiler that made the committed addon; others give other, equally good bytes. */
const gcc = (compiler, levels, { flags = ['-fPIC'], libraries = ['-lm'], link = elfFlags, ...more } = {}) => ({
  compiler,
  version: '12',
  flags,
  levels,
  ports: [],
  portSources: [],
  linkFlags: link,
  link: (objects, output) => execFileSync(compiler, [...link, '-o', output, ...objects, ...libraries]),
  ...more,
});

/** A target of macOS: clang with our own C headers, and lld, which signs what Apple's processors must find signed. */
function darwin(triple, arch, levels) {
  const link = ['-dylib', '-adhoc_codesign', '-arch', arch, '-platform_version', 'macos', '11.0', '11.0', '-S'];
  link.push('-install_name', '@rpath/lc-kernels.node', ...nodeFunctions.flatMap((name) => ['-U', `_${name}`]));
  return {
    compiler: 'clang-14',
    version: '14',
    flags: [
      ...['-target', triple, '-fPIC', '-ffreestanding', '-fno-stack-protector'],
      ...['-isystem', 'port/darwin', '-isystem', 'port/libuv'],
    ],
    levels,
    ports: ['darwin', 'libuv'],
    portSources: [],
    linkFlags: [...link, libSystem],
    link(objects, output) {
      const library = join(dirname(output), 'libSystem.tbd');
      writeFileSync(library, libSystem);
      execFileSync('ld64.lld-14', [...link, '-o', output, ...objects, library]);
    },
  };
}

/** By the names of platforms that VS Code has. */
export const targets = {
  'linux-x64': gcc('gcc', x64Levels),
  'linux-arm64': gcc('aarch64-linux-gnu-gcc', arm64Levels),
  'win32-x64': gcc('x86_64-w64-mingw32-gcc', x64Levels, {
    // gcc aligns no vectors on the stack of Windows: the assembler makes moves to and from it that need no alignment.
    // "%d" and "%s" need no printf but the system's.
    flags: [
      ...['-Wa,-muse-unaligned-vector-move', '-DNAPI_EXTERN=', '-D__USE_MINGW_ANSI_STDIO=0'],
      ...['-isystem', 'port/libuv'],
    ],
    // By default, the base is a hash of the output's path.
    link: ['-shared', '-s', '-static-libgcc', '-Wl,--no-insert-timestamp', '-Wl,--image-base,0x180000000'],
    libraries: [],
    ports: ['libuv', 'win32'],
    portSources: ['port/win32/node.c'],
  }),
  'darwin-arm64': darwin('arm64-apple-macos11', 'arm64', arm64Levels),
  'darwin-x64': darwin('x86_64-apple-macos11', 'x86_64', x64Levels),
};

/** @returns why a target cannot be built here to the same bytes as the committed addon, in one line; null if it can. */
export function cannotBuild(target) {
  const { compiler, version } = targets[target];
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'addons are built on Linux x64';
  try {
    const found = execFileSync(compiler, ['-dumpversion'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    if (parseInt(found) !== Number(version)) return `${compiler} is version ${found.trim()}, not ${version}`;
    if (target.startsWith('darwin')) execFileSync('ld64.lld-14', ['--version'], { stdio: 'ignore' });
    return null;
  } catch {
    return `${compiler} or its linker is not installed`;
  }
}
