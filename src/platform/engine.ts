// What Herald asks of V8 for a process that relays.
import { setFlagsFromString } from 'node:v8';

/**
 * Connections come and go by the thousand a second, and what each leaves is garbage within moments. V8 learns from those
 * that stay that the next ones had better be made in the old part of the heap, where they lie until a full collection and
 * keep young garbage alive: three quarters of what a young collection found was kept so. To be called before anything has
 * run hot; harmless later.
 */
export function tuneForRelaying(): void {
  setFlagsFromString('--no-allocation-site-pretenuring');
}
