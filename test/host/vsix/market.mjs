// Rules of the Visual Studio Marketplace and of Open VSX for an extension's manifest, page and files.
import { TextDecoder } from 'node:util';

/** https://code.visualstudio.com/api/references/extension-manifest, "categories". */
const CATEGORIES = [
  'AI', 'Azure', 'Chat', 'Data Science', 'Debuggers', 'Education', 'Extension Packs', 'Formatters', 'Keymaps', 'Language Packs', 'Linters',
  'Machine Learning', 'Notebooks', 'Other', 'Programming Languages', 'SCM Providers', 'Snippets', 'Testing', 'Themes', 'Visualization',
]; // prettier-ignore

/** Most keywords that the marketplace accepts. */
const MOST_KEYWORDS = 30;
/** Smallest width and height of an icon, pixels. */
const ICON = 128;
/** Largest VSIX that Open VSX takes, bytes. */
export const LARGEST = 512 * 1024 * 1024;

const PNG = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const isPng = (bytes) => bytes.length > 24 && PNG.every((byte, index) => bytes[index] === byte);
const isHttps = (text) => typeof text === 'string' && /^https:\/\/[^/\s]+/.test(text);
const text = (bytes) => new TextDecoder().decode(bytes);

/** Targets of the pictures or of the links of a page in Markdown and HTML. */
export const pictures = (markdown) =>
  Array.from(
    markdown.matchAll(/!\[[^\]]*\]\(([^)\s]*)\)|<img[^>]+src=["']([^"']*)["']/g),
    (match) => match[1] ?? match[2],
  );
const links = (markdown) => Array.from(markdown.matchAll(/(?<!!)\[[^\]]*\]\(([^)\s]*)\)/g), (match) => match[1]); // prettier-ignore

/** The fields of package.json. */
function manifestFaults(manifest, publishable) {
  const faults = [];
  const need = (holds, fault) => holds || faults.push(`package.json: ${fault}`);
  for (const field of ['name', 'displayName', 'description', 'publisher', 'license'])
    need(typeof manifest[field] === 'string' && manifest[field] !== '', `"${field}" is missing`);
  need(/^\d+\.\d+\.\d+$/.test(manifest.version), `"version" is ${manifest.version}: three numbers, such as 1.2.3`);
  need(manifest.engines?.vscode, '"engines.vscode" is missing: give the oldest editor that it runs in');
  const unknown = (manifest.categories ?? []).filter((each) => !CATEGORIES.includes(each));
  need(manifest.categories?.length > 0, '"categories" is empty: give at least one');
  need(unknown.length === 0, `"categories" has ${unknown}, which the marketplace does not know`);
  need((manifest.keywords ?? []).length <= MOST_KEYWORDS, `"keywords" has more than ${MOST_KEYWORDS}`);
  need(['Free', 'Trial'].includes(manifest.pricing), '"pricing" is neither "Free" nor "Trial"');
  const { qna } = manifest;
  need(qna === false || qna === 'marketplace' || isHttps(qna), '"qna" is not false, "marketplace" or an https address');
  need(
    manifest.enabledApiProposals === undefined,
    '"enabledApiProposals" is set: no marketplace takes proposed interfaces',
  );
  need(manifest.private === undefined, '"private" is set: vsce does not publish it');
  if (publishable) {
    const where = 'give --repository https://HOST/OWNER/NAME, or the field';
    need(isHttps(manifest.repository?.url), `"repository.url" is no https address: ${where}`);
    need(isHttps(manifest.bugs?.url), `"bugs.url" is no https address: ${where}`);
    need(isHttps(manifest.homepage), `"homepage" is no https address: ${where}`);
  }
  return faults; // prettier-ignore
}

function iconFaults(manifest, files) {
  const bytes = files[`extension/${manifest.icon}`];
  if (!bytes) return [`package.json: "icon" is ${manifest.icon}, which is not in the VSIX`];
  if (!isPng(bytes)) return [`${manifest.icon}: the icon is no PNG`];
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const [width, height] = [view.getUint32(16), view.getUint32(20)];
  return width === height && width >= ICON
    ? []
    : [`${manifest.icon}: the icon is ${width} by ${height} pixels; it must be a square of at least ${ICON}`];
}

