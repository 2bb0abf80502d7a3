import { describe, expect, it } from 'vitest';
import { createSystemdNotifier } from '../../../src/platform/systemd-notify.ts';
import { ManualClock } from '../../support/manual-clock.ts';

function aNotifier(environment: Record<string, string>, fails = false) {
  const clock = new ManualClock();
  const calls: string[] = [];
  const failures: string[] = [];
  const notifier = createSystemdNotifier({
    environment,
    pid: 42,
    clock,
    async run(program, args) {
      calls.push([program, ...args].join(' '));
      if (fails) throw new Error('spawn systemd-notify ENOENT');
    },
    onFailure: (reason) => failures.push(reason),
  });
  return { clock, calls, failures, notifier };
}

describe('systemd', () => {
  it('hears nothing where it does not listen', async () => {
    const { notifier, calls, clock } = aNotifier({ WATCHDOG_USEC: '1000000' });
    await notifier.ready();
    clock.advance(10_000);
    await notifier.stopping();
    expect(calls).toEqual([]);
  });

  it('hears that the service is ready and that it stops', async () => {
    const { notifier, calls, clock } = aNotifier({ NOTIFY_SOCKET: '/run/n' });
    await notifier.ready();
    clock.advance(60_000);
    await notifier.stopping();
    expect(calls).toEqual(['systemd-notify --pid=42 READY=1', 'systemd-notify --pid=42 STOPPING=1']);
  });

  it('has its watchdog fed at twice the pace that it asks for, until the service stops', async () => {
    const { notifier, calls, clock } = aNotifier({
      NOTIFY_SOCKET: '@n',
      WATCHDOG_USEC: '2000000',
      WATCHDOG_PID: '42',
    });
    await notifier.ready();
    clock.advance(3000);
    await notifier.stopping();
    clock.advance(3000);
    expect(calls.filter((call) => call.endsWith('WATCHDOG=1'))).toHaveLength(3);
  });

  it('has no watchdog fed that waits for another process, or for a span of nonsense', async () => {
    for (const more of [{ WATCHDOG_PID: '7', WATCHDOG_USEC: '1000000' }, { WATCHDOG_USEC: 'soon' }]) {
      const { notifier, calls, clock } = aNotifier({ NOTIFY_SOCKET: '/run/n', ...more });
      await notifier.ready();
      clock.advance(10_000);
      expect(calls).toHaveLength(1);
    }
  });

  it('that cannot be told is said once', async () => {
    const { notifier, failures } = aNotifier({ NOTIFY_SOCKET: '/run/n' }, true);
    await notifier.ready();
    await notifier.stopping();
    expect(failures).toEqual(['spawn systemd-notify ENOENT']);
  });
});
