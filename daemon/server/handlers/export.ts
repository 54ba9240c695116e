import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { machineText } from '../../export/machine.js';
import { UserError } from '../../protocol/errors.js';
import { findRun, type Context } from '../context.js';
import type { Handlers } from '../connection/dispatch.js';

export const exportHandlers: Pick<Handlers<Context>, 'lc/exportFormats' | 'lc/latency' | 'lc/export'> = {
  async 'lc/exportFormats'({ run, point }, context) {
    const { folder } = await findRun(run, context);
    const measured = point === undefined ? await context.backend.readExports(folder) : null;
    return measured?.formats ?? context.backend.runInChild('sizes', { folder, point });
  },

  async 'lc/latency'({ run, point }, context) {
    const { folder, workspace } = await findRun(run, context);
    const measured = point === undefined ? await context.backend.readExports(folder) : null;
    // Times measured on another machine do not apply to this one.
    if (measured?.latency?.machine === machineText()) return measured.latency;
    return context.backend.runInChild('latency', { folder, workspace, point });
  },

  async 'lc/export'({ run, point, format, target }, context) {
    context.workspace.requireTrust('Exporting a model');
    const { folder } = await findRun(run, context);
    const { path } = await context.workspace.contain(target);
    if (!(await stat(dirname(path)).catch(() => null))?.isDirectory()) {
      throw new UserError('usage', `${dirname(path)} is no folder; choose one that exists`, { file: path });
    }
    const written = await context.backend.runInChild('export', { folder, point, format, target: path });
    return {
      bytes: written.bytes,
      path: context.workspace.asNamed(written.path),
      ...(written.scaleFile !== undefined && { scaleFile: context.workspace.asNamed(written.scaleFile) }),
    };
  },
};
