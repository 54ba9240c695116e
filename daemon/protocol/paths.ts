/**
 * The two kinds of paths in messages and run folders. The compiler keeps them apart; a `WorkspacePath` becomes a file only together with the folder
 * that it is relative to.
 */
import * as z from 'zod';

const text = z.string().min(1).max(4096);

/**
 * An absolute path as the client names it: below a workspace folder it begins with the client's own name of that folder, whatever symbolic links the
 * daemon has followed. Paths in files on disk are never of this kind.
 */
export const AbsolutePath = text.brand<'AbsolutePath'>();
export type AbsolutePath = z.infer<typeof AbsolutePath>;

/** A path relative to the workspace folder of the run or plan that names it, with "/" on every platform; "." is that folder. */
export const WorkspacePath = text.brand<'WorkspacePath'>();
export type WorkspacePath = z.infer<typeof WorkspacePath>;
