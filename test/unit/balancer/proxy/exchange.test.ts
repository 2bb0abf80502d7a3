// What sockets cannot show at will: a client that leaves while undici is still connecting. The rest of an
// exchange is in test/integration/proxy/forward.test.ts.
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { Dispatcher, Pool } from 'undici';
import { describe, expect, it } from 'vitest';
import { createAffinity } from '../../../../src/balancer/proxy/affinity.ts';
import { Exchange } from '../../../../src/balancer/proxy/exchange.ts';
import { Open } from '../../../../src/balancer/proxy/open.ts';
import type { ProxyDeps } from '../../../../src/balancer/proxy/ports.ts';
import { checkHead } from '../../../../src/balancer/proxy/request-head.ts';
import { bareLink } from '../../../../src/platform/node-links.ts';
import { pcg32 } from '../../../../src/core/rng.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { StubPlacement } from '../../../support/stub-placement.ts';

/** An exchange that has been handed to undici, which has not connected. */
function anExchange() {
  const dispatched: Dispatcher.DispatchHandler[] = [];
  const placement = new StubPlacement([{ id: 'a', host: '127.0.0.1', port: 1 }]);
  const told: string[] = [];
  const open = new Open();
  const parts: Partial<ProxyDeps> = {
    placement,
    open,
    affinity: createAffinity({ nodeIds: () => [], keys: () => [] }),
    trusted: () => false,
    linkOf: () => bareLink,
    originOf: () => ({
      ends: { address: '', port: 0, localAddress: '', localPort: 0 },
      isEncrypted: false,
    }),
    rng: pcg32(1),
    clock: new ManualClock(),
    timeouts: {
      headMs: 1,
      dialMs: 1,
      handshakeMs: 1,
      tunnelIdleMs: 1,
      requestIdleMs: 1,
      keepAliveMs: 1,
      stallMs: 1,
    },
    events: {
      refused: (_pool, code) => told.push(code),
      acceptFailed: (code) => told.push(code),
      clientStalled: () => told.push('stalled'),
      nodeFailed: (_pool, _id, reason) => told.push(reason),
      turnedAway: (reason) => told.push(reason),
    },
  };
  const dispatch = (_options: unknown, handler: Dispatcher.DispatchHandler) => void dispatched.push(handler);
  const request = new IncomingMessage(new Socket());
  request.method = 'GET';
  const response = new ServerResponse(request);
  const checked = checkHead('/', ['Host', 'a']);
  if (!checked.ok) throw new Error(checked.rule);
  // Proof of both `as`: an exchange uses these parts of its deps and this call of a pool, and no other.
  const pools = { poolOf: () => ({ dispatch }) as unknown as Pool, destroy: () => {} };
  new Exchange(parts as ProxyDeps, pools, { request, response, head: checked.head, pool: 'chat' }).start();
  return { handler: dispatched[0], response, placement, told, open };
}

/** undici's controller as far as an exchange that never gets an answer uses it. */
function aController() {
  const reasons: (Error | null)[] = [];
  const controller: Dispatcher.DispatchController = {
    aborted: false,
    paused: false,
    reason: null,
    abort: (reason) => void reasons.push(reason),
    pause: () => {},
    resume: () => {},
  };
  return { controller, reasons };
}

describe('an exchange whose client leaves while its node is dialled', () => {
  it('releases its lease, and the request is called back when the connection comes about', () => {
    const { handler, response, placement, open } = anExchange();
    response.emit('close');
    expect(placement.leases).toMatchObject([{ isOpened: false, settled: 'released' }]);
    expect(open.size).toBe(0);
    const { controller, reasons } = aController();
    handler?.onRequestStart?.(controller, undefined);
    expect(reasons).toHaveLength(1);
    expect(placement.leases[0]).toMatchObject({ isOpened: false, toNode: { messages: 0 } });
  });

  it('takes no second node and blames nobody when the dial fails later', () => {
    const { handler, response, placement, told } = anExchange();
    response.emit('close');
    const refused = Object.assign(new Error('no'), { code: 'ECONNREFUSED' });
    handler?.onResponseError?.(aController().controller, refused);
    expect(placement.leases).toHaveLength(1);
    expect(told).toEqual([]);
  });
});
