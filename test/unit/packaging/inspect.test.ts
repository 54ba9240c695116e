import { describe, expect, test } from 'vitest';
import { platformOf } from '../../host/vsix/binary.mjs';
import { inspectVsix, sha256 } from '../../host/vsix/inspect.mjs';
import { TARGETS } from '../../host/vsix/targets.mjs';
import { nativeFile, smallVsix, type Files, type Manifest } from './vsix.js';

const TARGET = 'linux-x64';
const addon = { file: 'lc-kernels-linux-x64.node', sha256: sha256(nativeFile(TARGET)) };
const RUNTIME = 'extension/dist/node_modules/onnxruntime-node/bin/napi-v6';
const PICTURE = 'docs/screenshots/goal.png';

const faultsOf = (
  change: (files: Files, manifest: Manifest) => void = () => {},
  { publishable = true, hasPicture = (path: string) => path === PICTURE } = {},
) => inspectVsix(smallVsix(TARGET, addon, change), { target: TARGET, addon, publishable, hasPicture }).faults;

const write = (files: Files, path: string, text: string): void => void (files[path] = new TextEncoder().encode(text));
const page = (text: string) => (files: Files) => write(files, 'extension/readme.md', text);

describe('a VSIX without a fault', () => {
  test.each(TARGETS)('%s', (target) => {
    const own = { file: `lc-kernels-${target}.node`, sha256: sha256(nativeFile(target)) };
    for (const each of [own, null]) {
      const found = inspectVsix(smallVsix(target, each), {
        target,
        addon: each,
        publishable: true,
        hasPicture: (path) => path === PICTURE,
      });
      expect(found.faults).toEqual([]);
      const names = found.native.map(({ path }) => path.split('/').at(-1)!);
      expect(names.includes(own.file)).toBe(each !== null);
      expect(names.includes('onnxruntime_binding.node')).toBe(target !== 'darwin-x64');
      for (const { bytes, sha256: hash } of found.native) expect([bytes, hash]).toEqual([256, own.sha256]);
    }
  });
});

describe('native files', () => {
  test.each(TARGETS)('%s is read from the first bytes', (target) => {
    expect(platformOf(nativeFile(target))).toBe(target);
  });

  test('text, pictures and short files are none; other processors are "other"', () => {
    expect(platformOf(new TextEncoder().encode('MZ'.padEnd(100)))).toBeNull();
    expect(platformOf(nativeFile('linux-x64').subarray(0, 20))).toBeNull();
    const arm = nativeFile('linux-x64');
    arm[18] = 40;
    expect(platformOf(arm)).toBe('other');
  });

  test('one that is missing, of another platform or processor, or hidden under another name is named', () => {
    expect(faultsOf((files) => delete files[`${RUNTIME}/linux/x64/libonnxruntime.so.1`])).toEqual([
      `${RUNTIME}/linux/x64/libonnxruntime.so.1 is missing`,
    ]);
    const foreign = (path: string, target: string) => faultsOf((files) => (files[path] = nativeFile(target)));
    expect(foreign(`${RUNTIME}/win32/x64/DirectML.dll`, 'win32-x64')).toEqual([
      `${RUNTIME}/win32/x64/DirectML.dll is no native file of linux-x64: it must not be there`,
    ]);
    expect(foreign('extension/media/picture.bin', 'darwin-arm64')[0]).toMatch(/picture\.bin is no native file of linux-x64/);
    expect(foreign(`${RUNTIME}/linux/x64/onnxruntime_binding.node`, 'linux-arm64')).toEqual([
      `${RUNTIME}/linux/x64/onnxruntime_binding.node is made for linux-arm64, not for linux-x64`,
    ]);
    expect(faultsOf((files) => write(files, `${RUNTIME}/linux/x64/onnxruntime_binding.node`, 'text'))).toEqual([
      `${RUNTIME}/linux/x64/onnxruntime_binding.node is made for no platform, not for linux-x64`,
    ]);
  }); // prettier-ignore

  test('our own with other bytes than its record is refused', () => {
    const faults = faultsOf((files) => (files[`extension/dist/prebuilt/${addon.file}`]![200] = 1));
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(/lc-kernels-linux-x64\.node has other bytes than its record/);
  });
});

