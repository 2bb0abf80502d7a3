// Clients and heads of requests for tests of what is made of them.
import { clientOf, type Client } from '../../src/balancer/proxy/client.ts';
import { checkHead, type RequestHead } from '../../src/balancer/proxy/request-head.ts';

/** A client at `address`, trusted or not, as a plain listener sees it. */
export function aClient(address: string, isTrusted = false, fields: readonly string[] = []): Client {
  return clientOf({ trusted: (each) => isTrusted && each === address }, { address }, fields);
}

/** The head of a request for `target` with these fields, names and values in turn, behind `Host: chat:80`. */
export function aHead(fields: readonly string[] = [], target = '/a?b'): RequestHead {
  const checked = checkHead(target, ['Host', 'chat:80', ...fields]);
  if (!checked.ok) throw new Error(checked.rule);
  return checked.head;
}
