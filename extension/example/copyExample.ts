import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const NAME = 'lc-prune-example';

/** The line that names the schema by its place in this repository. A copy does not need it: the schema applies by file name. */
const SCHEMA_LINE = /^\s*"\$schema":.*\n/m;

/**
 * Copies the files of a folder into a new one, `lc-prune-example`, or with the next free number.
 * @param from a folder of files only. @param parent an existing folder.
 * @returns path of the new folder
 */
export async function copyExample(from: string, parent: string): Promise<string> {
  const folder = await newFolder(parent);
  for (const { name } of (await readdir(from, { withFileTypes: true })).filter((entry) => !entry.isDirectory())) {
    const content = await readFile(join(from, name));
    const isPlan = name.endsWith('.prune.json');
    await writeFile(join(folder, name), isPlan ? content.toString('utf8').replace(SCHEMA_LINE, '') : content);
  }
  return folder;
}

async function newFolder(parent: string): Promise<string> {
  for (let number = 1; ; number++) {
    const folder = join(parent, number === 1 ? NAME : `${NAME}-${number}`);
    try {
      await mkdir(folder);
      return folder;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}
