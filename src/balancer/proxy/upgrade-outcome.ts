// How an upgrade ends for its client: with a tunnel, with what the node has said in place of a 101, or with our refusal.
// Nothing has reached the client before; which node, and whether one more is asked, is upgrade.ts.
import { Buffer } from 'node:buffer';
import type { AffinityRule } from '../../policy/policy.ts';
import type { Problem } from '../../protocol/problem.ts';
import type { Lease } from '../state/ports.ts';
import type { AccessStory } from './access.ts';
import type { AffinityRequest } from './affinity.ts';
import { refusedSwitchText, switchText, type AnswerHead } from './answer-head.ts';
import { arrivalOf } from './arrival.ts';
import { lingerClose } from './linger.ts';
import { requestIdFields, type Marks } from './marks.ts';
import type { ProxyDeps } from './ports.ts';
import { isWebSocket, type ProtocolSwitch } from './protocol-switch.ts';
import { upgradeRefusal } from './refuse.ts';
import { passRefusedSwitch } from './refused-switch.ts';
import { nodeFields, upgradeRequestText } from './request-fields.ts';
import type { RequestHead } from './request-head.ts';
import { startTunnel } from './tunnel.ts';
import type { Wire } from './wire.ts';

/** Who asks, for what, and where. */
export interface UpgradeRequest {
  /** The client's wire. */
  readonly client: Wire;
  readonly head: RequestHead;
  readonly pool: string;
  readonly asked: ProtocolSwitch;
}

/** An upgrade, with what is known of it before it is placed. */
export interface KnownUpgrade extends UpgradeRequest {
  readonly affinityRequest: AffinityRequest;
  readonly marks: Marks;
  readonly story: AccessStory | undefined;
  /** `tcp` for any other switch than to WebSocket: bytes to us, as behind a TCP listener. */
  readonly kind: 'websocket' | 'tcp';
  /** The head for any node. */
  readonly requestBytes: Buffer;
}

/** A node's answer with its wire, which is paused; `rest` came behind the head. */
export interface Answered {
  readonly lease: Lease;
  readonly node: Wire;
  readonly answer: AnswerHead;
  readonly rest: Buffer;
}

/** Finds out what there is to know, once for each upgrade. */
export function knowUpgrade(deps: ProxyDeps, request: UpgradeRequest): KnownUpgrade {
  const { client, head, pool, asked } = request;
  const origin = { address: client.remoteAddress, isEncrypted: client.isEncrypted };
  const arrival = arrivalOf(deps, { connection: client, origin, head, method: asked.method, pool });
  const { affinityRequest, marks, story } = arrival;
  const text = upgradeRequestText(asked, head.target, nodeFields(head, arrival.client, marks));
  return {
    client,
    head,
    pool,
    asked,
    affinityRequest,
    marks,
    story,
    kind: isWebSocket(asked) ? 'websocket' : 'tcp',
    requestBytes: Buffer.from(text, 'latin1'),
  };
}

/** The rule of the pool now: asked for each time, since a policy may change while a client waits. */
export function affinityRuleOf({ placement }: ProxyDeps, { pool }: KnownUpgrade): AffinityRule {
  return placement.policyOf(pool)?.affinity ?? { kind: 'none' };
}

/** The node has switched: from here on both sides have a tunnel. `fromClient` is what the client has sent before. */
export function openTunnel(
  deps: ProxyDeps,
  upgrade: KnownUpgrade,
  { answered, fromClient }: { readonly answered: Answered; readonly fromClient: Buffer },
): void {
  const { lease, node, answer, rest } = answered;
  // Not the upgrade itself in `onEnd`: what is kept from here on is kept for days.
  const { client, pool, asked, marks, story, kind } = upgrade;
  lease.opened();
  story?.answered(101);
  const rule = affinityRuleOf(deps, upgrade);
  const setCookie = deps.affinity.setCookie(upgrade.affinityRequest, rule, lease.node.id);
  sendText(client, switchText(asked.protocol, answer, { setCookie, marks }));
  startTunnel(deps, {
    pool,
    downstream: client,
    upstream: node,
    fromNode: rest,
    fromClient,
    lease,
    isFramed: kind === 'websocket',
    idleTimeoutMs: deps.timeouts.tunnelIdleMs,
    stallTimeoutMs: deps.timeouts.stallMs,
    onEnd: (reason, totals) => story?.ended(reason, kind, totals),
  });
}

/** The node has said something else: the client hears it to its end. */
export function passRefusal(
  deps: ProxyDeps,
  { client, marks, story }: KnownUpgrade,
  { lease, node, answer, rest }: Answered,
): void {
  story?.answered(answer.status);
  sendText(client, refusedSwitchText(answer, marks));
  const onEnd = () => {
    lease.release();
    story?.ended('done', 'http');
  };
  passRefusedSwitch(deps, { client, node, answer, onEnd }, rest);
}

/** No node has said anything: the client hears why, in the form that the policy says. */
export function refuseUpgrade(
  deps: ProxyDeps,
  { client, pool, head, marks, story, kind }: KnownUpgrade,
  problem: Problem,
): void {
  deps.events.refused(pool, problem.code);
  story?.refused(problem.code, kind);
  const form = deps.placement.policyOf(pool)?.admit.refuse;
  const answer = upgradeRefusal(problem, head.fields, { form, more: requestIdFields(marks) });
  client.send(answer, 0, answer.length);
  lingerClose(client, deps);
}

function sendText(client: Wire, text: string): void {
  const bytes = Buffer.from(text, 'latin1');
  client.send(bytes, 0, bytes.length);
}
