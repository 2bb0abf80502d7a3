// tsung's users through the built balancer, and what judges their run.
import { describe, expect, it, onTestFinished } from 'vitest';
import { readTsungLog, tsungFaults } from '../soak/tsung-log.ts';
import { startProcess } from '../support/herald-command.ts';

const lacks = (process.env['HERALD_TEST_LACKS'] ?? '').split(',').includes('tsung');
const limitMs = 240_000;

describe.skipIf(lacks)('some hundred users of tsung (skipped: it is not there)', () => {
  it(
    'hear all of their own words and nothing else',
    async () => {
      const run = startProcess(process.execPath, ['--import', 'tsx', 'test/soak/load-tsung.ts']);
      // It ends what it has started; SIGKILL could not.
      onTestFinished(() => void run.child.kill('SIGTERM'));
      const { code, stdout, stderr } = await run.ended(limitMs - 20_000);
      expect(code, `${stdout}\n${stderr}`).toBe(0);
      expect(stdout).toMatch(/^finish_users_count 400$/m);
      expect(stdout).toMatch(/^match 4000$/m);
    },
    limitMs,
  );
});

describe('what judges a run of tsung', () => {
  const log = `# stats: dump at 1
stats: users 3 3
stats: {cpu,"tsung_controller@127.0.0.1"} 1 30.5 0.0 65.4 30.5 65.4 1
stats: users_count 4 4
stats: finish_users_count 1 1
stats: websocket_succ 4 4
stats: match 25 25
stats: request 30 2.0 0.5 9.0 0.1 0 0
# stats: dump at 2
stats: finish_users_count 3 4
stats: match 15 40
stats: request 10 6.0 0.5 9.0 0.1 2.0 30
`;

  it('reads the last sums and the means of the whole', () => {
    expect(readTsungLog(log)).toEqual({
      users: 3,
      users_count: 4,
      finish_users_count: 4,
      websocket_succ: 4,
      match: 40,
      request_ms: 3,
    });
    expect(readTsungLog('')).toEqual({});
  });

  it('finds nothing wrong where all came back', () => {
    expect(tsungFaults(readTsungLog(log), { a: 2, b: 2 })).toEqual([]);
  });

  it('names what is missing, what was other, and who got nobody', () => {
    const numbers = { ...readTsungLog(log), match: 38, nomatch: 1, error_timeout: 1, websocket_succ: 3 };
    expect(tsungFaults(numbers, { a: 4, b: 0 })).toEqual([
      '3 of 4 users opened a WebSocket',
      '38 of 40 words came back',
      'nomatch: 1',
      'error_timeout: 1',
      'node b got nobody',
    ]);
    expect(tsungFaults({}, { a: 1 })).toEqual(['no user came']);
  });
});
