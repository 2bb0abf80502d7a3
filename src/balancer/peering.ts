// One balancer among others, put together: the shared store, what is said over it, whose wishes are done, who leads.
// Wiring only.
import type { Clock } from '../core/clock.ts';
import type { Rng } from '../core/rng.ts';
import type { RedisConfig } from '../policy/config.ts';
import { isRecord } from '../protocol/field-checks.ts';
import type { PeersAnswer } from '../protocol/peering.ts';
import type { RunningControl } from './control/control.ts';
import type { FleetLoop } from './control/fleet/fleet-loop.ts';
import { Leader, leaderLease } from './control/leader.ts';
import type { EventFeed } from './control/ports.ts';
import { SharedWishes } from './control/shared-wishes.ts';
import type { WishMemory } from './control/wish-memory.ts';
import { WishSweep } from './control/wish-sweep.ts';
import {
  adminKey,
  adminWish,
  createAdminTarget,
  createFreezeTarget,
  freezeKey,
} from './control/wish-targets.ts';
import { createPeerFleet } from './peer-fleet.ts';
import { Peers } from './state/peers/peers.ts';
import type { Registry } from './state/registry.ts';
import type { PeerPlace, SharedHandlers, SharedStore } from './state/shared-store.ts';
import type { PeerHeritage } from './takeover/messages.ts';
import { goesOnAs, untilSaid, type SharedSelf } from './takeover/shared-self.ts';

/** What it is made with. */
export interface PeeringParts {
  readonly store: SharedStore;
  readonly registry: Registry;
  readonly control: RunningControl;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly tell: EventFeed['tell'];
  /** What is known of words from before this start. */
  readonly memory: WishMemory;
  /** What the process that this one takes over from was to others. */
  readonly inherited?: PeerHeritage | undefined;
}

/**
 * A store on Redis, as `inherited` where that one shared the same; `current`: the configuration by now, of which
 * passwords and certificates are taken when a connection is made. Its client is loaded only here, since most balancers have
 * no peers.
 */
export async function openSharedStore(
  config: RedisConfig,
  parts: {
    clock: Clock;
    rng: Rng;
    inherited?: PeerPlace | undefined;
    current: () => RedisConfig | undefined;
  },
): Promise<SharedStore> {
  const { createRedisStore } = await import('../cluster/redis-store.ts');
  return createRedisStore({ config, ...parts });
}

/** Peers with a lifetime: `start` when saved state is restored, `resign` when this balancer ends, then `stop`. */
export class Peering implements SharedSelf {
  readonly #parts: PeeringParts;
  readonly #countsEpoch: string;
  readonly #peers: Peers;
  readonly #leader: Leader;
  readonly #wishes: SharedWishes;
  readonly #sweep: WishSweep;
  readonly #operations: FleetLoop;
  #introductions = 0;
  #isQuiet = false;

