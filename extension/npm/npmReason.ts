/** Extracts why npm failed from its output: the reason stands in the middle, before a stack and the path of npm's log. */

/** Prefixes of npm's own lines: one for versions up to 9, one for later ones. */
const OWN = /^npm (?:error|ERR!) ?/;

/** Lines that do not help a user: fields of the error, its stack, and where to read more. */
const NOISE =
  /^(code|syscall|errno|path|command|signal|cwd)\b|^notarget (In most cases|a package version)|^\s|^[{}]|^$|^A complete log|^If you are behind a proxy|^This is related to npm|^in the correct directory|^Note that you can also install|^\d+ Note that/;

/** What precedes the reason in a line: the code again, in small letters or as a number ("404 ", "enoent "), and the class of the error. */
const PREFIX = /^(?:\d{3}|e[a-z]+|notarget|notsup|network|code) +|^[A-Z][A-Za-z]*Error: /;

/** The way out for a code, if npm's words do not give it. */
const WAYS_OUT: Readonly<Record<string, string>> = {
  ENOTFOUND: 'is this machine online, and behind a proxy that npm knows ("npm config get proxy")?',
  ECONNREFUSED: 'is the registry that npm is set to the right one ("npm config get registry")?',
  ECONNRESET: 'the connection broke off; try again',
  ETIMEDOUT: 'is this machine online, and behind a proxy that npm knows ("npm config get proxy")?',
  EAI_AGAIN: 'is this machine online?',
  ENOSPC: 'the disk is full',
  EACCES: 'npm may not write there; check who owns the folder',
  EPERM: 'npm may not write there; check who owns the folder',
  E401: 'the registry wants a login ("npm login")',
  E403: 'the registry refuses it; is it allowed there?',
};

/** Longest reason, in characters. */
const MOST = 400;

/** @param lines of npm's output, both streams. @returns one line: npm's code and reason, and the way out if it is known. */
export function npmReason(lines: readonly string[]): string {
  const own = lines.filter((line) => OWN.test(line)).map((line) => line.replace(OWN, ''));
  const code = own.map((line) => /^code (\S+)/.exec(line)?.[1]).find((one) => one !== undefined);
  const said = own
    .filter((line) => !NOISE.test(line))
    .map((line) => `${line} `.replace(PREFIX, '').trim())
    .filter((line) => line !== '');
  // A package's install script has failed: the reason is the last line that it printed.
  const script = own.some((line) => /^command failed/.test(line));
  const others = lines.filter((line) => !OWN.test(line) && !/^(> |npm warn)/i.test(line) && line.trim() !== '');
  const reason = (script || said.length === 0 ? others.slice(-2) : said.slice(0, 2)).join('; ').slice(0, MOST);
  const where = script ? 'the install script of a package failed: ' : '';
  const way = code === undefined ? undefined : WAYS_OUT[code];
  const named = code !== undefined && /^E/.test(code) ? `${code}: ` : '';
  return `${named}${where}${reason || 'npm gave no reason'}${way ? ` (${way})` : ''}`;
}
