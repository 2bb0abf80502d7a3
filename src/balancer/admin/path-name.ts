// Names in paths.
import { HeraldError } from '../../core/error.ts';
import type { HttpContext } from '../../platform/http-app.ts';

// Ids and names have at most 64 characters. A path of 16 KiB compared with 5,000 names for the nearest one would
// hold up the relay for seconds.
const maxNameLength = 64;

/** The name that the path gives for `:key`. Throws HERALD_NOT_FOUND for one that cannot exist. */
export function nameIn({ req }: HttpContext, key: string): string {
  const name = req.param(key) ?? '';
  if (name.length <= maxNameLength) return name;
  throw new HeraldError('HERALD_NOT_FOUND', `names have at most ${maxNameLength} characters`);
}
