/** Times the parts of a run's start for the log, because users wait for it. */
export interface Timing {
  /** Ends a part that began when the one before ended. */
  mark(part: string): void;
  /** "1.24 s (loading 0.21, data 0.40)". */
  text(): string;
}

/** The first part, "loading", is the time since the process started. */
export function startTiming(now: () => number = () => performance.now()): Timing {
  const parts: [string, number][] = [['loading', now()]];
  return {
    mark(part) {
      parts.push([part, now()]);
    },
    text() {
      const seconds = (milliseconds: number) => (milliseconds / 1000).toFixed(2);
      const each = parts.map(([part, end], i) => `${part} ${seconds(end - (parts[i - 1]?.[1] ?? 0))}`);
      return `${seconds(parts.at(-1)![1])} s (${each.join(', ')})`;
    },
  };
}
