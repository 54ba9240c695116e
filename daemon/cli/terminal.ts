/** The two channels of every command: people read stderr (progress) and stdout (results); with --json, stdout is JSON lines only. */
export interface Terminal {
  readonly json: boolean;
  /** A terminal: progress may redraw its line. */
  readonly interactive: boolean;
  readonly columns: number;
  /** A line of result for people; nothing with --json. */
  print(text: string): void;
  /** A line of progress for people, on stderr. */
  note(text: string): void;
  /** One JSON object on a line of its own; nothing without --json. */
  emit(value: object): void;
  /** Redraws the last line of stderr in place; '' clears it. Nothing when not interactive. */
  status(text: string): void;
}

export function createTerminal(
  json: boolean,
  streams: { out: NodeJS.WriteStream; err: NodeJS.WriteStream } = { out: process.stdout, err: process.stderr },
): Terminal {
  const { out, err } = streams;
  const interactive = Boolean(err.isTTY) && !process.env['CI'];
  let drawn = false;
  const clear = () => {
    if (drawn) err.write('\r\x1b[2K');
    drawn = false;
  };
  const columns = () => err.columns ?? 100;
  return {
    json,
    interactive,
    get columns() {
      return columns();
    },
    print(text) {
      if (json) return;
      clear();
      out.write(`${text}\n`);
    },
    note(text) {
      clear();
      err.write(`${text}\n`);
    },
    emit(value) {
      if (json) out.write(`${JSON.stringify(value)}\n`);
    },
    status(text) {
      if (!interactive) return;
      clear();
      if (text) err.write(text.slice(0, columns() - 1));
      drawn = text.length > 0;
    },
  };
}
