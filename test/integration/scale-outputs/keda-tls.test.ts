import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createKeda, type Keda } from '../../../src/balancer/scale-outputs/keda-server.ts';
import type { TlsMaterial } from '../../../src/platform/http-server.ts';
import { createSystemClock } from '../../../src/platform/system-clock.ts';
import { aGrpcClient, scaledObjectRef } from '../../support/grpc-by-hand.ts';
import { aScaling, type StubFeed } from '../../support/a-scaling.ts';
import { aStubScaleFeed } from '../../support/stub-scale-feed.ts';
import { until } from '../../support/until.ts';

let folder: string;
const read = (name: string) => readFileSync(join(folder, name), 'utf8');

/** Authorities `one` and `two`; a server certificate and a client certificate of each. */
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'herald-keda-'));
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  for (const ca of ['one', 'two']) {
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
    openssl(
      'req',
      '-x509',
      ...curve,
      '-subj',
      `/CN=ca-${ca}`,
      '-keyout',
      `${ca}-ca.key`,
      '-out',
      `${ca}-ca.pem`,
    );
    for (const who of ['server', 'client']) {
      const name = `${ca}-${who}`;
      const alt = ['-addext', 'subjectAltName=IP:127.0.0.1'];
      const signer = ['-CA', `${ca}-ca.pem`, '-CAkey', `${ca}-ca.key`];
      openssl(
        'req',
        '-x509',
        ...curve,
        ...signer,
        '-subj',
        `/CN=${name}`,
        ...alt,
        '-addext',
        'basicConstraints=CA:FALSE',
        '-keyout',
        `${name}.key`,
        '-out',
        `${name}.pem`,
      );
    }
  }
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

let keda: Keda;
let feed: StubFeed;
let port = 0;

async function serve(tls: TlsMaterial): Promise<void> {
  feed = aStubScaleFeed(aScaling());
  keda = createKeda({
    bind: { host: '127.0.0.1', port: 0 },
    tls,
    feed,
    clock: createSystemClock(),
    onInternalError: () => undefined,
  });
  port = await keda.start();
}

afterEach(() => keda.stop());

const serverOf = (ca: string, clientCa?: string): TlsMaterial => ({
  cert: read(`${ca}-server.pem`),
  key: read(`${ca}-server.key`),
  clientCa: clientCa === undefined ? undefined : read(`${clientCa}-ca.pem`),
});

const clientOf = (ca: string) => ({ cert: read(`${ca}-client.pem`), key: read(`${ca}-client.key`) });
const ref = scaledObjectRef({ pool: 'chat' });

/** The status of IsActive; -1 when there was no answer. */
async function statusFor(
  tls: { ca?: string; cert?: string; key?: string },
  scheme = 'https',
): Promise<number> {
  await using client = aGrpcClient(`${scheme}://127.0.0.1:${port}`, tls);
  return (await client.ask('IsActive', ref)).status;
}

describe('TLS', () => {
  it('is spoken to clients that trust the certificate; plain text gets no answer', async () => {
    await serve(serverOf('one'));
    expect(await statusFor({ ca: read('one-ca.pem') })).toBe(0);
    expect(await statusFor({ ca: read('two-ca.pem') })).toBe(-1);
    expect(await statusFor({}, 'http')).toBe(-1);
  });

  it('with an authority of clients asks each for a certificate of it', async () => {
    await serve(serverOf('one', 'one'));
    const ca = read('one-ca.pem');
    expect(await statusFor({ ca, ...clientOf('one') })).toBe(0);
    expect(await statusFor({ ca })).toBe(-1);
    expect(await statusFor({ ca, ...clientOf('two') })).toBe(-1);
  });

  it('takes a new certificate on the same port; streams that are open go on', async () => {
    await serve(serverOf('one'));
    await using old = aGrpcClient(`https://127.0.0.1:${port}`, { ca: read('one-ca.pem') });
    const stream = old.call('StreamIsActive', ref);
    await until(
      () => stream.messages.length === 1,
      () => 'no first value',
    );
    await keda.reconfigure(serverOf('two'));
    expect(await statusFor({ ca: read('two-ca.pem') })).toBe(0);
    expect(await statusFor({ ca: read('one-ca.pem') })).toBe(-1);
    // The old connection has been asked to go (GOAWAY), and its stream may stay: another reload changes nothing of that.
    await keda.reconfigure(serverOf('two'));
    feed.say(aScaling({ isActive: false, min: 0 }));
    await until(
      () => stream.messages.length === 2,
      () => 'no change',
    );
    await keda.stop();
    expect((await stream.over).status).toBe(0);
  });
});