/**
 * The page that marketplaces show.
 *
 * @param publishable pictures must come from https; otherwise a PNG inside the page is accepted too.
 * @param hasPicture whether the repository has a PNG at a path.
 */
function pageFaults(page, publishable, repository, hasPicture) {
  const faults = [];
  if (/<svg/i.test(page)) faults.push('readme.md: an SVG tag, which marketplaces refuse: use a PNG');
  const shown = pictures(page);
  if (shown.length === 0) faults.push('readme.md: the page has no picture');
  for (const target of shown) {
    const name = target.slice(0, 80);
    if (/^data:image\/svg|\.svg([?#]|$)/i.test(target))
      faults.push(`readme.md: the picture ${name} is an SVG: use a PNG`);
    else if (!target.startsWith('https://')) {
      if (publishable || !target.startsWith('data:image/png;'))
        faults.push(`readme.md: the picture ${name} does not come from https`);
    } else if (repository && target.startsWith(repository)) {
      const path = /\/raw\/[^/]+\/(.+)$/.exec(target)?.[1];
      if (!path || !hasPicture(path)) faults.push(`readme.md: the picture ${name} is not in the repository`);
    }
  }
  for (const target of links(page))
    if (!/^(https:\/\/|#)/.test(target)) faults.push(`readme.md: the link ${target} is relative: it leads nowhere`);
  return faults; // prettier-ignore
}

/** Pages of the walkthrough, pictures and other files that the manifest names. */
function namedFileFaults(manifest, files) {
  const faults = [];
  const need = (path, by) => {
    const name = `extension/${path.replace(/^\.\//, '')}`;
    // A folder, such as that of translations, is there if a file in it is.
    if (!files[name] && !Object.keys(files).some((file) => file.startsWith(`${name}/`)))
      faults.push(`${by} names ${path}, which is not in the VSIX`);
    return files[name];
  };
  const walk = (value) => {
    if (typeof value === 'string') {
      if (/^\.?\/?(media|schemas|syntaxes|l10n|dist)\/[\w./-]+$/.test(value)) need(value, 'package.json');
    } else if (value !== null && typeof value === 'object') Object.values(value).forEach(walk);
  };
  walk(manifest);
  for (const { steps } of manifest.contributes?.walkthroughs ?? [])
    for (const { media } of steps) {
      const page = media.markdown && files[`extension/${media.markdown}`];
      for (const target of page ? pictures(text(page)) : []) {
        const path = `${media.markdown.replace(/[^/]*$/, '')}${target}`;
        const bytes = need(path, media.markdown);
        if (bytes && !isPng(bytes)) faults.push(`${media.markdown}: the picture ${path} is no PNG`);
      }
    }
  return faults;
}

/**
 * @param files path in the VSIX -> bytes.
 * @param options publishable: whether it goes to a marketplace, which needs a repository and pictures from https. hasPicture: whether the
 *   repository has a PNG at a path.
 * @returns {string[]} what is wrong, a line each: file, field and the way out.
 */
export function marketFaults(files, { publishable, hasPicture }) {
  const manifest = JSON.parse(text(files['extension/package.json']));
  const named = (name) => files[Object.keys(files).find((path) => path.toLowerCase() === `extension/${name}`)];
  const faults = [...manifestFaults(manifest, publishable), ...iconFaults(manifest, files)];
  const page = named('readme.md');
  const repository = manifest.repository?.url?.replace(/\.git$/, '');
  if (page) faults.push(...pageFaults(text(page), publishable, repository, hasPicture));
  else faults.push('readme.md: the VSIX has no page');
  const changes = named('changelog.md');
  if (!changes) faults.push('changelog.md: it is not in the VSIX');
  else if (!text(changes).split('\n').includes(`## ${manifest.version}`))
    faults.push(`changelog.md: it has no section "## ${manifest.version}"`);
  if (!named('license') && !named('license.txt') && !named('license.md'))
    faults.push('LICENSE: it is not in the VSIX; Open VSX takes none without');
  return [...faults, ...namedFileFaults(manifest, files)];
}
