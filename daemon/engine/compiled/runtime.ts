/** onnxruntime, which not every platform has: there is none for macOS on Intel processors. */
import { UserError } from '../../protocol/errors.js';

type Ort = typeof import('onnxruntime-node');

/**
 * Loads onnxruntime.
 *
 * @throws UserError('engine-unavailable') in one line, if it is not installed or does not load here. The caller goes on without it.
 */
export async function loadRuntime(): Promise<Ort> {
  try {
    const module = (await import('onnxruntime-node')) as Ort & { default?: Ort };
    return module.default ?? module;
  } catch (error) {
    throw new UserError('engine-unavailable', whyMissing(error));
  }
}

function whyMissing(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  // The package without files for this platform, or no package: a VSIX for such a platform leaves it out.
  return code === 'MODULE_NOT_FOUND' || code === 'ERR_MODULE_NOT_FOUND'
    ? `there is no onnxruntime for ${process.platform} ${process.arch}`
    : `onnxruntime does not load: ${message.split('\n', 1)[0]}`;
}

/** @returns null if onnxruntime is there, else why it is not, in one line. */
export const runtimeMissing = (): Promise<string | null> =>
  loadRuntime().then(
    () => null,
    (error: UserError) => error.message,
  );
