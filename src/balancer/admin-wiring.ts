// The admin API of a configuration, wired to the registry, the control and the log.
import type { Clock } from '../core/clock.ts';
import { tcpKey, unixKey, type ListeningSockets } from '../platform/listening-sockets.ts';
import type { Logger } from '../platform/logger.ts';
import { createPolicyFiles } from '../platform/policy-files.ts';
import type { Config } from '../policy/config.ts';
import type { Policy } from '../policy/policy.ts';
import type { PeersAnswer } from '../protocol/peering.ts';
import type { WorkerDetail } from '../protocol/workers.ts';
import { createAdmin, type Admin } from './admin/admin.ts';
import type { Control, EventFeed, ScaleFeed } from './control/ports.ts';
import type { TakeoverDesk } from './admin/takeover-port.ts';
import type { WebhookDesk } from './admin/webhook-port.ts';
import type { Registry } from './state/registry.ts';

/** An admin API for these settings, not yet listening. */
export function createConfiguredAdmin(
  { admin, policiesDirectory }: Config,
  parts: {
    registry: Registry;
    clock: Clock;
    log: Logger;
    version: string;
    control: Control | undefined;
    feed: EventFeed;
    webhooks: WebhookDesk;
    takeover: TakeoverDesk | undefined;
    sockets: ListeningSockets;
    peers: () => PeersAnswer;
    workers: () => readonly WorkerDetail[];
    scale: ScaleFeed;
    policies: () => Iterable<Policy>;
    onInternalError: (error: unknown) => void;
  },
): Admin {
  const { log, sockets, ...rest } = parts;
  const { socketPath, tcp } = admin;
  return createAdmin({
    ...rest,
    socketPath,
    tcp,
    slots: {
      socket: sockets.slot(unixKey(socketPath)),
      tcp: tcp && sockets.slot(tcpKey(tcp.bind, 'admin')),
    },
    policyFiles: createPolicyFiles(policiesDirectory),
    note: (event, facts) => log.info(facts, event),
  });
}
