// Makes the VSIX files of targets, opens each again and checks it: what `npm run package` and `npm run release` share.
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { basename } from 'node:path';
import { buildBundles, buildVsix } from './build.mjs';
import { inspectVsix, sha256 } from './inspect.mjs';
import { ROOT, hasRuntime, recordedAddon } from './targets.mjs';

export const megabytes = (bytes) => `${(bytes / 1024 / 1024).toFixed(2)} MB`;

/** @returns {(path: string) => boolean} whether the repository, with its last commit, has a file at a path. */
function committedFiles() {
  const files = new Set(
    execFileSync('git', ['ls-tree', '-r', '--name-only', 'HEAD'], { cwd: ROOT, encoding: 'utf8' }).split('\n'),
  );
  return (path) => files.has(path);
}

/**
 * @param {string[]} targets
 * @param {{ repository: string | null, folder: string }} options repository: its https address; with one, the rules of marketplaces apply.
 * @returns {{ target: string, path: string, bytes: number, sha256: string }[]} the files made.
 * @throws Error that lists the faults of a file; the faulty file is removed.
 */
export function makeAll(targets, { repository, folder }) {
  buildBundles();
  const hasPicture = repository ? committedFiles() : () => true;
  return targets.map((target) => {
    const path = buildVsix(target, { repository, folder });
    const bytes = readFileSync(path);
    const addon = recordedAddon(target);
    const { faults, native, unpacked } = inspectVsix(bytes, { target, addon, publishable: repository !== null, hasPicture });
    if (faults.length > 0) {
      rmSync(path);
      throw new Error(`The VSIX for ${target} is not right:\n${faults.map((fault) => `  ${fault}`).join('\n')}`);
    }
    console.log(`\n${basename(path)}: ${megabytes(bytes.length)}, unpacked ${megabytes(unpacked)}, sha256 ${sha256(bytes)}`);
    for (const file of native) console.log(`  ${megabytes(file.bytes).padStart(9)}  ${file.sha256}  ${basename(file.path)}`);
    if (!addon) console.log(`  no native kernels are built for ${target}: it ships without them`);
    if (!hasRuntime(target)) console.log(`  there is no onnxruntime for ${target}: it ships without it`);
    return { target, path, bytes: bytes.length, sha256: sha256(bytes) };
  });
} // prettier-ignore

/**
 * @param {string[]} args of the command line
 * @returns {string | null} the https address after --repository, or that of package.json; null without either.
 * @throws Error if it is no https address.
 */
export function repositoryOf(args, manifest) {
  const at = args.indexOf('--repository');
  const given = at < 0 ? (manifest.repository?.url ?? null) : args[at + 1];
  if (given === null) return null;
  if (!/^(git\+)?https:\/\/[^/\s]+\/[^/\s]+\/[^/\s]+$/.test(given ?? ''))
    throw new Error(`--repository is ${given}: give an address such as https://HOST/OWNER/NAME.`);
  return given.replace(/^git\+/, '').replace(/\.git$/, '');
}
