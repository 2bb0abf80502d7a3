// What is told of recommendations: one event when they change, none when they stay.
import type { Scaling } from '../../protocol/scaling.ts';
import type { EventFeed } from './ports.ts';

type Told = Parameters<EventFeed['tell']>[0];

/**
 * The events that this recommendation is worth after the last one of its pool; undefined: it is the first. Nothing is
 * known of a pool that has just begun, which is no news: `wasKnown` says that something once was.
 */
export function newsOf(before: Scaling | undefined, now: Scaling, wasKnown: boolean): readonly Told[] {
  const news: Told[] = [];
  if (wasKnown && before?.state !== now.state)
    news.push(told(now.state === 'unknown' ? 'scale.unknown' : 'scale.known', now));
  const isOther = before?.desiredNodes !== now.desiredNodes || before.action !== now.action;
  const isFirst = before === undefined || !wasKnown;
  const isWorth = isOther && !(isFirst && now.action === 'hold');
  if (isWorth && (now.state === 'known' || now.action === 'out')) news.push(told('scale.recommended', now));
  return news;
}

const words = { out: 'scale out', in: 'scale in', hold: 'keep' } as const;

function told(type: string, scaling: Scaling): Told {
  return {
    type,
    pool: scaling.pool,
    node: '',
    by: 'auto',
    why: '',
    message: sentence(type, scaling),
    facts: factsOf(scaling),
  };
}

function sentence(type: string, { action, desiredNodes, nodes, reason }: Scaling): string {
  if (type === 'scale.unknown') return reason;
  if (type === 'scale.known') return `load is known again: ${reason}`;
  const count = action === 'hold' ? `${desiredNodes}` : `${nodes} to ${desiredNodes}`;
  return `${words[action]} ${count} nodes: ${reason}`;
}

function factsOf(scaling: Scaling): Told['facts'] {
  const { action, desiredNodes, wantedNodes, nodes, startingNodes, totalLoad, forecastLoad, bottleneck } =
    scaling;
  return {
    action,
    desired: desiredNodes,
    wanted: wantedNodes,
    nodes,
    starting: startingNodes,
    totalLoad: rounded(totalLoad),
    forecastLoad: rounded(forecastLoad),
    target: scaling.target,
    bottleneck,
    victims: scaling.victims.map(({ id }) => id).join(', '),
  };
}

/** Three decimals: a thousandth of a node. */
function rounded(load: number | null): number | null {
  return load === null ? null : Math.round(load * 1000) / 1000;
}
