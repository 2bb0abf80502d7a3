// The schema of what a listener takes at most. How long things may take is in listener-schema.ts.
import { z } from 'zod';
import { countOrOff, orOff, size } from './field.ts';

/** `limits` of a listener. */
export const limitsSchema = z
  .strictObject({
    connections: countOrOff(1, 10_000_000)
      .prefault('off')
      .describe('Client connections open at a time; one more is answered 503 and closed.'),
    connectionsPerAddress: countOrOff(1, 10_000_000)
      .prefault('off')
      .describe(
        'The same for one client address (of IPv6 a /64), answered 429. Behind `trusted` proxies the forwarded address counts, for tunnels and requests under way.',
      ),
    head: size('4KiB', '64KiB')
      .prefault('16KiB')
      .describe('Longest request head; a longer one is answered 431.'),
    body: orOff('size', '1KiB', '1024GiB')
      .prefault('off')
      .describe('Longest request body; a longer one is answered 413.'),
  })
  .prefault({})
  .describe('How much clients may ask for.');
