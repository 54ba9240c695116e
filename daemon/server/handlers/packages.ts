/** What a plan needs that npm can install. */
import type { Context } from '../context.js';
import type { Handlers } from '../dispatch.js';

export const packageHandlers: Pick<Handlers<Context>, 'lc/missingPackages'> = {
  async 'lc/missingPackages'({ planPath }, { workspace }) {
    const { folder, path } = await workspace.contain(planPath);
    const { planPackages } = await import('../../plan/planPackages.js');
    const missing = await planPackages(path, folder);
    return { ...missing, folder: workspace.asNamed(missing.folder) };
  },
};
