// What balancers say to each other about operations: orders to shed, what came of them, who runs what, and what is
// asked of the one who runs it. Values and text; who says it when is balancer/control/fleet.
import { idPattern, isRecord } from './field-checks.ts';
import type { Operation, OperationProgress, OperationState } from './operations.ts';

/** Another version of a word is passed over, not guessed at. */
const orderWordVersion = 1;

/** The leader tells one balancer to shed connections of one node. */
export interface OrderWord {
  readonly kind: 'order';
  /** Who is to do it, in which life of its process. */
  readonly to: string;
  readonly epoch: string;
  /** Of this order: one that comes twice is done once. */
  readonly id: string;
  /** The rebalance that it is part of. */
  readonly operation: string;
  /** Fencing token of the leader's lease. */
  readonly token: number;
  /** The newest stamp of the receiver that the plan knew: by its own clock the receiver knows how old the plan is. */
  readonly stamp: number;
  readonly node: string;
  /** Utilization of the node to take off at most, above 0. */
  readonly relief: number;
  /** The heaviest connection that may be chosen, as utilization of the node. */
  readonly heaviest: number;
  /** Connections at most, 1 or more. */
  readonly most: number;
  /** Until those that were asked must have left, from when they are. */
  readonly withinMs: number;
  /** Connections per second of the whole run, by which the times to come back are spread. */
  readonly ratePerSecond: number;
  /** Nobody asked for the run: a freeze stops it. */
  readonly isAutomatic: boolean;
}

/** An order was not done. */
export interface RefusedWord {
  readonly kind: 'refused';
  readonly to: string;
  readonly id: string;
  readonly operation: string;
  /** The highest fencing token that the receiver has seen. */
  readonly token: number;
}

/** What one balancer has done of an operation so far: absolute numbers, so that a lost word heals with the next one. */
export interface PartWord {
  readonly kind: 'part';
  readonly operation: string;
  readonly of: Operation['kind'];
  readonly state: OperationState;
  readonly progress: OperationProgress;
  readonly ratePerSecond: number;
  /** Of a rebalance that another runs: what was asked by its orders, by node. */
  readonly nodes: readonly PartNode[];
  /** Ids of the last orders that were done. */
  readonly done: readonly string[];
  /** Placements of this balancer in the pool since it takes part, and those that no node took. */
  readonly placed: number;
  readonly failed: number;
}

/** What was shed from one node by orders. */
export interface PartNode {
  readonly id: string;
  readonly asked: number;
  /** Utilization that those asked caused. */
  readonly relief: number;
  /** Of it, what has not left yet. */
  readonly leaving: number;
}

/**
 * An operation as the balancer that runs it sees the whole. Its instants are that one's, to be shown as they are, so that
 * all show the same: nobody counts by another's clock.
 */
export interface HeadWord {
  readonly kind: 'head';
  readonly operation: Omit<Operation, 'pool' | 'owner'>;
  /** Nodes that take nothing meanwhile. */
  readonly shedding: readonly string[];
}

/** An operator asks a balancer that does not lead for a rebalance: the leader is to run it. */
export interface AskWord {
  readonly kind: 'ask';
  readonly to: string;
  readonly operation: string;
  /** 0 for the policy's. */
  readonly ratePerSecond: number;
  readonly by: string;
  readonly why: string;
}

/** An operator ends an operation at a balancer that does not run it. */
export interface CancelWord {
  readonly kind: 'cancel';
  readonly operation: string;
  /** Who and why, as the operation will tell it. */
  readonly reason: string;
}

/** An operation goes on as part of another one: two operators began the same at one moment. */
export interface RenamedWord {
  readonly kind: 'renamed';
  readonly operation: string;
  readonly to: string;
}

/** One word, read. */
export type FleetWord = OrderWord | RefusedWord | PartWord | HeadWord | AskWord | CancelWord | RenamedWord;

// A channel of its own: balancers that know no orders pass it over without a word.
const channelPrefix = 'operations:';

/** The channel on which operations of this pool are talked of. */
export function operationsChannel(pool: string): string {
  return channelPrefix + pool;
}

/** The pool that such a channel is about; undefined for a channel of something else. */
export function poolOfOperationsChannel(channel: string): string | undefined {
  return channel.startsWith(channelPrefix) ? channel.slice(channelPrefix.length) : undefined;
}

