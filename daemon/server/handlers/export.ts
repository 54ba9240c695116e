import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { UserError } from '../../protocol/errors.js';
import { findRun, type Context } from '../context.js';
import type { Handlers } from '../dispatch.js';

export const exportHandlers: Pick<Handlers<Context>, 'lc/exportFormats' | 'lc/export'> = {
  async 'lc/exportFormats'({ run }, context) {
    const { folder } = await findRun(run, context);
    const { measureFormats } = await import('../../export/formats.js');
    return measureFormats(folder);
  },

  async 'lc/export'({ run, format, target }, context) {
    context.workspace.requireTrust('Exporting a model');
    const { folder } = await findRun(run, context);
    const { path } = await context.workspace.contain(target);
    if (!(await stat(dirname(path)).catch(() => null))?.isDirectory()) {
      throw new UserError('usage', `${dirname(path)} is no folder; choose one that exists`, { file: path });
    }
    const { exportRun } = await import('../../export/formats.js');
    return exportRun(folder, format, path);
  },
};
