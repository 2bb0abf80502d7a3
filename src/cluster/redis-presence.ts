// Who is here, by keys that end unless renewed; what peers say meanwhile is heard in redis-words.ts.
import type { Answer, Fault } from './fault.ts';
import type { Keys } from './keys.ts';
import type { Limits } from './limits.ts';
import type { RedisSession } from './redis-session.ts';

/** What the key of a peer says. */
export interface SaidPresence {
  readonly id: string;
  readonly epoch: string;
  readonly about: string;
  /** How long ago it was said, ms. */
  readonly ageMs: number;
}

/** Renews our key. The answer is the revision of the registers. */
export function renewPresence(
  session: RedisSession,
  keys: Keys,
  self: { readonly id: string; readonly epoch: string; readonly about: string },
  { presenceMs }: Limits,
): Promise<Answer> {
  const { id } = self;
  return session.run(
    'beat',
    [keys.peer(id), keys.peers, keys.revision],
    [id, said(self), String(presenceMs)],
  );
}

/** Ends our key and tells everybody. */
export function endPresence(
  session: RedisSession,
  keys: Keys,
  { id, epoch }: { readonly id: string; readonly epoch: string },
  message: string,
): Promise<Answer> {
  // As the text of said() begins, whatever it goes on with.
  const beginning = `[${JSON.stringify(epoch)},`;
  return session.run('farewell', [keys.peer(id), keys.peers, keys.words], [id, beginning, message]);
}

/** Everybody who has a key, we among them; or what is wrong. */
export async function readPresence(
  session: RedisSession,
  keys: Keys,
  { presenceMs }: Limits,
): Promise<{ readonly peers: readonly SaidPresence[] } | { readonly fault: Fault }> {
  const members = await session.ask('SMEMBERS', keys.peers);
  if ('fault' in members) return members;
  const ids = Array.isArray(members.value) ? members.value.map(String) : [];
  if (ids.length === 0) return { peers: [] };
  const answer = await session.run('peers', [keys.peers, ...ids.map((id) => keys.peer(id))], ids);
  if ('fault' in answer) return answer;
  const flat: readonly unknown[] = Array.isArray(answer.value) ? answer.value : [];
  const peers: SaidPresence[] = [];
  for (let at = 0; at + 2 < flat.length; at += 3) {
    const read = readSaid(String(flat[at + 1]));
    const ageMs = Math.max(0, presenceMs - Number(flat[at + 2]));
    if (read !== undefined) peers.push({ id: String(flat[at]), ...read, ageMs });
  }
  return { peers };
}

function said({ epoch, about }: { readonly epoch: string; readonly about: string }): string {
  return JSON.stringify([epoch, about]);
}

function readSaid(text: string): { epoch: string; about: string } | undefined {
  try {
    const [epoch, about]: readonly unknown[] = Object(JSON.parse(text));
    return typeof epoch === 'string' && typeof about === 'string' ? { epoch, about } : undefined;
  } catch {
    return undefined;
  }
}
