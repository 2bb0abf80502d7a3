// TLS to Redis: with its authority, without it, and with certificates of the clients.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aRedisConfig, aRedisStore, startRedisStore } from '../../support/a-shared-store.ts';
import { freePort, lacksRedis, startRedis } from '../../support/redis-server.ts';
import { allTogether } from './peers-room.ts';

describe.skipIf(lacksRedis)('TLS', () => {
  let folder = '';
  const pem = (name: string) => readFileSync(join(folder, name), 'utf8');

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'herald-redis-tls-'));
    const san = ['-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost'];
    const days = ['-days', '2', '-nodes', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
    const out = ['-keyout', 'key.pem', '-out', 'cert.pem', '-subj', '/CN=redis'];
    execFileSync('openssl', ['req', '-x509', ...days, ...out, ...san], { cwd: folder, stdio: 'pipe' });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  async function startSecure(authClients: 'yes' | 'no'): Promise<number> {
    const port = await freePort();
    await startRedis({
      lines: [
        `tls-port ${port}`,
        `tls-cert-file ${join(folder, 'cert.pem')}`,
        `tls-key-file ${join(folder, 'key.pem')}`,
        `tls-ca-cert-file ${join(folder, 'cert.pem')}`,
        `tls-auth-clients ${authClients}`,
      ],
    });
    return port;
  }

  it('connects with the authority of the server, and is refused without', async () => {
    const port = await startSecure('no');
    const tls = { ca: pem('cert.pem'), cert: undefined, key: undefined };
    const made = [
      await startRedisStore(aRedisConfig(port, { tls, peer: 'a' })),
      await startRedisStore(aRedisConfig(port, { tls, peer: 'b' })),
    ];
    await allTogether(made);
    const stranger = aRedisStore(aRedisConfig(port, { tls: { ...tls, ca: undefined } }));
    await expect(stranger.store.start(stranger.heard)).rejects.toMatchObject({
      code: 'HERALD_STATE_REFUSED',
      message: expect.stringMatching(/^cannot share state over rediss:\/\/.* TLS fails: /),
    });
  });

  it('is refused where it is spoken by one side only', async () => {
    const plain = await startRedis();
    const tls = { ca: pem('cert.pem'), cert: undefined, key: undefined };
    const toPlain = aRedisStore(aRedisConfig(plain.port, { tls }));
    await toPlain.store.start(toPlain.heard).catch(() => {});
    expect(toPlain.store.status().state).not.toBe('connected');
    const toTls = aRedisStore(aRedisConfig(await startSecure('no')));
    await toTls.store.start(toTls.heard).catch(() => {});
    expect(toTls.store.status().state).not.toBe('connected');
    expect(toTls.store.status().reason).toMatch(/only one side speaks TLS|closed|reset/);
  });

  it('shows its own certificate where one is asked for', async () => {
    const port = await startSecure('yes');
    const tls = { ca: pem('cert.pem'), cert: pem('cert.pem'), key: pem('key.pem') };
    const made = await startRedisStore(aRedisConfig(port, { tls }));
    expect(made.store.status().state).toBe('connected');
    const without = aRedisStore(aRedisConfig(port, { tls: { ...tls, cert: undefined, key: undefined } }));
    await without.store.start(without.heard).catch(() => {});
    expect(without.store.status().state).toBe('degraded');
  });
});
