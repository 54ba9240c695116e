/** Names of groups in Keras's native files (keras/src/saving/saving_lib.py). */

/** keras/src/utils/naming.py, to_snake_case. */
const snakeCase = (className: string): string =>
  className
    .replace(/\W+/g, '')
    .replace(/(.)([A-Z][a-z]+)/g, '$1_$2')
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase();

/** `dense`, `dense_1`, ... in the order of the calls. */
export function groupNamer(): (className: string) => string {
  const used = new Map<string, number>();
  return (className) => {
    const name = snakeCase(className);
    const count = used.get(name) ?? 0;
    used.set(name, count + 1);
    return count === 0 ? name : `${name}_${count}`;
  };
}

/** Nested groups as one path. */
export const joined = (...segments: string[]): string => segments.filter((segment) => segment !== '').join('/');
