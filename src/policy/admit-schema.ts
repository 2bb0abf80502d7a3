// The section `admit` of a policy: how fast clients are let in, how many wait, and what the rest hears.
import { z } from 'zod';
import { count, countOrOff, duration, orOff, percentage } from './field.ts';

/** `admit`. */
export const admitSchema = z
  .strictObject({
    rate: orOff('rate', '0.1/s', '1000000/s')
      .prefault('off')
      .describe('New connections that the whole pool takes through this balancer; more wait.'),
    burst: duration('0s', '1m')
      .prefault('1s')
      .describe(
        'What `rate` and `place.connectRate` give in this span may come at once; never less than one connection.',
      ),
    fillTo: percentage('10%', '1000%')
      .prefault('100%')
      .describe('A node predicted to be this full gets no new connection until its reports show room.'),
    overfillAfter: duration('0s', '24h')
      .prefault('10s')
      .describe(
        'The pool has lacked room for this long: clients are let in above `fillTo`. 0s: it holds nobody.',
      ),
    queue: count(0, 100_000)
      .prefault(5000)
      .describe('Clients that wait at most; 0: nobody waits, who gets no place at once is refused.'),
    maxWait: duration('0s', '1m')
      .prefault('5s')
      .describe('Longest wait of a client before it is refused; shorter than its own timeout.'),
    maxConnections: countOrOff(1, 10_000_000)
      .prefault('off')
      .describe(
        'Connections and requests that the pool has at a time through this balancer; one more is refused.',
      ),
    refuse: z
      .enum(['close', 'http'])
      .prefault('close')
      .describe(
        'What a refused WebSocket client gets. `close`: 101, then close code 1013 with a hint. `http`: status 503.',
      ),
    requests: z
      .enum(['pass', 'admit'])
      .prefault('pass')
      .describe(
        '`pass`: plain requests and long polls are not counted and never wait. `admit`: those without a node of their own are treated as connections.',
      ),
  })
  .prefault({})
  .describe('How fast clients are let in, and what becomes of those who come faster.');
