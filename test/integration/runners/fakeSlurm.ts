/** Programs named as Slurm's, in a folder that comes first in PATH: they note how they were called, and answer what a test has put there. */
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

const PROGRAMS = ['sbatch', 'squeue', 'scancel', 'sinfo'] as const;
type Program = (typeof PROGRAMS)[number];

export class FakeSlurm {
  private constructor(
    readonly folder: string,
    private readonly path: string | undefined,
  ) {}

  static async install(): Promise<FakeSlurm> {
    const folder = await mkdtemp(join(tmpdir(), 'slurm-'));
    const fake = new FakeSlurm(folder, process.env['PATH']);
    process.env['PATH'] = `${folder}${delimiter}${process.env['PATH']}`;
    for (const program of PROGRAMS) {
      const file = join(folder, program);
      const lines = [
        '#!/bin/sh',
        `echo "$*" >> '${file}.calls'`,
        `[ ! -f '${file}.err' ] || { cat '${file}.err' >&2; exit 1; }`,
        `cat '${file}.out' 2>/dev/null || true`,
      ];
      await writeFile(file, `${lines.join('\n')}\n`);
      await chmod(file, 0o755);
    }
    return fake;
  }

  /** What the program prints from now on. */
  async answer(program: Program, text: string): Promise<void> {
    await rm(join(this.folder, `${program}.err`), { force: true });
    await writeFile(join(this.folder, `${program}.out`), text);
  }

  /** The program fails from now on. */
  fail(program: Program, text: string): Promise<void> {
    return writeFile(join(this.folder, `${program}.err`), text);
  }

  /** The arguments of each call so far. */
  async calls(program: Program): Promise<string[]> {
    const text = await readFile(join(this.folder, `${program}.calls`), 'utf8').catch(() => '');
    return text.split('\n').filter(Boolean);
  }

  async remove(): Promise<void> {
    process.env['PATH'] = this.path;
    await rm(this.folder, { recursive: true, force: true });
  }
}
