// Makes and checks the VSIX of this platform, of others, or of all: the production bundles, and of the native files only what the platform loads.
//   npm run package [-- --target linux-x64 | --all] [--repository https://HOST/OWNER/NAME]
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { STAGE, sizeOf } from './vsix/build.mjs';
import { makeAll, megabytes, repositoryOf } from './vsix/make.mjs';
import { ROOT, TARGETS } from './vsix/targets.mjs';

const args = process.argv.slice(2);
const asked = args.indexOf('--target');
const one = asked < 0 ? `${process.platform}-${process.arch}` : args[asked + 1];
if (!TARGETS.includes(one) && !args.includes('--all'))
  throw new Error(`--target is ${one}: give one of ${TARGETS.join(', ')}, or --all.`);

const repository = repositoryOf(args, JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')));
const made = makeAll(args.includes('--all') ? TARGETS : [one], { repository, folder: ROOT });
if (!repository)
  console.log('\nFor installation by hand: a marketplace wants pictures from https, which --repository gives them.');

if (made.length === 1) {
  const parts = {
    onnxruntime: 'dist/node_modules',
    'extension.cjs': 'dist/extension.cjs',
    'monitor page': 'dist/webview',
    'daemon, trainer, CLI': 'dist/chunks',
    'pictures of the page': 'README.md',
    walkthrough: 'media/walkthrough',
    example: 'examples',
  };
  console.log(`\nUnpacked ${megabytes(sizeOf(STAGE))}, of that`);
  for (const [name, path] of Object.entries(parts))
    console.log(`  ${name.padEnd(22)}${megabytes(sizeOf(join(STAGE, path)))}`);
}
