// Opens a VSIX and checks that it has what its platform needs and nothing of another.
import { createHash } from 'node:crypto';
import { TextDecoder } from 'node:util';
import { unzipSync } from 'fflate';
import { platformOf } from './binary.mjs';
import { LARGEST, marketFaults } from './market.mjs';
import { expectedNative } from './targets.mjs';

export const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

/** Bundles without which nothing starts. */
const BUNDLES = ['extension.cjs', 'client.cjs', 'cli.mjs', 'daemon.mjs', 'trainer.mjs', 'modelWorker.mjs'];

/** @returns {string[]} faults of the native files, of which there must be all that the target loads and no other. */
function nativeFaults(files, target, addon) {
  const faults = [];
  const native = Object.keys(files).filter(
    (path) => platformOf(files[path]) !== null || /\.(node|dll|dylib|so(\.\d+)*)$/.test(path),
  );
  const expected = expectedNative(target, addon);
  for (const path of expected) if (!native.includes(path)) faults.push(`${path} is missing`);
  for (const path of native) {
    if (!expected.includes(path)) faults.push(`${path} is no native file of ${target}: it must not be there`);
    else if (platformOf(files[path]) !== target)
      faults.push(`${path} is made for ${platformOf(files[path]) ?? 'no platform'}, not for ${target}`);
  }
  if (addon) {
    const bytes = files[`extension/dist/prebuilt/${addon.file}`];
    if (bytes && sha256(bytes) !== addon.sha256)
      faults.push(
        `extension/dist/prebuilt/${addon.file} has other bytes than its record: build it again with "node daemon/engine/kernels/build.mjs native"`,
      );
  }
  return faults; // prettier-ignore
}

/**
 * @param {Uint8Array} vsix the file's bytes
 * @param {{ target: string, addon: { file: string, sha256: string } | null, publishable: boolean, hasPicture: (path: string) => boolean }} options
 * @returns {{ faults: string[], native: { path: string, bytes: number, sha256: string }[], unpacked: number }} what is wrong, a line each, and the
 *   native files with their sizes; unpacked is bytes.
 * @throws Error if the file is no zip archive.
 */
export function inspectVsix(vsix, { target, addon, ...market }) {
  const files = unzipSync(vsix);
  const faults = [];
  if (vsix.length > LARGEST) faults.push(`it has ${vsix.length} bytes; Open VSX takes ${LARGEST}`);
  const lower = Object.keys(files).map((path) => path.toLowerCase());
  for (const path of lower.filter((each, index) => lower.indexOf(each) !== index))
    faults.push(`${path} is there twice but for capitals: Windows has one of them`);
  const named = new TextDecoder().decode(files['extension.vsixmanifest'] ?? new Uint8Array());
  const platform = /TargetPlatform="([^"]*)"/.exec(named)?.[1];
  if (platform !== target) faults.push(`extension.vsixmanifest: TargetPlatform is ${platform}, not ${target}`);
  for (const name of BUNDLES)
    if (!files[`extension/dist/${name}`]) faults.push(`extension/dist/${name} is missing`);
  for (const path of Object.keys(files))
    if (/\.(map|ts|pdb)$/.test(path)) faults.push(`${path} is of no use at run time: it must not be there`);
  faults.push(...nativeFaults(files, target, addon));
  if (files['extension/package.json']) faults.push(...marketFaults(files, market));
  else faults.push('extension/package.json is missing');
  const native = Object.entries(files)
    .filter(([, bytes]) => platformOf(bytes) !== null)
    .map(([path, bytes]) => ({ path, bytes: bytes.length, sha256: sha256(bytes) }));
  return { faults, native, unpacked: Object.values(files).reduce((sum, { length }) => sum + length, 0) };
} // prettier-ignore
