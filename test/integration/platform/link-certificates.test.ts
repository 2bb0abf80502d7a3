// Certificates of listeners and pools: each that cannot serve is one error with its place, before anything changes.
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { loadConfig } from '../../../src/platform/config.ts';
import { ticketKeys, ticketPeriodMs } from '../../../src/platform/ticket-keys.ts';
import { anAuthority, type Authority } from '../../support/authority.ts';

/** Loads a configuration beside the authority's files. */
function load({ folder }: Authority, tls: string, pool = '') {
  const path = join(folder, 'herald.yaml');
  const listener = `listeners:\n  - bind: 127.0.0.1:0\n    tls: ${tls}\n`;
  writeFileSync(path, `apiVersion: herald/v1\nkind: Config\n${listener}pools: { app: { ${pool} } }\n`);
  return loadConfig(path, {});
}

const pair = (name: string, key = name) => `{ cert: ${name}.pem, key: ${key}.key }`;

describe('certificates of a listener', () => {
  it('are told of as one error each, with the place', async () => {
    const authority = anAuthority();
    authority.issue('a', ['DNS:a.test', 'DNS:*.b.test']);
    authority.issue('b', ['DNS:*.B.test']);
    authority.issue('old', ['DNS:old.test'], -1);
    writeFileSync(join(authority.folder, 'junk.pem'), 'junk');
    const list = [pair('a'), pair('none', 'a'), pair('b', 'a'), pair('junk', 'a'), pair('old'), pair('b')];
    const error = await load(authority, `{ certificates: [${list.join(', ')}], clientCa: junk.pem }`).then(
      () => '',
      ({ message }: Error) => message.replaceAll(authority.folder, ''),
    );
    const told = error
      .split('\n')
      .map((line) => line.replace(/^\/herald\.yaml:5:\d+ listeners\[0\]\.tls\./, ''));
    expect(told).toEqual([
      'certificates[1].cert: none.pem: does not exist (check the path)',
      'certificates[2].key: a.key: is not the key of b.pem (name the pair that belongs together)',
      'certificates[3].cert: junk.pem: is no certificate (a PEM file, as openssl writes it)',
      expect.stringMatching(/^certificates\[4\]\.cert: old\.pem: expired on \d{4}-.*Z \(renew it\)$/),
      'certificates[5].cert: b.pem: *.b.test is a name of listeners[0].tls.certificates[0], too (one certificate for each name: take one of them out)',
      'clientCa: junk.pem: is no certificate (a PEM file, as openssl writes it)',
    ]);
  });

  it('are warned of two weeks before they expire, and watched', async () => {
    const authority = anAuthority();
    authority.issue('a', ['DNS:a.test'], 13);
    authority.issue('b', ['DNS:b.test'], 15);
    const { warnings, watched } = await load(authority, `{ certificates: [${pair('a')}, ${pair('b')}] }`);
    expect(warnings).toEqual([expect.stringMatching(/^a\.pem: the certificate expires on .*: renew it$/)]);
    for (const file of ['a.pem', 'a.key', 'b.pem', 'b.key'])
      expect(watched.paths).toContain(join(authority.folder, file));
  });

  it('are read for pools, too', async () => {
    const authority = anAuthority();
    authority.issue('a', ['DNS:a.test']);
    authority.issue('b', ['DNS:b.test']);
    const tls = `{ certificates: [${pair('a')}] }`;
    await expect(load(authority, tls, 'tls: { ca: none.pem }')).rejects.toThrow(
      'pools.app.tls.ca: none.pem: does not exist',
    );
    await expect(load(authority, tls, 'tls: { cert: a.pem, key: b.key }')).rejects.toThrow(
      'b.key: is not the key of a.pem',
    );
    const { config } = await load(authority, tls, 'tls: { ca: ca.pem }');
    expect(config.pools[0]?.tls?.ca).toBe(authority.caPem);
  });
});

describe('the keys of session tickets', () => {
  function aPath(): string {
    const folder = mkdtempSync(join(tmpdir(), 'ht-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    return join(folder, 'made', 'secret');
  }
  const now = 1_000 * ticketPeriodMs;

  it('are the same for who shares the file, others for other listeners, and nobody else reads it', () => {
    const path = aPath();
    const keys = ticketKeys(path, 'public', now);
    expect(keys).toHaveLength(48);
    expect(ticketKeys(path, 'public', now + ticketPeriodMs - 1).equals(keys)).toBe(true);
    expect(ticketKeys(path, 'other', now).equals(keys)).toBe(false);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(ticketKeys(aPath(), 'public', now).equals(keys)).toBe(false);
  });

  it('change with each period, alike on every machine, and the file forgets the one before', () => {
    const [here, there] = [aPath(), aPath()];
    const first = ticketKeys(here, 'public', now);
    ticketKeys(there, 'public', now);
    writeFileSync(there, readFileSync(here));
    const text = readFileSync(here, 'utf8');
    const second = ticketKeys(here, 'public', now + ticketPeriodMs);
    expect(second.equals(first)).toBe(false);
    expect(readFileSync(here, 'utf8')).not.toBe(text);
    const later = ticketKeys(here, 'public', now + 3 * ticketPeriodMs);
    expect(ticketKeys(there, 'public', now + 3 * ticketPeriodMs).equals(later)).toBe(true);
    // A clock that was set back does not bring an old key back.
    expect(ticketKeys(here, 'public', now).equals(later)).toBe(true);
  });

  it('begin anew after a year, and refuse a file that is something else', () => {
    const path = aPath();
    ticketKeys(path, 'public', now);
    expect(ticketKeys(path, 'public', now + 900 * ticketPeriodMs)).toHaveLength(48);
    writeFileSync(path, 'something else');
    expect(() => ticketKeys(path, 'public', now)).toThrow('it holds something else: remove it');
  });
});