  constructor(parts: PeeringParts) {
    this.#parts = parts;
    const { store, registry, control, clock, rng, memory, inherited } = parts;
    const isSamePeer = inherited !== undefined && goesOnAs(inherited.place, store.place);
    // Chance enough to be another one for each life of a balancer.
    const epoch = isSamePeer ? inherited.countsEpoch : Math.floor(rng.next() * 2 ** 52).toString(36);
    this.#countsEpoch = epoch;
    this.#peers = new Peers({
      store,
      registry,
      clock,
      epoch,
      tell: (type, message, facts) => this.#tell(type, message, facts),
      speakFirst: (isWhole) => this.#operations.speak(isWhole),
    });
    this.#leader = new Leader({ store, clock, changed: (token) => this.#leads(token) });
    this.#leader.see(inherited?.token ?? 0);
    const leadingPeer = () => this.view().peers.find((peer) => peer.isLeader)?.id;
    const shared = { store, epoch, peers: this.#peers, leader: this.#leader };
    this.#operations = control.join(createPeerFleet({ ...shared, leadingPeer }));
    const targets = {
      admin: createAdminTarget(registry, control),
      freeze: createFreezeTarget(control.shared.freezes, control),
    };
    this.#wishes = new SharedWishes({ store, clock, targets, memory });
    this.#sweep = new WishSweep({
      store,
      clock,
      isLeader: () => this.isLeader,
      isHere: (key) => hasNode(registry, key),
      wanted: () => targets.admin.all(),
    });
  }

  get isLeader(): boolean {
    return this.#leader.isLeader;
  }

  get place(): PeerPlace {
    return this.#parts.store.place;
  }

  /**
   * Joins the others, and learns what they want and carry, in bounded time. Rejects with HERALD_STATE_REFUSED where
   * what is configured cannot work. `isQuiet`: another process is this peer until `speak`.
   */
  async start({ isQuiet } = { isQuiet: false }): Promise<void> {
    this.#isQuiet = isQuiet;
    await this.#parts.store.start(this.#handlers(), { isQuiet });
    this.#listen();
    await Promise.all([isQuiet || this.#begin(), this.#peers.firstWords()]);
  }

  /** The process before has let go: this one is the peer from now on. Nothing happens where there was none. */
  async speak(): Promise<void> {
    if (!this.#isQuiet) return;
    this.#isQuiet = false;
    await this.#parts.store.speak();
    await this.#begin();
  }

  async handOver(): Promise<PeerHeritage> {
    await untilSaid(() => this.#wishes.unsaidCount, this.#parts.clock);
    return { place: this.place, countsEpoch: this.#countsEpoch, token: this.#leader.highestToken };
  }

  /** What was heard of the others stays as it is: what is left to do here is to shed what this process relays. */
  async leave(to: PeerPlace | undefined): Promise<void> {
    this.#silence();
    const { store } = this.#parts;
    await (to !== undefined && goesOnAs(this.place, to) ? store.leave() : store.stop());
  }

  /** Leads no more. */
  async resign(): Promise<void> {
    const { isLeader, token } = this.#leader;
    this.#leader.stop();
    if (isLeader) await this.#parts.store.release(leaderLease, token);
  }

  /** Says farewell. Bounded in time, idempotent. */
  async stop(): Promise<void> {
    this.#silence();
    await this.#parts.store.stop();
  }

  /** As it stands now. */
  view(): PeersAnswer {
    const { store, clock } = this.#parts;
    const { state, reason, sinceMs, lagMs, droppedWordsTotal } = store.status();
    const peers = this.#peers.view().map(({ id, ageMs, connections, about }) => {
      return { id, ageMs: Math.round(ageMs), connections, token: tokenIn(about) };
    });
    const highest = Math.max(this.#leader.token, ...peers.map(({ token }) => token));
    return {
      self: store.selfId,
      isLeader: this.isLeader,
      link: {
        state,
        reason,
        ageMs: Math.round(clock.nowMs() - sinceMs),
        lagMs: lagMs === undefined ? null : Math.round(lagMs * 10) / 10,
        droppedWordsTotal,
      },
      unsaidWishes: this.#wishes.unsaidCount,
      peers: peers.map(({ token, ...peer }) => {
        return { ...peer, isLeader: !this.isLeader && token > 0 && token === highest };
      }),
    };
  }

  async #begin(): Promise<void> {
    this.#peers.start();
    this.#wishes.start();
    this.#sweep.start();
    this.#leader.start();
    await this.#leader.renew();
  }

  #silence(): void {
    this.#parts.registry.listener = undefined;
    this.#parts.control.listener = undefined;
    this.#leader.stop();
    this.#wishes.stop();
    this.#sweep.stop();
    this.#peers.stop();
  }

  #handlers(): SharedHandlers {
    return {
      word: (from, channel, text) => {
        this.#peers.hearWord(from, channel, text);
        this.#operations.hearWord(from, channel, text);
      },
      register: (scope, register) => this.#wishes.hear(scope, register),
      link: (status) => this.#peers.hearLink(status),
      peer: (peer, isHere) => {
        this.#leader.see(tokenIn(peer.about));
        const hasCome = this.#peers.hearPeer(peer, isHere);
        // Who has come may have been here in another life.
        if (hasCome || !isHere) this.#operations.peerGone(peer.id);
        if (!hasCome) return;
        this.#operations.peerCame();
        // Else it would know in ten seconds only who leads.
        if (this.isLeader) this.#describe(this.#leader.token);
      },
    };
  }

  #listen(): void {
    const { registry, control } = this.#parts;
    registry.listener = {
      report: (report, { identity, host, port }) => this.#peers.passOn({ report, identity, host, port }),
      adminState: (pool, id, askedBy = { by: '', why: '' }) => {
        const node = registry.pools.get(pool)?.nodes.get(id);
        if (node === undefined) return;
        const isSelf = node.selfDrainEpoch !== undefined;
        this.#wishes.say('admin', adminKey(pool, id), adminWish(node.adminState, { ...askedBy, isSelf }));
      },
    };
    control.listener = {
      adminState: (pool, nodes, { adminState, deadlineMs, ratePerSecond, self, by, why = '', operation }) => {
        const isSelf = self === true;
        const given = {
          ...(deadlineMs !== undefined && { deadlineMs }),
          ...(ratePerSecond !== undefined && { ratePerSecond }),
        };
        const begun = operation && { operation };
        const isChanged = Object.keys(given).length > 0;
        const wish = adminWish(adminState, { by, why, isSelf, isChanged, ...given, ...begun });
        for (const id of nodes) this.#wishes.say('admin', adminKey(pool, id), wish);
      },
      freeze: (pool, { frozen, by, why }) => this.#sayFreeze(pool, { rank: frozen ? 1 : 0, by, why }),
    };
  }

  /** Letting all pools go ends the freeze of each. */
  #sayFreeze(pool: string | undefined, wish: { rank: number; by: string; why: string }): void {
    this.#wishes.say('freeze', freezeKey(pool), wish);
    if (pool !== undefined || wish.rank > 0) return;
    for (const key of this.#parts.store.registers('freeze').keys()) this.#wishes.say('freeze', key, wish);
  }

  #leads(token: number): void {
    const { store } = this.#parts;
    this.#describe(token);
    const message = token > 0 ? 'This balancer leads now.' : 'This balancer leads no more.';
    this.#tell(token > 0 ? 'leader.began' : 'leader.ended', message, { peer: store.selfId, token });
  }

  /** A text that was said before is not said at once: the number makes it another. */
  #describe(token: number): void {
    this.#introductions += 1;
    this.#parts.store.describe(JSON.stringify({ leads: token, said: this.#introductions }));
  }

  #tell(type: string, message: string, facts: Readonly<Record<string, string | number | boolean>>): void {
    this.#parts.tell({ type, pool: '', node: '', by: '', why: '', message, facts });
  }
}

/** Whether the node that a register of an admin state is about is here. */
function hasNode({ pools }: Registry, key: string): boolean {
  const [pool = '', node = ''] = key.split(' ');
  return pools.get(pool)?.nodes.has(node) === true;
}

/** By which token a peer says that it leads; 0 when it does not, or says something else. */
function tokenIn(about: string): number {
  try {
    const said: unknown = JSON.parse(about);
    const token = isRecord(said) ? said['leads'] : 0;
    return typeof token === 'number' && Number.isSafeInteger(token) && token > 0 ? token : 0;
  } catch {
    return 0;
  }
}
