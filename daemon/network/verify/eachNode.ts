/**
 * Whether each node is verified when it is made and after each rewrite. The environment variable LC_PRUNE_VERIFY=1 turns it on, as
 * the tests do. The variable is read once.
 */
const wanted = process.env['LC_PRUNE_VERIFY'] === '1';

export const verifiesEachNode = (): boolean => wanted;
