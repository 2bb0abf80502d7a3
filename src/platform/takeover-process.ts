// The two ends of a takeover as processes: how the new one is started with the old one's sockets, and how it finds them.
// What they say to each other is balancer/takeover/.
import { spawn } from 'node:child_process';
import type { Successor, SuccessorEvents } from '../balancer/takeover/handover.ts';
import type { PredecessorChannel } from '../balancer/takeover/succession.ts';

/** Variable that hands the new process what it inherits; nobody sets it by hand. */
const variable = 'HERALD_TAKEOVER';
// 0 to 2 are the streams, 3 is the channel.
const firstSocketFd = 4;

/** What a process inherited. */
export interface Inheritance {
  /** 1 for a process that replaced none. */
  readonly generation: number;
  /** Descriptors of listening sockets by key. */
  readonly sockets: ReadonlyMap<string, number>;
  /** Undefined for a process that replaced none. */
  readonly channel: PredecessorChannel | undefined;
}

/** Reads what this process inherited, and takes it out of its environment: its own children inherit nothing. */
export function readInheritance(): Inheritance {
  const text = process.env[variable];
  delete process.env[variable];
  if (text === undefined || typeof process.send !== 'function')
    return { generation: 1, sockets: new Map(), channel: undefined };
  // Written by `spawnSuccessor` of the process that started this one.
  const { generation, keys } = JSON.parse(text) as { generation: number; keys: string[] };
  const sockets = new Map(keys.map((key, index) => [key, firstSocketFd + index]));
  return { generation, sockets, channel: parentChannel() };
}

/**
 * Starts this program anew, from the disk, with the same arguments, and gives it the listening sockets. Node hands
 * descriptors to children only, so the new process is a child of the old one until that one ends.
 */
export function spawnSuccessor(
  inherited: { readonly generation: number; readonly sockets: ReadonlyMap<string, number> },
  events: SuccessorEvents,
): Successor {
  const { generation, sockets } = inherited;
  // A variable of systemd's that names the process which feeds the watchdog: that will be the new one.
  const { WATCHDOG_PID: _old, ...environment } = process.env;
  const child = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc', ...sockets.values()],
    env: { ...environment, [variable]: JSON.stringify({ generation, keys: [...sockets.keys()] }) },
  });
  let isGone = false;
  const gone = (how: string) => {
    if (isGone) return;
    isGone = true;
    events.ended(how);
  };
  child.on('message', (message) => events.heard(message));
  child.on('error', (error) => gone(`cannot be started: ${error.message}`));
  // Not 'exit': what it has said before is heard first.
  child.on('close', (code, signal) =>
    gone(signal === null ? `ended with ${code}` : `was ended by ${signal}`),
  );
  // This process ends when its connections have, whatever its child does.
  child.unref();
  return {
    pid: child.pid ?? 0,
    send: (message) => void (child.connected && child.send(message, ignoreError)),
    kill: () => void child.kill('SIGKILL'),
    disconnect: () => void (child.connected && child.disconnect()),
  };
}

function parentChannel(): PredecessorChannel {
  return {
    send: (message) => void (process.connected && process.send?.(message, undefined, undefined, ignoreError)),
    onMessage: (hear) => void process.on('message', hear),
    onGone(hear) {
      if (process.connected) process.once('disconnect', hear);
      else hear();
    },
    close: () => void (process.connected && process.disconnect()),
  };
}

/** The other process may end at any moment: 'disconnect' and 'close' tell that. */
function ignoreError(): void {}
