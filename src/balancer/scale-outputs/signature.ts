// The signature of a delivery: HMAC with SHA-256 over the instant and the body, as docs/integrations/webhooks.md tells
// receivers to check it.
import { createHmac } from 'node:crypto';

/**
 * The value of `Herald-Signature`: `t=1700000000,v1=<hex>`, one `v1` for each secret. Signed is `<t>.<body>`, so that a
 * delivery that somebody has recorded is worth nothing once `t` is old. `atSeconds` is the Unix time of the attempt.
 */
export function signatureOf(body: string, atSeconds: number, secrets: readonly string[]): string {
  const signed = `${atSeconds}.${body}`;
  const parts = secrets.map((secret) => `v1=${createHmac('sha256', secret).update(signed).digest('hex')}`);
  return [`t=${atSeconds}`, ...parts].join(',');
}
