/** A small VSIX without a fault, as a table of its files. */
import { readFileSync } from 'node:fs';
import { zipSync } from 'fflate';
import manifest from '../../../package.json' with { type: 'json' };
import { vsixManifest } from '../../host/vsix/build.mjs';
import { expectedNative, type RecordedAddon } from '../../host/vsix/targets.mjs';

export const REPOSITORY = 'https://github.com/example/lc-prune';
export type Files = Record<string, Uint8Array>;
export type Manifest = ReturnType<typeof vsixManifest>;

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const source = (path: string): Uint8Array => readFileSync(new URL(`../../../${path}`, import.meta.url));

/** The first bytes of a native file, as the formats define them: ELF's e_machine, PE's Machine, Mach-O's cputype. */
export function nativeFile(target: string): Uint8Array {
  const file = Buffer.alloc(256);
  const [platform, arch] = target.split('-') as [string, string];
  if (platform === 'linux') {
    file.write('\x7fELF\x02\x01\x01', 'latin1');
    file.writeUInt16LE(arch === 'x64' ? 62 : 183, 18);
  } else if (platform === 'win32') {
    file.write('MZ');
    file.writeUInt32LE(0x80, 0x3c);
    file.write('PE\0\0', 0x80);
    file.writeUInt16LE(arch === 'x64' ? 0x8664 : 0xaa64, 0x84);
  } else {
    file.writeUInt32LE(0xfeedfacf, 0);
    file.writeUInt32LE(arch === 'x64' ? 0x01000007 : 0x0100000c, 4);
  }
  return file;
}

/** @param change edits the manifest or the files of the right VSIX. */
export function smallVsix(
  target: string,
  addon: RecordedAddon | null,
  change: (files: Files, manifest: Manifest) => void = () => {},
): Uint8Array {
  const files: Files = {
    'extension.vsixmanifest': bytes(`<Identity TargetPlatform="${target}"/>`),
    'extension/LICENSE.txt': bytes('MIT'),
    'extension/changelog.md': bytes(`# Changelog\n\n## ${manifest.version}\n\n- First.\n`),
    'extension/readme.md': bytes(
      `# LC Prune\n\n![A run](${REPOSITORY}/raw/HEAD/docs/screenshots/goal.png)\n\n[Docs](${REPOSITORY})\n`,
    ),
    'extension/media/icon.png': source('media/icon.png'),
  };
  for (const name of ['extension.cjs', 'client.cjs', 'cli.mjs', 'daemon.mjs', 'trainer.mjs', 'modelWorker.mjs'])
    files[`extension/dist/${name}`] = bytes('code');
  const named = JSON.stringify(manifest).matchAll(/"(?:\.\/)?((?:media|schemas|syntaxes)\/[\w./-]+)"/g);
  for (const [, path] of named) files[`extension/${path}`] = source(path!);
  for (const page of Object.keys(files).filter((path) => path.includes('/walkthrough/')))
    for (const [, picture] of Buffer.from(files[page]!)
      .toString()
      .matchAll(/\]\(([\w-]+\.png)\)/g))
      files[`extension/media/walkthrough/${picture}`] = source(`media/walkthrough/${picture}`);
  files['extension/l10n/bundle.l10n.json'] = bytes('{}');
  for (const path of expectedNative(target, addon)) files[path] = nativeFile(target);
  const changed = vsixManifest(manifest, REPOSITORY);
  change(files, changed);
  files['extension/package.json'] ??= bytes(JSON.stringify(changed));
  return zipSync(files, { level: 0 });
}
