// The page of the extension, from extension/README.md. With a repository its pictures and links become paths from the repository's root, which
// vsce makes https addresses. Without one the pictures go into the page itself. VS Code 1.100 shows them there; newer ones (seen in 1.139)
// show no picture but from https, and in the place of each the text that stands for it. The walkthrough has the pictures in all.
import { Buffer } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { relative, resolve } from 'node:path';

const PNG = Buffer.from([0x89, 0x50, 0x4e, 0x47]);

/**
 * @param {string} markdown
 * @param {string} folder what its pictures are named relative to
 * @param {string | null} root the repository's, if it has an address; null for a page with its pictures as data URIs
 * @returns {string} the page
 * @throws where a picture is no PNG or has no text, or a link leads nowhere outside the repository
 */
export function extensionPage(markdown, folder, root = null) {
  return markdown.replace(/(!?)\[([^\]]*)\]\(([^)]*)\)/g, (whole, isPicture, text, target) => {
    const path = resolve(folder, target);
    if (!isPicture) {
      if (target.startsWith('https://')) return whole;
      if (!root) throw new Error(`The page of the extension links to ${target}, which no editor can open.`);
      return `[${text}](${fromRoot(root, path)})`;
    }
    if (text === '') throw new Error(`The picture ${target} has no text for those who do not see it.`);
    const picture = readFileSync(path);
    if (!picture.subarray(0, 4).equals(PNG)) throw new Error(`The picture ${target} is no PNG.`);
    return root
      ? `![${text}](${fromRoot(root, path)})`
      : `![${text}](data:image/png;base64,${picture.toString('base64')})`;
  });
}

const fromRoot = (root, path) => relative(root, path).replaceAll('\\', '/');
