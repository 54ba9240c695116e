// The page of the extension, from extension/README.md. An editor looks for relative pictures and links at the extension's repository, which a
// VSIX without one has not: the pictures go into the page itself. VS Code 1.100 shows them there; newer ones (seen in 1.139) show no
// picture but from https, and in the place of each the text that stands for it. The walkthrough has the pictures in all.
import { Buffer } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

const PNG = Buffer.from([0x89, 0x50, 0x4e, 0x47]);

/**
 * @param {string} markdown
 * @param {string} folder what its pictures are named relative to
 * @returns {string} the same with its pictures as data URIs
 * @throws where a picture is no PNG or has no text, or a link leads nowhere outside the repository
 */
export function extensionPage(markdown, folder) {
  return markdown.replace(/(!?)\[([^\]]*)\]\(([^)]*)\)/g, (whole, isPicture, text, target) => {
    if (!isPicture) {
      if (!target.startsWith('https://'))
        throw new Error(`The page of the extension links to ${target}, which no editor can open.`);
      return whole;
    }
    if (text === '') throw new Error(`The picture ${target} has no text for those who do not see it.`);
    const picture = readFileSync(resolve(folder, target));
    if (!picture.subarray(0, 4).equals(PNG)) throw new Error(`The picture ${target} is no PNG.`);
    return `![${text}](data:image/png;base64,${picture.toString('base64')})`;
  });
}
