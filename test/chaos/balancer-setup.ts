// The configuration of a balancer of a run.
import { aConfig, aPolicy, type HeraldSetup } from '../support/herald-setup.ts';

const policy = aPolicy({
  signals: { busy: { saturation: 1, kind: 'additive' } },
  reports: { interval: '500ms', blackout: '0s', expiry: '5s' },
  place: { slowStart: '0s' },
  drain: { deadline: '20s' },
  rebalance: { mode: 'advise' },
  health: { check: { kind: 'tcp', interval: '1s', timeout: '1s', fall: 2, rise: 1 } },
});

/** The files of one balancer: what all have, its ports (public and intake), and its own way to Redis. */
export function chaosSetup({
  id,
  ports: [publicPort, intakePort],
  redisPort,
}: {
  readonly id: string;
  readonly ports: readonly [number, number];
  readonly redisPort: number;
}): HeraldSetup {
  const timeouts = { dial: '2s', handshake: '3s' };
  return {
    policies: { chat: policy },
    config: aConfig({
      listeners: [{ name: 'public', bind: `127.0.0.1:${publicPort}`, timeouts }],
      intake: { bind: `127.0.0.1:${intakePort}`, register: { from: ['127.0.0.0/8'] } },
      state: { kind: 'redis', url: `redis://127.0.0.1:${redisPort}`, peer: id },
      takeover: { relayFor: '15s' },
      // The first relays in workers, the others themselves: both are what operators run.
      workers: id === 'lb-1' ? 2 : 0,
    }),
  };
}
