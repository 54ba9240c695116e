export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
/** The daemon's log: lines on stderr, which the extension shows in its output channel. */
export type Log = (level: LogLevel, message: string) => void;

/** One line an entry, control characters escaped, so that text from a client cannot forge log lines. */
export const logToStderr: Log = (level, message) => {
  // eslint-disable-next-line no-control-regex
  const line = message.replace(/[\u0000-\u001f\u007f]/g, (c) =>
    c === '\n' ? '\\n' : `\\x${c.charCodeAt(0).toString(16)}`,
  );
  process.stderr.write(`[${level}] ${line}\n`);
};
