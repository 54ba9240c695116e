import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import manifest from '../../../package.json' with { type: 'json' };
import { sha256 } from '../../host/vsix/inspect.mjs';
import { repositoryOf } from '../../host/vsix/make.mjs';
import { extensionPage } from '../../host/vsix/page.mjs';
import { recordedAddon, ROOT, TARGETS } from '../../host/vsix/targets.mjs';
import { changes, checksums, releaseChangelog, releaseVersion, withVersion } from '../../host/vsix/version.mjs';

const read = (name: string) => readFileSync(join(ROOT, name), 'utf8');

describe('the version of a release', () => {
  test('is the present one or a later one, of three numbers', () => {
    for (const version of ['0.2.0', '0.2.1', '0.10.0', '1.0.0']) expect(releaseVersion(version, '0.2.0')).toBe(version);
    for (const version of ['0.1.9', '0.0.3']) expect(() => releaseVersion(version, '0.2.0')).toThrow(/comes before 0\.2\.0/);
    for (const version of [undefined, '', '1', '1.0', '1.0.0-beta', '1.0.0.0', '01.0.0', '--all'])
      expect(() => releaseVersion(version, '0.2.0')).toThrow(/give three numbers/);
  }); // prettier-ignore

  test('changes package.json and its lock in that one field', () => {
    for (const name of ['package.json', 'package-lock.json']) {
      const text = read(name);
      expect(withVersion(text, manifest.version)).toBe(text);
      const changed = withVersion(text, '9.8.7');
      const lines = text.split('\n');
      const other = changed.split('\n').filter((line, index) => line !== lines[index]);
      expect(other.map((line) => line.trim())).toEqual(
        Array.from({ length: name === 'package.json' ? 1 : 2 }, () => '"version": "9.8.7",'),
      );
    }
  });
});

describe('the changelog of a release', () => {
  test('"Unreleased" becomes the version; its text goes into the notes', () => {
    const log = releaseChangelog('# Changelog\r\n\r\n## Unreleased\r\n\r\n- New.\r\n\r\n## 0.1.0\r\n\r\nFirst.\r\n', '0.2.0');
    expect(log).toBe('# Changelog\n\n## 0.2.0\n\n- New.\n\n## 0.1.0\n\nFirst.\n');
    expect(changes(log, '0.2.0')).toBe('- New.');
    expect(changes(log, '0.1.0')).toBe('First.');
    expect(releaseChangelog(read('CHANGELOG.md'), manifest.version)).toBe(read('CHANGELOG.md'));
  }); // prettier-ignore

  test('one without the version in front, with it twice, or with nothing to say is refused', () => {
    expect(() => releaseChangelog('## 0.1.0\n\nFirst.\n', '0.2.0')).toThrow(
      /first section is "0\.1\.0", not "0\.2\.0"/,
    );
    expect(() => releaseChangelog('## Unreleased\n\nNew.\n\n## 0.2.0\n\nOld.\n', '0.2.0')).toThrow(/a second section/);
    expect(() => releaseChangelog('## Unreleased\n\n## 0.1.0\n\nFirst.\n', '0.2.0')).toThrow(/says nothing/);
  });
});

test('checksums are lines of sha256sum, with names and no folders', () => {
  const files = [{ path: '/made/a.vsix', sha256: sha256(new TextEncoder().encode('abc')) }];
  // FIPS 180-2, appendix B.1.
  expect(checksums(files, basename)).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  a.vsix\n');
});

test('the repository is that of the command line, or of package.json, and has an https address', () => {
  expect(repositoryOf([], {})).toBeNull();
  expect(repositoryOf([], { repository: { url: 'git+https://github.com/a/b.git' } })).toBe('https://github.com/a/b');
  expect(repositoryOf(['--repository', 'https://github.com/c/d'], { repository: { url: 'https://github.com/a/b' } })).toBe(
    'https://github.com/c/d',
  );
  for (const bad of ['http://github.com/a/b', 'github.com/a/b', 'https://github.com', '--all'])
    expect(() => repositoryOf(['--repository', bad], {})).toThrow(/--repository is/);
  expect(() => repositoryOf(['--repository'], {})).toThrow(/--repository is/);
}); // prettier-ignore

test('a page with a repository names its pictures and links from the root, for vsce to rewrite', () => {
  const page = extensionPage('![run](../docs/screenshots/goal.png) [docs](../docs/data.md)', join(ROOT, 'extension'), ROOT);
  expect(page).toBe('![run](docs/screenshots/goal.png) [docs](docs/data.md)');
}); // prettier-ignore

describe('the record of an addon', () => {
  test('is that of its bytes, for each that is built; a target without one has none', () => {
    const built = TARGETS.map((target) => recordedAddon(target)).filter((addon) => addon !== null);
    expect(built.map(({ file }) => file)).toContain('lc-kernels-linux-x64.node');
    for (const { file, sha256: recorded } of built)
      expect(sha256(readFileSync(join(ROOT, 'daemon/engine/kernels/prebuilt', file)))).toBe(recorded);
  });

  test('an addon without a record, and a record without an addon, are refused by name', () => {
    const folder = mkdtempSync(join(tmpdir(), 'lc-addon-'));
    try {
      expect(recordedAddon('win32-x64', folder)).toBeNull();
      writeFileSync(join(folder, 'lc-kernels-win32-x64.node'), 'MZ');
      expect(() => recordedAddon('win32-x64', folder)).toThrow(/lc-kernels-win32-x64\.json is missing/);
      writeFileSync(join(folder, 'lc-kernels-win32-x64.json'), '{"sha256":"0"}');
      expect(recordedAddon('win32-x64', folder)).toEqual({ file: 'lc-kernels-win32-x64.node', sha256: '0' });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