describe('the files of a VSIX', () => {
  test.each<[string, (files: Files, manifest: Manifest) => void, RegExp]>([
    ['another platform', (files) => write(files, 'extension.vsixmanifest', 'TargetPlatform="win32-x64"'), /TargetPlatform is win32-x64, not linux-x64/],
    ['no bundle', (files) => delete files['extension/dist/trainer.mjs'], /dist\/trainer\.mjs is missing/],
    ['a source map', (files) => write(files, 'extension/dist/cli.mjs.map', '{}'), /cli\.mjs\.map is of no use/],
    ['two names that differ in case', (files) => write(files, 'extension/dist/CLI.mjs', ''), /cli\.mjs is there twice/],
    ['no license', (files) => delete files['extension/LICENSE.txt'], /LICENSE: it is not in the VSIX/],
    ['no changelog', (files) => delete files['extension/changelog.md'], /changelog\.md: it is not in the VSIX/],
    ['a changelog without the version', (files) => write(files, 'extension/changelog.md', '## 0.0.1\n'), /no section/],
    ['no page', (files) => delete files['extension/readme.md'], /readme\.md: the VSIX has no page/],
    ['no icon', (files) => delete files['extension/media/icon.png'], /"icon" is media\/icon\.png, which is not in the VSIX/],
    ['an icon that is no PNG', (files) => write(files, 'extension/media/icon.png', '<svg>'), /the icon is no PNG/],
    ['a small icon', (files) => (files['extension/media/icon.png'] = icon(64, 64)), /64 by 64 pixels/],
    ['an icon that is no square', (files) => (files['extension/media/icon.png'] = icon(256, 128)), /256 by 128 pixels/],
    ['no view icon', (files) => delete files['extension/media/activity.svg'], /names media\/activity\.svg/],
    ['no picture of the walkthrough', (files) => delete files['extension/media/walkthrough/budget.png'], /names media\/walkthrough\/budget\.png/],
    ['a walkthrough picture that is no PNG', (files) => write(files, 'extension/media/walkthrough/budget.png', 'x'), /budget\.png is no PNG/],
    ['no manifest', (files) => write(files, 'extension/package.json', '{}'), /"name" is missing/],
  ])('%s', (_, change, fault) => {
    const faults = faultsOf(change);
    expect(faults.some((each) => fault.test(each)), faults.join('\n')).toBe(true);
  }); // prettier-ignore
});

/** The head of a PNG of a size. */
function icon(width: number, height: number): Uint8Array {
  const head = Buffer.alloc(40);
  head.set([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  head.writeUInt32BE(width, 16);
  head.writeUInt32BE(height, 20);
  return head;
}

describe('the manifest', () => {
  test.each<[string, unknown, RegExp]>([
    ['publisher', '', /"publisher" is missing/],
    ['license', undefined, /"license" is missing/],
    ['version', '1.0.0-beta', /"version" is 1\.0\.0-beta/],
    ['engines', {}, /"engines\.vscode" is missing/],
    ['categories', [], /"categories" is empty/],
    ['categories', ['Pruning'], /"categories" has Pruning/],
    ['keywords', Array.from({ length: 31 }, String), /"keywords" has more than 30/],
    ['pricing', undefined, /"pricing" is neither/],
    ['qna', 'yes', /"qna" is not/],
    ['enabledApiProposals', ['chat'], /"enabledApiProposals" is set/],
    ['private', true, /"private" is set/],
    ['repository', undefined, /"repository\.url" is no https address/],
    ['bugs', { url: 'http://example.org' }, /"bugs\.url" is no https address/],
    ['homepage', undefined, /"homepage" is no https address/],
  ])('%s %j', (field, value, fault) => {
    const faults = faultsOf((_, manifest) => (manifest[field] = value));
    expect(faults.some((each) => fault.test(each)), faults.join('\n')).toBe(true);
  }); // prettier-ignore

  test('without a repository it is right for installation by hand, and not for a marketplace', () => {
    const strip = (files: Files, manifest: Manifest) => {
      for (const key of ['repository', 'bugs', 'homepage']) delete manifest[key];
      page('![run](data:image/png;base64,AAAA)')(files);
    };
    expect(faultsOf(strip, { publishable: false })).toEqual([]);
    expect(faultsOf(strip)).toHaveLength(4);
  });
});

describe('the page', () => {
  test.each([
    ['an SVG', '![run](https://example.org/run.svg)', /is an SVG: use a PNG/],
    ['an SVG inside', '![run](data:image/svg+xml;base64,AAAA)', /is an SVG: use a PNG/],
    ['an SVG tag', '<svg></svg>\n![run](https://example.org/run.png)', /an SVG tag/],
    ['a relative picture', '![run](docs/run.png)', /docs\/run\.png does not come from https/],
    ['a picture of HTML', '<img width="3" src="run.png">', /run\.png does not come from https/],
    ['http', '![run](http://example.org/run.png)', /does not come from https/],
    ['a missing picture', '![run](https://github.com/example/lc-prune/raw/HEAD/docs/gone.png)', /gone\.png is not in the repository/],
    ['no picture', 'Only text.', /the page has no picture/],
    ['a relative link', '![run](https://example.org/run.png) [docs](docs/data.md)', /the link docs\/data\.md is relative/],
  ])('%s', (_, text, fault) => {
    const faults = faultsOf(page(text));
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(fault);
  }); // prettier-ignore
});
