import type { Context } from '../context.js';
import type { Handlers } from '../dispatch.js';

export const engineHandlers: Pick<Handlers<Context>, 'lc/engines'> = {
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
};
