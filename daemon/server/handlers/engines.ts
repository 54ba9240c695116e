import type { Context } from '../context.js';
import { deviceMemory } from '../jobs/deviceMemory.js';
import type { Handlers } from '../connection/dispatch.js';
import { residentMemory } from '../jobs/processMemory.js';

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

  async 'lc/memory'(_params, { running, workspace }) {
    const inFolder = async (folder: string) => {
      const adopted = (await running.adoptedIn(folder)).map(async (one) => ({ ...one, resident: await residentMemory(one.pid) })); // prettier-ignore
      const all = [...running.in(folder).map(({ id, pid, memory }) => ({ run: id, pid, resident: memory })), ...(await Promise.all(adopted))]; // prettier-ignore
      return all.map((one) => ({ ...one, folder: workspace.runFolderAsNamed(folder, one.run) }));
    };
    const runs = (await Promise.all(workspace.folders.map(inFolder))).flat();
    const devices = runs.length > 0 ? await deviceMemory() : new Map<number, number>();
    return {
      daemon: process.memoryUsage.rss(),
      runs: runs.map(({ pid, ...one }) => ({ ...one, device: devices.get(pid) ?? null })),
    };
  },
};
