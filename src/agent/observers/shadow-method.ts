// Puts a method of our own in front of one that an object has, and takes it away again.

/**
 * Makes `target[key]` call what `wrap` makes of the original. Returns what undoes it.
 * If somebody else has wrapped the method since, ours stays beneath theirs: taking theirs away would break them.
 */
export function shadowMethod<Key extends string, Method extends (...values: never[]) => unknown>(
  target: { [key in Key]: Method },
  key: Key,
  wrap: (original: Method) => Method,
): () => void {
  const own = Object.getOwnPropertyDescriptor(target, key);
  const replacement = wrap(target[key]);
  // Not enumerable, so that printing or copying the object shows what it showed before.
  Object.defineProperty(target, key, {
    value: replacement,
    configurable: true,
    writable: true,
    enumerable: own?.enumerable ?? false,
  });
  return () => {
    if (target[key] !== replacement) return;
    Reflect.deleteProperty(target, key);
    if (own !== undefined) Object.defineProperty(target, key, own);
  };
}
