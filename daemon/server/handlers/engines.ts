import type { Context } from '../context.js';
import { deviceMemory } from '../deviceMemory.js';
import type { Handlers } from '../dispatch.js';

export const engineHandlers: Pick<Handlers<Context>, 'lc/engines' | 'lc/memory'> = {
  async 'lc/engines'(_params, { engines, workspace }) {
    const { probes, chosen } = await engines.probe(workspace.folders);
    return probes.map(({ id, name, device, available, reason }) => ({
      id,
      name,
      device,
      available,
      chosen: id === chosen,
      reason,
    }));
  },

  async 'lc/memory'(_params, { live, workspace }) {
    const handles = workspace.folders.flatMap((folder) => live.in(folder));
    const devices = handles.length > 0 ? await deviceMemory() : new Map<number, number>();
    return {
      daemon: process.memoryUsage.rss(),
      runs: handles.map(({ id, folder, pid, memory }) => ({
        run: id,
        folder: workspace.asNamed(folder),
        resident: memory,
        device: devices.get(pid) ?? null,
      })),
    };
  },
};
