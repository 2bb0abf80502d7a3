// One active check of one node: does it answer at all?
import { connect } from 'node:net';
import { request } from 'undici';
import { localErrorCodes } from '../../core/local-error.ts';
import type { Clock } from '../../core/clock.ts';
import { formatAddress, type Address } from '../../policy/address.ts';
import type { Policy } from '../../policy/policy.ts';
import { probeWebSocket } from './probe-websocket.ts';

/** A check as a policy asks for it. */
export type CheckRule = Exclude<Policy['health']['check'], { kind: 'off' }>;

/**
 * Checks a node once. '' when it passes, else the reason for people; undefined when it could not be asked for want of
 * something of our own. Never rejects.
 */
export type Probe = (target: Address, rule: CheckRule) => Promise<string | undefined>;

/** The probe over real sockets. */
export function createProbe(clock: Clock): Probe {
  return async (target, rule) => {
    const stop = new AbortController();
    const timer = clock.schedule(rule.timeoutMs, () => stop.abort());
    try {
      await probes[rule.kind](target, rule, stop.signal);
      return '';
    } catch (error) {
      if (stop.signal.aborted) return `check: no answer within ${rule.timeoutMs} ms`;
      if (isOurs(error)) return undefined;
      return `check: ${error instanceof Error ? error.message : String(error)}`;
    } finally {
      timer.cancel();
    }
  };
}

const probes: Record<
  CheckRule['kind'],
  (to: Address, rule: CheckRule, signal: AbortSignal) => Promise<void>
> = {
  tcp: probeTcp,
  http: probeHttp,
  websocket: (target, { path }, signal) => probeWebSocket(target, path, signal),
};

function isOurs(error: unknown): boolean {
  return error instanceof Error && 'code' in error && localErrorCodes.has(String(error.code));
}

async function probeTcp(target: Address, _rule: CheckRule, signal: AbortSignal): Promise<void> {
  const socket = connect({ ...target, signal });
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
  } finally {
    // By reset: thousands of checks a minute would leave as many ports in TIME_WAIT.
    socket.resetAndDestroy();
  }
}

async function probeHttp(address: Address, { path }: CheckRule, signal: AbortSignal): Promise<void> {
  const url = `http://${formatAddress(address)}${path}`;
  const { statusCode, body } = await request(url, { signal, headers: { connection: 'close' } });
  await body.dump({ limit: 64 * 1024, signal });
  if (statusCode < 200 || statusCode >= 400) throw new Error(`${path} answered ${statusCode}`);
}
