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

/** A peer, and where its key is. */
export interface OwnPresence {
  readonly keys: Keys;
  readonly limits: Limits;
  readonly self: { readonly id: string; readonly epoch: string };
}

/** Renews our key. The answer is the revision of the registers. */
export function renewPresence(
  session: RedisSession,
  { keys, limits, self: { id, epoch } }: OwnPresence,
  about: string,
): Promise<Answer> {
  const said = JSON.stringify([epoch, about]);
  return session.run(
    'beat',
    [keys.peer(id), keys.peers, keys.revision],
    [id, said, String(limits.presenceMs)],
  );
}

/** Ends our key and tells everybody, by this message. */
export function endPresence(
  session: RedisSession,
  { keys, self: { id, epoch } }: OwnPresence,
  message: string,
): Promise<Answer> {
  // As the text of renewPresence begins, whatever it goes on with.
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

function readSaid(text: string): { epoch: string; about: string } | undefined {
  try {
    const said: unknown = JSON.parse(text);
    if (!Array.isArray(said)) return undefined;
    const [epoch, about]: readonly unknown[] = said;
    return typeof epoch === 'string' && typeof about === 'string' ? { epoch, about } : undefined;
  } catch {
    return undefined;
  }
}
