// The reader of a wire that nobody has taken up yet.
import type { WireReader } from './wire.ts';

/** Hears everything and does nothing. An accepted wire has it until its owner sets its own. */
export const inertReader: WireReader = Object.freeze({
  bytes() {},
  ended() {},
  drained() {},
  closed() {},
});
