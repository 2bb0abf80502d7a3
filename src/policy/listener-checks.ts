// Checks of a listener's keys against each other, and against the pools.
import { nameHint } from '../core/nearest.ts';
import type { ConfigDocument } from './config-schema.ts';
import type { Path, Problem } from './problem.ts';
import { problemAt } from './schema-problems.ts';
import type { Source } from './yaml-document.ts';

type Sections = Partial<ConfigDocument>;
type Listener = ConfigDocument['listeners'][number];

/** Every key of a listener that cannot be as another one is. */
export function checkListeners(source: Source, { listeners = [], pools }: Sections): Problem[] {
  return listeners.flatMap((listener, index) => {
    const at = (path: Path, message: string, hint: string): Problem[] => [
      problemAt(source, ['listeners', index, ...path], message, hint),
    ];
    return [...protocolProblems(listener, pools, at), ...sourceProblems(listener, at)];
  });
}

type At = (path: Path, message: string, hint: string) => Problem[];

function protocolProblems({ protocol, pool }: Listener, pools: Sections['pools'], at: At): Problem[] {
  if (protocol === 'http') {
    if (pool === undefined) return [];
    return at(['pool'], 'an http listener has no pool', 'the routes of the pools say where requests go');
  }
  if (pool === undefined) return at([], 'a tcp listener needs a pool', 'there is no path to find one by');
  if (pools !== undefined && !Object.hasOwn(pools, pool))
    return at(['pool'], `no pool is named ${pool}`, nameHint(pool, Object.keys(pools)));
  return [];
}

function sourceProblems({ bind, mode, proxyProtocol, trusted }: Listener, at: At): Problem[] {
  const isUnix = 'path' in bind;
  if (mode !== undefined && !isUnix)
    return at(['mode'], 'only a UNIX socket has a mode', 'leave it out, or bind: unix:/path');
  if (proxyProtocol === 'required' && !isUnix && trusted.length === 0)
    return at(
      ['proxyProtocol'],
      'nobody is trusted to send PROXY headers',
      'name the proxies in front in `trusted`',
    );
  return [];
}
