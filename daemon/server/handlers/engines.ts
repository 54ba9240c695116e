import type { Context } from '../context.js';
import { deviceMemory } from '../deviceMemory.js';
import type { Handlers } from '../dispatch.js';
import { residentMemory } from '../processMemory.js';

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
    const own = workspace.folders.flatMap((folder) => live.in(folder));
    const adopted = (await Promise.all(workspace.folders.map((folder) => live.adoptedIn(folder)))).flat();
    const runs = [
      ...own.map(({ id, pid, memory }) => ({ run: id, pid, resident: memory })),
      ...(await Promise.all(adopted.map(async (one) => ({ ...one, resident: await residentMemory(one.pid) })))),
    ];
    const devices = runs.length > 0 ? await deviceMemory() : new Map<number, number>();
    return {
      daemon: process.memoryUsage.rss(),
      runs: runs.map(({ run, pid, resident }) => ({ run, resident, device: devices.get(pid) ?? null })),
    };
  },
};
