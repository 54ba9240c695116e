import { probeEngines } from '../../engine/registry.js';
import type { Command } from '../command.js';
import { table } from '../text.js';

export const engines: Command = {
  name: 'engines',
  positionals: '',
  summary: 'what can compute here, which one is chosen, and why',
  options: {},
  async run({ terminal }) {
    const probes = await probeEngines();
    // `auto` takes the first that can run; a run may still skip one that does not support its model.
    const chosen = probes.find((probe) => probe.available)?.id;
    for (const probe of probes) terminal.emit({ event: 'engine', ...probe, chosen: probe.id === chosen });
    const rows = probes.map((probe) => [
      probe.id === chosen ? '*' : '',
      probe.id,
      probe.available ? 'yes' : 'no',
      probe.device,
      probe.reason,
    ]);
    terminal.print(table(['', 'engine', 'available', 'device', 'why'], rows));
    return 0;
  },
};
