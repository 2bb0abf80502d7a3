// What peers share, as one balancer asks for it: words to all, registers, presence and leases. Redis or the memory of
// one process carries it (cluster/); what the words mean is decided above.

/** How the link to the other peers is. `alone`: there is nothing to share with. */
export type LinkState = 'alone' | 'connecting' | 'connected' | 'degraded';

/** The link, for `herald status`, metrics and logs. */
export interface LinkStatus {
  readonly state: LinkState;
  /** For people: what is wrong, on which address, since when it is being mended; '' when connected. */
  readonly reason: string;
  /** Since when it is in this state, by the balancer's clock. */
  readonly sinceMs: number;
  /** Round trip of the last word that came back to us, ms; undefined before the first. */
  readonly lagMs: number | undefined;
  /** Commands and bytes sent since the start. */
  readonly commandsTotal: number;
  readonly bytesTotal: number;
  /** Words of ours that were never sent since the start: the link was down, or the buffer before it full. */
  readonly droppedWordsTotal: number;
}

/** Who a process is among peers. One that takes over from another goes on as the same balancer from the same place. */
export interface PeerPlace {
  readonly id: string;
  /** Of this process; of one life with the epoch of the process that it took over from. */
  readonly epoch: string;
  /** What it shares with: two that share have the same text. No secret in it. */
  readonly where: string;
}

/** Another balancer, or this one. */
export interface PeerPresence {
  /** Chosen by the operator or by chance; unique among peers. */
  readonly id: string;
  /** Another one for each life of the balancer; a takeover goes on with it. */
  readonly epoch: string;
  /** What it said of itself: a JSON text of at most 4 KiB. */
  readonly about: string;
  /** How long ago it was last heard, ms. */
  readonly ageMs: number;
}

/**
 * A value that any peer may change: the higher version stands. After a failover two values can have one version;
 * then the one greater in the order of its UTF-8 bytes stands, everywhere: who cares which puts its rank first.
 */
export interface Register {
  readonly key: string;
  /** At most 64 KiB. '' for one that has been deleted; that is remembered for a day. */
  readonly value: string;
  /** 1 or more, grows by one with each change, never falls while anybody who has seen it lives. */
  readonly version: number;
}

/** What came of a write. `conflict`: somebody else was first; `current` is what stands. `unreachable`: nothing is known. */
export type WriteOutcome =
  | { readonly kind: 'written'; readonly version: number }
  | { readonly kind: 'conflict'; readonly current: Register }
  | { readonly kind: 'unreachable'; readonly reason: string };

/** The right to act for all, for a while. */
export interface HeldLease {
  /** Higher than that of every holder before; whoever is told to act refuses a lower one than it has seen. */
  readonly token: number;
  /** When it ends unless it is renewed, by this balancer's clock and on the safe side. */
  readonly untilMs: number;
}

/** Hears what others say. Never called for what this balancer said itself. */
export interface SharedHandlers {
  /** A word to all. At most once, in order for each peer; may be lost. */
  word(from: PeerPresence['id'], channel: string, text: string): void;
  /** A register has another version than the last one told, or is told for the first time. */
  register(scope: string, register: Register): void;
  /**
   * A peer has come, has another epoch or describes itself otherwise, or (`isHere` false) has said farewell or has
   * not been heard for the time that presence lasts. While our own link is degraded nobody is told to be gone.
   */
  peer(peer: PeerPresence, isHere: boolean): void;
  /** The link has changed. After `degraded` it is followed by every register and peer as they are then. */
  link(status: LinkStatus): void;
}

/** What peers share. No method throws or waits for the other side unless it says so. */
export interface SharedStore {
  readonly selfId: string;
  readonly place: PeerPlace;
  /**
   * Begins; resolves once the link is connected or has been found wanting. Rejects with HERALD_STATE_REFUSED for what
   * waiting does not mend. `isQuiet`: it hears everything, but is nobody's peer and takes no lease before `speak`.
   */
  start(handlers: SharedHandlers, options?: { readonly isQuiet: boolean }): Promise<void>;
  /** Becomes a peer, after a quiet start. Bounded in time; without a link it is one when the link is there. */
  speak(): Promise<void>;
  /** Says farewell: presence and leases end at once where the link allows. Bounded in time. Idempotent. */
  stop(): Promise<void>;
  /** Ends as `stop` does, but without a farewell: another process goes on as this peer. Leases are given back. */
  leave(): Promise<void>;
  status(): LinkStatus;
  /**
   * Says a text of at most 64 KiB to all who listen now; several of one tenth of a second travel together. Dropped,
   * and counted, while the link is down or when it does not keep up.
   */
  say(channel: string, text: string): void;
  /** What this balancer says of itself; sent with its presence. More than 4 KiB is not taken over. */
  describe(about: string): void;
  /** Peers heard lately, this one not among them. */
  peers(): readonly PeerPresence[];
  /** Registers of a scope as last heard. */
  registers(scope: string): ReadonlyMap<string, Register>;
  /**
   * Writes if the register still has `version` (0: it is not there yet). Value '' deletes. Bounded in time, never
   * rejects. `unreachable` may have been written all the same; whoever hears of it later hears its version.
   */
  write(scope: string, key: string, change: { value: string; version: number }): Promise<WriteOutcome>;
  /**
   * Takes or renews the lease of this name. Undefined while another holds it or the link is down. `seen` is the
   * highest token that this balancer has ever seen: the next one is above it even when the store has forgotten. A
   * lease that is held with a token below `seen` is held on with a higher one.
   */
  lease(name: string, wish: { forMs: number; seen: number }): Promise<HeldLease | undefined>;
  /** Gives a lease back. */
  release(name: string, token: number): Promise<void>;
}
