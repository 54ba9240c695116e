/** Programs of a runner: they are short and print little. */
import { execFile } from 'node:child_process';
import { UserError } from '../../protocol/errors.js';
import { LIMITS } from '../limits.js';

/** What a program said when it failed. */
export class ProgramFailed extends Error {
  override readonly name = 'ProgramFailed';
}

/**
 * @returns what it prints on its standard output. @throws ProgramFailed with what it says, UserError('run-invalid') if it is not installed or does
 * not answer.
 */
export function ask(program: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { timeout: LIMITS.runnerTime, maxBuffer: LIMITS.runnerOutput };
    execFile(program, args, options, (error, stdout, stderr) => {
      if (!error) return resolve(stdout);
      const { code, killed } = error;
      if ((code as unknown) === 'ENOENT')
        return reject(
          new UserError(
            'run-invalid',
            `${program} is not installed here; log in to a machine that submits jobs, or run with "runOn": "local"`,
          ),
        );
      if (killed) return reject(new UserError('run-invalid', `${program} has not answered for ${LIMITS.runnerTime / 1000} s; try again later`)); // prettier-ignore
      const said = `${stderr}\n${stdout}`.trim();
      reject(new ProgramFailed(said || `${program} failed with exit code ${code}`));
    });
  });
}
