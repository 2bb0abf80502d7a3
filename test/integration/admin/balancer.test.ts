import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Agent, request } from 'undici';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Balancer } from '../../../src/balancer/balancer.ts';
import { pcg32 } from '../../../src/core/rng.ts';
import { loadConfig } from '../../../src/platform/config.ts';
import { createSilentLogger } from '../../../src/platform/logger.ts';
import { createSystemClock } from '../../../src/platform/system-clock.ts';
import { aConfig, writeIn, writeSetup } from '../../support/herald-setup.ts';
import { aStubControl } from '../../support/stub-control.ts';

let folder: string;
let balancer: Balancer | undefined;

const tls = { cert: './c.pem', key: './k.pem' };
const admin = {
  socket: './h.sock',
  bind: '127.0.0.1:0',
  tls,
  tokens: [{ name: 'ops', role: 'operate', tokenFile: './ops' }],
};

const intake = { bind: '127.0.0.1:0', tls };

beforeEach(() => {
  folder = writeSetup({
    config: { admin, intake },
    files: { ops: 'first-secret-0123456789\n' },
  });
  certificate('c.pem', 'k.pem');
});

afterEach(async () => {
  await balancer?.stop();
  balancer = undefined;
  rmSync(folder, { recursive: true });
});

function certificate(cert: string, key: string): void {
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const subject = ['-subj', '/CN=herald', '-addext', 'subjectAltName=IP:127.0.0.1'];
  execFileSync(
    'openssl',
    ['req', '-x509', ...curve, '-days', '2', ...subject, '-keyout', key, '-out', cert],
    {
      cwd: folder,
      stdio: 'pipe',
    },
  );
}

const load = () => loadConfig(join(folder, 'herald.yaml'), {});

async function start(withControl = false): Promise<Balancer> {
  const options = { clock: createSystemClock(), rng: pcg32(1), log: createSilentLogger(), version: '0.0.0' };
  const control = withControl ? { createControl: () => aStubControl() } : {};
  balancer = new Balancer({ ...options, ...control, loaded: await load() });
  await balancer.start();
  return balancer;
}

async function statusOf(port: number, path: string, secret: string): Promise<number> {
  const dispatcher = new Agent({ connect: { rejectUnauthorized: false } });
  const headers = { authorization: `Bearer ${secret}` };
  const { statusCode, body } = await request(`https://127.0.0.1:${port}${path}`, { dispatcher, headers });
  await body.dump();
  await dispatcher.destroy();
  return statusCode;
}

describe('a configured balancer', () => {
  it('answers over TLS on admin and intake, and takes new tokens and certificates without a restart', async () => {
    const running = await start();
    expect(await statusOf(running.adminPort, '/v1/pools', 'first-secret-0123456789')).toBe(200);
    expect(await statusOf(running.intakePort, '/healthz', 'nobody')).toBe(200);
    writeFileSync(join(folder, 'ops'), 'second-secret-0123456789');
    certificate('c.pem', 'k.pem');
    expect(running.reconfigure(await load())).toEqual({ isChanged: true, needRestart: [] });
    expect(await statusOf(running.adminPort, '/v1/pools', 'first-secret-0123456789')).toBe(401);
    expect(await statusOf(running.adminPort, '/v1/pools', 'second-secret-0123456789')).toBe(200);
  });

  it('answers 501 without control loops, and asks those that it is given', async () => {
    const plain = await start();
    expect(await statusOf(plain.adminPort, '/v1/operations', 'first-secret-0123456789')).toBe(501);
    await plain.stop();
    const full = await start(true);
    expect(await statusOf(full.adminPort, '/v1/operations', 'first-secret-0123456789')).toBe(200);
  });

  it('says that it takes a restart until clients need a certificate, and goes on as it was', async () => {
    const running = await start();
    writeIn(
      folder,
      'herald.yaml',
      aConfig({ admin: { ...admin, tls: { ...tls, clientCa: './c.pem' } }, intake }),
    );
    expect(running.reconfigure(await load())).toEqual({ isChanged: true, needRestart: ['admin'] });
    expect(await statusOf(running.adminPort, '/v1/pools', 'first-secret-0123456789')).toBe(200);
  });

  it('that asks clients for a certificate does not believe everybody when it is told not to ask', async () => {
    writeIn(
      folder,
      'herald.yaml',
      aConfig({ admin: { ...admin, tls: { ...tls, clientCa: './c.pem' } }, intake }),
    );
    const running = await start();
    await expect(statusOf(running.adminPort, '/v1/pools', 'first-secret-0123456789')).rejects.toThrow();
    writeIn(folder, 'herald.yaml', aConfig({ admin, intake }));
    expect(running.reconfigure(await load()).needRestart).toEqual(['admin']);
    await expect(statusOf(running.adminPort, '/v1/pools', 'first-secret-0123456789')).rejects.toThrow();
  });
});

describe('files of certificates', () => {
  const problems = () =>
    load().then(
      () => [],
      (error: { details: { problems: { path: string; message: string }[] } }) =>
        error.details.problems.map(({ path, message }) => `${path}: ${message}`),
    );

  it('are watched', async () => {
    const { watched } = await load();
    for (const file of ['c.pem', 'k.pem', 'ops']) expect(watched.paths).toContain(join(folder, file));
  });

  it('that are missing, no PEM, or of another pair are told before anything is taken over', async () => {
    rmSync(join(folder, 'k.pem'));
    expect(await problems()).toContain('admin.tls.key: ./k.pem: does not exist');
    writeFileSync(join(folder, 'k.pem'), 'no key');
    expect(await problems()).toContain('intake.tls.key: ./k.pem: is no key without a passphrase');
    certificate('other.pem', 'k.pem');
    expect(await problems()).toContain('admin.tls.key: ./k.pem: is not the key of ./c.pem');
    writeFileSync(join(folder, 'c.pem'), 'no certificate');
    expect(await problems()).toContain('admin.tls.cert: ./c.pem: is no certificate');
  });
});
