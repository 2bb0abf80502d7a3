// What node:http has taken and Herald still has to judge, before a request may go on: the head with its Host.
import type { IncomingMessage } from 'node:http';
import { formatAddress } from '../../policy/address.ts';
import { valuesOf, type HeadFields } from '../../protocol/http-head.ts';
import { checkHead, type CheckedHead } from './request-head.ts';
import { isWrongUpgrade, upgradeRule } from './upgrade-choice.ts';

const refusal = (rule: string): CheckedHead => ({ ok: false, rule });

/** The head of `request` when it may be forwarded. `*` of OPTIONS is read as `/`. */
export function checkRequest(request: IncomingMessage): CheckedHead {
  if (request.httpVersion !== '1.1' && request.httpVersion !== '1.0')
    return refusal('the versions served are HTTP/1.1 and HTTP/1.0');
  if (isWrongUpgrade(request)) return refusal(upgradeRule);
  // node:http finds some wrong codings only after it has announced the request. And a 1.0 recipient may not
  // know chunks, old proxies in between do not: the classic smuggling gap.
  const codings = valuesOf(request.rawHeaders, 'transfer-encoding');
  if (codings.length > 1 || codings.some((coding) => coding.toLowerCase() !== 'chunked'))
    return refusal('the only Transfer-Encoding served is chunked, once');
  if (codings.length > 0 && request.httpVersion === '1.0')
    return refusal('Transfer-Encoding is served in HTTP/1.1 only');
  return checkHead(asksForServer(request) ? '/' : (request.url ?? ''), fieldsWithHost(request));
}

/** Whether the request asks for the server as a whole (RFC 9110, section 9.3.7). */
export function asksForServer({ method, url }: IncomingMessage): boolean {
  return method === 'OPTIONS' && url === '*';
}

// HTTP/1.0 needs no Host, and old health checks send none. It stands for the address that was connected to.
function fieldsWithHost({ httpVersion, rawHeaders, socket }: IncomingMessage): HeadFields {
  if (httpVersion !== '1.0' || valuesOf(rawHeaders, 'host').length > 0) return rawHeaders;
  const { localAddress, localPort } = socket;
  const host =
    localAddress === undefined || localPort === undefined
      ? 'localhost'
      : formatAddress({ host: localAddress, port: localPort });
  return ['Host', host, ...rawHeaders];
}
