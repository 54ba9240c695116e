// The platforms that a VSIX is made for, and the native files that each must have: no other may be in it.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');

/** Files of onnxruntime-node 1.30 that are loaded, by platform. Its CUDA and TensorRT companions and second names of one library stay out. */
const RUNTIME = {
  linux: ['libonnxruntime.so.1', 'onnxruntime_binding.node'],
  win32: ['DirectML.dll', 'dxcompiler.dll', 'dxil.dll', 'onnxruntime.dll', 'onnxruntime_binding.node'],
  darwin: ['libonnxruntime.1.dylib', 'onnxruntime_binding.node'],
};

/** Names as the marketplaces have them. Of onnxruntime there is no darwin-x64: the native engine and TensorFlow.js do its work. */
export const TARGETS = ['linux-x64', 'linux-arm64', 'win32-x64', 'win32-arm64', 'darwin-x64', 'darwin-arm64'];

/** @returns {boolean} whether onnxruntime exists for a target. */
export const hasRuntime = (target) => target !== 'darwin-x64';

/** @returns {string} the folder of onnxruntime's native files, in its package. */
export const runtimeFolder = (target) => `bin/napi-v6/${target.replace('-', '/')}`;

/** @returns {string[]} names of onnxruntime's native files in that folder. */
export const runtimeFiles = (target) => (hasRuntime(target) ? RUNTIME[target.split('-')[0]] : []);

/** @returns {string} the name of a target's own addon, without its ending. */
const addonName = (target) => `lc-kernels-${target}`;

/**
 * A target's own addon as daemon/engine/kernels/build.mjs recorded it.
 *
 * @returns {{ file: string, sha256: string } | null} null if none is built for the target.
 * @throws Error if the addon is there without its record, or the record without its addon.
 */
export function recordedAddon(target, folder = join(ROOT, 'daemon/engine/kernels/prebuilt')) {
  const [addon, record] = ['node', 'json'].map((ending) => join(folder, `${addonName(target)}.${ending}`));
  if (!existsSync(addon) && !existsSync(record)) return null;
  const missing = [addon, record].find((path) => !existsSync(path));
  if (missing)
    throw new Error(`${missing} is missing: build the addon again with "node daemon/engine/kernels/build.mjs native".`);
  return { file: `${addonName(target)}.node`, sha256: JSON.parse(readFileSync(record, 'utf8')).sha256 };
}

/**
 * @param {{ file: string } | null} addon the target's own
 * @returns {string[]} paths of all native files that a target's VSIX has, sorted.
 */
export function expectedNative(target, addon) {
  const runtime = runtimeFiles(target).map(
    (name) => `extension/dist/node_modules/onnxruntime-node/${runtimeFolder(target)}/${name}`,
  );
  return [...runtime, ...(addon ? [`extension/dist/prebuilt/${addon.file}`] : [])].sort();
}
