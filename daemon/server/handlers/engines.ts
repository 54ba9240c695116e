import type { Context } from '../context.js';
import type { Handlers } from '../dispatch.js';

export const engineHandlers: Pick<Handlers<Context>, 'lc/engines'> = {
  async 'lc/engines'(_params, { backend }) {
    const { probes, chosen } = await backend.probeEngines();
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
