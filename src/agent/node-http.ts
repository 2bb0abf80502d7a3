// Node's HTTP modules, for all of the agent. Types come from them directly.
import type * as http from 'node:http';
import type * as https from 'node:https';
import { createRequire } from 'node:module';

// Not by `import`: that reads all exports of a built-in module, and one of node:http's loads the undici that is built
// into Node 22 and later. It takes 10 to 15 MiB, and under --jitless it ends the process.
const load = createRequire(import.meta.url);

// Proof of the casts, here and below: these are the modules' own types.
/** What the agent uses of `node:http`. */
export const { Agent, IncomingMessage, request } = load('node:http') as typeof http;

/** `node:https`, whose TLS is some megabytes more: loaded where it is spoken. */
export function loadHttps(): Pick<typeof https, 'Agent' | 'request'> {
  return load('node:https') as typeof https;
}
