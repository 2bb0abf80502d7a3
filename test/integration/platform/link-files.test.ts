import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/platform/config.ts';
import { aFolder } from './folder.ts';

const config = (state: string) => `apiVersion: herald/v1
kind: Config
listeners: [{ bind: 127.0.0.1:0 }]
pools: { app: { nodes: [{ address: 127.0.0.1:3000 }] } }
state: ${state}
`;

describe('the files of the link to Redis', () => {
  it('are read with the configuration, and watched', async () => {
    const folder = aFolder({
      'herald.yaml': config('{ kind: redis, url: "redis://10.0.0.5", passwordFile: ./secret }'),
      secret: 'a b c\n',
    });
    const { config: loaded, watched } = await loadConfig(join(folder, 'herald.yaml'), {});
    expect(loaded.state.redis?.password).toBe('a b c');
    expect(watched.paths).toContain(join(folder, 'secret'));
    writeFileSync(join(folder, 'secret'), 'a\nb\n');
    await expect(loadConfig(join(folder, 'herald.yaml'), {})).rejects.toThrow(
      'state.passwordFile: ./secret: has more than one line',
    );
  });

  it('are each complained about', async () => {
    const tls = 'tls: { ca: ./no.pem, cert: ./text.pem, key: ./text.pem }';
    const folder = aFolder({
      'herald.yaml': config(`{ kind: redis, url: "rediss://10.0.0.5", passwordFile: ./empty, ${tls} }`),
      empty: '\n',
      'text.pem': 'no certificate',
    });
    const failure = await loadConfig(join(folder, 'herald.yaml'), {}).catch(String);
    for (const complaint of [
      'state.passwordFile: ./empty: is empty',
      'state.tls.ca: ./no.pem: does not exist',
      'state.tls.cert: ./text.pem: is no certificate',
      'state.tls.key: ./text.pem: is no key without a passphrase',
    ])
      expect(failure).toContain(complaint);
  });
});
