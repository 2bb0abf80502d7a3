// Which requests are upgrades, for a node:http server: decided before it gives up its socket where it asks.
import type { IncomingMessage } from 'node:http';
import { askedSwitch, asksForWebSocket, type ProtocolSwitch } from './protocol-switch.ts';
import { announcesBody } from './request-head.ts';

/**
 * From Node 24 on the server asks which requests are upgrades; the others are ordinary requests to it, whatever
 * their Upgrade field says. Node 20 does not know the option and brings all of them to 'upgrade'.
 */
export const upgradeChoice = {
  shouldUpgradeCallback: (request: IncomingMessage) =>
    !isWrongUpgrade(request) && switchOf(request) !== undefined,
};

/** What a node is asked to switch to for the request; undefined: an ordinary request, be it with an Upgrade field. */
export function switchOf({ rawHeaders, httpVersion, method }: IncomingMessage): ProtocolSwitch | undefined {
  return httpVersion === '1.1' ? askedSwitch(rawHeaders, method ?? '') : undefined;
}

/** The rule that a wrong upgrade breaks. */
export const upgradeRule = 'a WebSocket upgrade must be a GET without a body';

/** What asks for a WebSocket in a way that no node may be asked in. */
export function isWrongUpgrade({ rawHeaders, httpVersion, method }: IncomingMessage): boolean {
  return (
    asksForWebSocket(rawHeaders) && httpVersion === '1.1' && (method !== 'GET' || announcesBody(rawHeaders))
  );
}
