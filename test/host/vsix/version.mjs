// The version of a release, and its section of the changelog.

const numbers = (version) => version.split('.').map(Number);

/** @returns {number} below 0 if version a comes before b, 0 if they are the same. */
function compare(a, b) {
  const [left, right] = [numbers(a), numbers(b)];
  const at = left.findIndex((value, index) => value !== right[index]);
  return at < 0 ? 0 : left[at] - right[at];
}

/**
 * @param {string | undefined} asked
 * @param {string} present that of package.json: it may be released as it is
 * @returns {string} the version of the release
 * @throws Error if it is not three numbers (no marketplace takes more), or comes before the present one
 */
export function releaseVersion(asked, present) {
  if (!/^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)$/.test(asked ?? ''))
    throw new Error(`The version is ${asked}: give three numbers, such as 0.2.0 (npm run release -- 0.2.0).`);
  if (compare(asked, present) < 0)
    throw new Error(`The version ${asked} comes before ${present} of package.json: give a later one.`);
  return asked;
}

/**
 * @returns {string} the changelog with "## Unreleased", if it is there, as the section of the version
 * @throws Error if the version then has no section, has an empty one, or is not the first
 */
export function releaseChangelog(changelog, version) {
  const text = changelog.replaceAll('\r\n', '\n').replace(/^## Unreleased$/m, `## ${version}`);
  const first = /^## (.*)$/m.exec(text)?.[1];
  if (first !== version)
    throw new Error(`CHANGELOG.md: its first section is "${first}", not "${version}": write one, or "## Unreleased".`);
  if (text.split('\n').filter((line) => line === `## ${version}`).length > 1)
    throw new Error(`CHANGELOG.md: there is a second section "${version}": the version was released before.`);
  if (changes(text, version) === '') throw new Error(`CHANGELOG.md: the section "${version}" says nothing.`);
  return text;
}

/** @returns {string} what the section of a version says. */
export function changes(changelog, version) {
  const lines = changelog.split('\n');
  const rest = lines.slice(lines.indexOf(`## ${version}`) + 1);
  const end = rest.findIndex((line) => line.startsWith('## '));
  return (end < 0 ? rest : rest.slice(0, end)).join('\n').trim();
}

/** @returns {string} the text of package.json or package-lock.json with the version, and nothing else changed. */
export function withVersion(text, version) {
  const parsed = JSON.parse(text);
  parsed.version = version;
  if (parsed.packages?.['']) parsed.packages[''].version = version;
  return `${JSON.stringify(parsed, null, 2)}\n`;
}

/** @returns {string} lines as `sha256sum --check` reads them. @param {{ path: string, sha256: string }[]} files */
export const checksums = (files, nameOf) => files.map((file) => `${file.sha256}  ${nameOf(file.path)}\n`).join('');
