// A desk for takeovers that starts no process: one that has succeeded once, with an earlier process.
import type { TakeoverDesk } from '../../src/balancer/admin/takeover-port.ts';

/** A desk whose takeovers succeed at once; `asked` has who asked. */
export function aStubTakeover(asked: string[] = []): TakeoverDesk {
  const earlier = [{ generation: 1, pid: 100, connections: 3 }];
  return {
    view: () => ({ generation: 2, pid: 200, isUnderWay: false, earlier }),
    begin(by) {
      asked.push(by);
      return Promise.resolve({ generation: 3, pid: 300, tookMs: 12.5, connections: 4 });
    },
    passGate: () => Promise.resolve(),
  };
}
