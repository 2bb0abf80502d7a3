// Tells systemd how the service is, by `systemd-notify`: Node has no datagram sockets of the UNIX family.
import { execFile } from 'node:child_process';
import type { Clock, Timer } from '../core/clock.ts';
import type { Environment } from '../policy/environment.ts';

/** Says how the service is; without NOTIFY_SOCKET nothing happens. */
export interface SystemdNotifier {
  /** The service works; from now on the watchdog is fed by a timer, so that it hears of an event loop that hangs. */
  ready(): Promise<void>;
  /** Another process is the service from now on: this one says nothing more. Idempotent. */
  letGo(): void;
  /** The service is going to end. */
  stopping(): Promise<void>;
}

/** Runs a program; rejects when it fails or takes longer. */
export type RunProgram = (
  program: string,
  args: readonly string[],
  limits: { readonly environment: Environment; readonly timeoutMs: number },
) => Promise<void>;

/** What a notifier is made of. */
export interface SystemdNotifierParts {
  readonly environment: Environment;
  readonly pid: number;
  readonly clock: Clock;
  readonly run: RunProgram;
  /** Called with the first failure, and only with that. */
  readonly onFailure: (reason: string) => void;
}

/** The manager answers at once, but for a machine that is just starting; what takes longer must not pile up. */
const timeoutMs = 10_000;
/** An agent that is told to end does so within two seconds, whatever the manager does. */
const farewellTimeoutMs = 1000;

/** Makes a notifier. */
export function createSystemdNotifier(parts: SystemdNotifierParts): SystemdNotifier {
  const { environment, pid, clock, run, onFailure } = parts;
  let isUsed = (environment['NOTIFY_SOCKET'] ?? '') !== '';
  let hasFailed = false;
  let feeding: Timer | undefined;

  async function notify(state: string, limitMs = timeoutMs): Promise<void> {
    if (!isUsed) return;
    try {
      await run('systemd-notify', [`--pid=${pid}`, state], { environment, timeoutMs: limitMs });
    } catch (error) {
      if (!hasFailed) onFailure(error instanceof Error ? error.message.trim() : String(error));
      hasFailed = true;
    }
  }

  return {
    async ready() {
      const intervalMs = watchdogMs(environment, pid);
      if (isUsed && intervalMs !== undefined && feeding === undefined)
        feeding = clock.repeat(intervalMs, () => void notify('WATCHDOG=1'));
      await notify('READY=1');
    },
    letGo() {
      isUsed = false;
      feeding?.cancel();
    },
    async stopping() {
      feeding?.cancel();
      await notify('STOPPING=1', farewellTimeoutMs);
    },
  };
}

/** Half of what systemd waits (sd_watchdog_enabled(3)); undefined when it waits for nothing, or for another process. */
function watchdogMs(environment: Environment, pid: number): number | undefined {
  const { WATCHDOG_USEC: span = '', WATCHDOG_PID: whose = '' } = environment;
  if (!/^[1-9]\d{0,14}$/.test(span) || (whose !== '' && whose !== String(pid))) return undefined;
  return Math.max(1, Number(span) / 2000);
}

/** Runs a program without a shell and without its output. */
export const runProgram: RunProgram = (program, args, { environment, timeoutMs: limitMs }) =>
  new Promise((resolve, reject) => {
    const options = { env: { ...environment }, timeout: limitMs };
    execFile(program, args, options, (error) => (error === null ? resolve() : reject(error)));
  });
