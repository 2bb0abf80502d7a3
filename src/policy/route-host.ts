// Hosts as routes compare them: lower case, ASCII, without port and final dot.
import { formatIp, parseIp } from './cidr.ts';
import { showValue, type Reading } from './quantity.ts';

const asciiName = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*$/;

/**
 * The host of a request, in lower case and without its port, as routes compare it: a final dot says the same name, and
 * an IPv6 address has one form.
 */
export function canonicalHost(hostName: string): string {
  if (hostName.startsWith('[')) {
    const address = parseIp(hostName.slice(1, -1));
    return address === undefined ? hostName : `[${formatIp(address)}]`;
  }
  return hostName.endsWith('.') ? hostName.slice(0, -1) : hostName;
}

/** Reads the host of a route: a name, `*.` and a name, or `*`. Names in other letters become what browsers send. */
export function readRouteHost(value: unknown): Reading<string> {
  const forms = 'a host name, "*.example.com" or "*"';
  if (typeof value !== 'string')
    return { message: `${showValue(value)} is not a host`, hint: `${forms}, in quotes` };
  if (value === '*') return { value };
  const isWildcard = value.startsWith('*.');
  const name = asciiOf(canonicalHost((isWildcard ? value.slice(2) : value).toLowerCase()));
  const isName = name !== undefined && name.length <= 253 && asciiName.test(name);
  const isAddress = name !== undefined && /^\[[0-9a-f:.]+\]$/.test(name) && !isWildcard;
  if (isName || isAddress) return { value: isWildcard ? `*.${name}` : name };
  const hint = /:\d+$/.test(value) ? 'leave the port out' : forms;
  return { message: `${showValue(value)} is not a host`, hint };
}

// A browser asks for bücher.example by its ASCII form; undefined where there is none.
function asciiOf(name: string): string | undefined {
  if (/^[!-~]*$/.test(name)) return name;
  if (/[\s/?#@:%\\]/.test(name) || !URL.canParse(`http://${name}`)) return undefined;
  return new URL(`http://${name}`).hostname;
}
