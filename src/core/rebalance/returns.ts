// Clients that were asked to leave and are not back yet. Nobody tells who came back: it is told from how many come.

/** One connection that was shed. */
interface OnTheWay {
  readonly atMs: number;
  /** The node that it left. */
  readonly nodeId: string;
  /** In average connections. */
  readonly work: number;
}

/** What is on its way, and what is not any more. */
export interface Returns {
  /** Oldest first. */
  readonly onTheWay: readonly OnTheWay[];
  /** Arrivals above the usual that no shed connection has been matched with: a part of one. */
  readonly surplus: number;
  /** Placements seen so far. */
  readonly placedTotal: number;
  /** The usual rate, which no shed client is behind. */
  readonly arrivalsPerSecond: number;
  readonly returned: number;
  /** Not back within a minute. */
  readonly lost: number;
}

// A client that backs off for longer than this is no part of the plan any more (DESIGN: "or a minute has passed").
const lostAfterMs = 60_000;

/** Matches placements above the usual with what is on its way, oldest first. */
export function admitReturns(
  returns: Returns,
  { placedTotal }: { readonly placedTotal: number },
  elapsedSeconds: number,
): Returns {
  const usual = returns.arrivalsPerSecond * elapsedSeconds;
  // Less than usual is no debt: a quiet second must not hide those who come back in the next.
  const surplus = Math.max(0, returns.surplus + placedTotal - returns.placedTotal - usual);
  // Rounded: what is usual takes its part off everybody who comes, and nobody comes by parts.
  const back = Math.min(Math.round(surplus), returns.onTheWay.length);
  const onTheWay = returns.onTheWay.slice(back);
  return {
    ...returns,
    onTheWay,
    placedTotal,
    // Those that came with nobody on the way were newcomers.
    surplus: onTheWay.length === 0 ? 0 : Math.max(0, surplus - back),
    returned: returns.returned + back,
  };
}

/** Gives up those who have been away for a minute. */
export function forgetLost(returns: Returns, nowMs: number): Returns {
  const still = returns.onTheWay.filter(({ atMs }) => nowMs - atMs <= lostAfterMs);
  const lost = returns.onTheWay.length - still.length;
  return lost === 0 ? returns : { ...returns, onTheWay: still, lost: returns.lost + lost };
}
