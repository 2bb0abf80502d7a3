// The feed of a-scaling.ts with pools from the start, which names the nearest of them as the real one does.
import { HeraldError } from '../../src/core/error.ts';
import { meantHint } from '../../src/core/nearest.ts';
import type { Scaling } from '../../src/protocol/scaling.ts';
import { aStubFeed, type StubFeed } from './a-scaling.ts';

export function aStubScaleFeed(...first: readonly Scaling[]): StubFeed {
  const pools = first.map(({ pool }) => pool);
  const feed = aStubFeed(
    (pool) => new HeraldError('HERALD_POOL_UNKNOWN', `there is no pool '${pool}'${meantHint(pool, pools)}`),
  );
  for (const scaling of first) feed.say(scaling);
  return feed;
}