/** One word as text. */
export function encodeFleetWord(word: FleetWord): string {
  return JSON.stringify({ v: orderWordVersion, ...word });
}

type Check = (value: unknown) => boolean;
/** Every member, so that none is forgotten when a word gets another one. */
type Shape<Value> = { readonly [Key in keyof Value]-?: Check };

const isAmount: Check = (value) => typeof value === 'number' && Number.isFinite(value) && value >= 0;
const isCount: Check = (value) => Number.isSafeInteger(value) && isAmount(value);
const isPositive: Check = (value) => isAmount(value) && value !== 0;
const isId: Check = (value) => typeof value === 'string' && idPattern.test(value);
const isText: Check = (value) => typeof value === 'string' && value.length <= 1000;
const isBoolean: Check = (value) => typeof value === 'boolean';
const isTextOrNull: Check = (value) => value === null || isText(value);
const isNumberOrNull: Check = (value) => value === null || Number.isFinite(value);
const isOneOf =
  (...known: readonly string[]): Check =>
  (value) =>
    known.some((each) => each === value);
const isListOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.length <= 5000 && value.every((each) => check(each));
const hasMembers = (value: unknown, shape: Readonly<Record<string, Check>>): boolean =>
  isRecord(value) && Object.entries(shape).every(([key, check]) => check(value[key]));
const isShaped =
  <Value>(shape: Shape<Value>): Check =>
  (value) =>
    hasMembers(value, { ...shape });

const isKind = isOneOf('drain', 'rebalance');
const isState = isOneOf('running', 'done', 'cancelled', 'deadline', 'stopped');
const isProgress = isShaped<OperationProgress>({
  total: isCount,
  waiting: isCount,
  leaving: isCount,
  closed: isCount,
  cut: isCount,
  refusedByPeer: isCount,
  leftByThemselves: isCount,
  returned: isCount,
});

const shapes: {
  readonly [Kind in FleetWord['kind']]: Shape<Omit<Extract<FleetWord, { kind: Kind }>, 'kind'>>;
} = {
  order: {
    to: isId,
    epoch: isId,
    id: isId,
    operation: isId,
    token: isCount,
    stamp: isAmount,
    node: isId,
    relief: isPositive,
    heaviest: isAmount,
    most: isCount,
    withinMs: isAmount,
    ratePerSecond: isAmount,
    isAutomatic: isBoolean,
  },
  refused: { to: isId, id: isId, operation: isId, token: isCount },
  part: {
    operation: isId,
    of: isKind,
    state: isState,
    progress: isProgress,
    ratePerSecond: isAmount,
    nodes: isListOf(isShaped<PartNode>({ id: isId, asked: isCount, relief: isAmount, leaving: isAmount })),
    done: isListOf(isId),
    placed: isCount,
    failed: isCount,
  },
  head: {
    operation: isShaped<HeadWord['operation']>({
      id: isId,
      kind: isKind,
      nodes: isListOf(isId),
      state: isState,
      reason: isText,
      by: isText,
      why: isText,
      startedAt: isText,
      endedAt: isTextOrNull,
      deadlineAt: isTextOrNull,
      etaMs: isNumberOrNull,
      ratePerSecond: isAmount,
      progress: isProgress,
      imbalance: isShaped<Operation['imbalance']>({
        before: isNumberOrNull,
        now: isNumberOrNull,
        predicted: isNumberOrNull,
      }),
    }),
    shedding: isListOf(isId),
  },
  ask: { to: isId, operation: isId, ratePerSecond: isAmount, by: isText, why: isText },
  cancel: { operation: isId, reason: isText },
  renamed: { operation: isId, to: isId },
};

/** Reads a word; undefined for one of another version or kind, or a broken one: it is passed over. Never throws. */
export function decodeFleetWord(text: string): FleetWord | undefined {
  const word = parsed(text);
  if (!isRecord(word) || word['v'] !== orderWordVersion) return undefined;
  const shape = Object.entries(shapes).find(([kind]) => kind === word['kind'])?.[1];
  if (shape === undefined || !hasMembers(word, shape)) return undefined;
  const { v: _, ...rest } = word;
  // Proof of `as`: every member of this kind of word has been checked by its shape.
  return rest as unknown as FleetWord;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
