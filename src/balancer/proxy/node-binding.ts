// The way to Node's undocumented bindings, and what is said where one of them is missing.
import { HeraldError } from '../../core/error.ts';

/** The binding of that name. Throws HERALD_TRANSPORT_UNAVAILABLE. What it holds is for the caller to check. */
export function loadBinding(name: string): unknown {
  const { binding } = process as unknown as { binding?: (name: string) => unknown };
  if (typeof binding !== 'function') throw missingHook('process.binding');
  // The call is deprecated by name only; a line about it on the user's stderr helps nobody.
  // Under --no-deprecation it is true already, and read-only.
  const isSilent = process.noDeprecation === true;
  if (!isSilent) process.noDeprecation = true;
  try {
    return binding.call(process, name);
  } catch (error) {
    throw missingHook(`process.binding('${name}')`, error);
  } finally {
    if (!isSilent) delete process.noDeprecation;
  }
}

/** HERALD_TRANSPORT_UNAVAILABLE for the hook `name`. */
export function missingHook(name: string, cause?: unknown): HeraldError {
  return new HeraldError(
    'HERALD_TRANSPORT_UNAVAILABLE',
    `Node ${process.version} has no usable ${name}: the fast transport cannot run`,
    { name },
    { cause },
  );
}
