/** The finished rows of a long study: one JSON file, rewritten atomically after every row, so that an interrupted study continues. */
import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { writeFileAtomic } from '../../../daemon/files/atomicWrite.js';

export class Ledger<Row> {
  private constructor(
    private readonly file: string,
    private readonly rows: Record<string, Row>,
  ) {}

  static async open<Row>(file: string): Promise<Ledger<Row>> {
    await mkdir(dirname(file), { recursive: true });
    const text = await readFile(file, 'utf8').catch(() => '{}');
    return new Ledger(file, JSON.parse(text) as Record<string, Row>);
  }

  get(id: string): Row | undefined {
    return this.rows[id];
  }

  async set(id: string, row: Row): Promise<void> {
    this.rows[id] = row;
    await writeFileAtomic(this.file, `${JSON.stringify(this.rows, null, 2)}\n`);
  }
}
