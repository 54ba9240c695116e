import { probeEngines, chooseEngine } from '../../engine/registry.js';
import type { Command } from '../command.js';
import { table } from '../text.js';

export const engines: Command = {
  name: 'engines',
  positionals: '',
  summary: 'what can compute here, which one is chosen, and why',
  options: {},
  async run({ terminal }) {
    const probes = await probeEngines();
    const chosen = chooseEngine('auto', probes).id;
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
