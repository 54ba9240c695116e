// Prepares a release: the version, its section of the changelog, the checked VSIX of every target, and their checksums.
//   npm run release -- 0.2.0 --repository https://HOST/OWNER/NAME
// It publishes nothing. All is refused before the first file is written, but for a VSIX that is not right.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { makeAll, megabytes, repositoryOf } from './vsix/make.mjs';
import { ROOT, TARGETS } from './vsix/targets.mjs';
import { changes, checksums, releaseChangelog, releaseVersion, withVersion } from './vsix/version.mjs';

const read = (name) => readFileSync(join(ROOT, name), 'utf8');
const args = process.argv.slice(2);
const manifest = JSON.parse(read('package.json'));

const version = releaseVersion(args[0], manifest.version);
const repository = repositoryOf(args, manifest);
if (!repository)
  throw new Error('No repository is given: add --repository https://HOST/OWNER/NAME, or the field to package.json.');
const changelog = releaseChangelog(read('CHANGELOG.md'), version);
const changed = execFileSync('git', ['status', '--porcelain'], { cwd: ROOT, encoding: 'utf8' });
if (changed !== '') throw new Error(`Files are not committed: commit them first.\n${changed}`);

for (const name of ['package.json', 'package-lock.json'])
  writeFileSync(join(ROOT, name), withVersion(read(name), version));
writeFileSync(join(ROOT, 'CHANGELOG.md'), changelog);

const folder = join(ROOT, 'artifacts/release', version);
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
const files = makeAll(TARGETS, { repository, folder });
writeFileSync(join(folder, 'SHA256SUMS'), checksums(files, basename));
const rows = files.map(({ path, bytes, sha256 }) => `| ${basename(path)} | ${megabytes(bytes)} | \`${sha256}\` |`);
writeFileSync(
  join(folder, 'RELEASE.md'),
  `# LC Prune ${version}\n\n${changes(changelog, version)}\n\n| file | size | sha256 |\n| --- | --- | --- |\n${rows.join('\n')}\n`,
);

console.log(`\n${relative(ROOT, folder)} has ${files.length} VSIX files, SHA256SUMS and RELEASE.md. Next:
  git commit -am "Version ${version}" && git tag v${version} && git push --follow-tags
  npx vsce publish --packagePath ${relative(ROOT, folder)}/*.vsix
  npx ovsx publish --packagePath ${relative(ROOT, folder)}/*.vsix`);
