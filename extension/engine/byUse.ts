import type { EngineState } from '../../daemon/protocol/messages.js';

/** The engine that trains: the one of the setting, or the one that "auto" chose. */
export const isUsed = (engine: EngineState, setting: string): boolean =>
  setting === 'auto' ? engine.chosen : engine.id === setting;

/** Sorts engines: the one that trains, then those that can, then the rest; each group in the order in which "auto" tries them. */
export const byUse = (engines: readonly EngineState[], setting: string): EngineState[] => {
  const rank = (engine: EngineState) => (isUsed(engine, setting) ? 0 : engine.available ? 1 : 2);
  return [...engines].sort((a, b) => rank(a) - rank(b));
};
