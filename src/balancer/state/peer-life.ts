// The life of a balancer: it outlasts its processes, since one that takes over from another goes on with it. Written
// into epochs, so that peers see it without having heard of the takeover.

// Epochs by chance have none.
const beforeTurn = '.';

/** The life that an epoch is of. */
export function lifeOf(epoch: string): string {
  return epoch.split(beforeTurn, 1)[0] ?? '';
}

/** How many processes this life had before the one of this epoch; 0 for the first. */
export function turnOf(epoch: string): number {
  const turn = Number(epoch.slice(lifeOf(epoch).length + beforeTurn.length));
  return Number.isSafeInteger(turn) ? turn : 0;
}

/** The epoch of the process that takes over from the one of this epoch. */
export function nextEpoch(epoch: string): string {
  return `${lifeOf(epoch)}${beforeTurn}${turnOf(epoch) + 1}`;
}

/** True when both are of one life. */
export function isOneLife(a: string, b: string): boolean {
  return lifeOf(a) === lifeOf(b);
}
