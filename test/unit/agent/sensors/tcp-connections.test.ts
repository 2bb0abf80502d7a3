import { describe, expect, it } from 'vitest';
import { createTraffic } from '../../../../src/agent/observers/traffic.ts';
import { createConnectionSensor } from '../../../../src/agent/sensors/tcp-connections.ts';
import { aMachine, aTcpTable, type Machine } from '../../../support/a-machine.ts';
import { ManualClock } from '../../../support/manual-clock.ts';

const v6 = '0000000000000000FFFF00000100007F';

/** So many established connections of a port, among others that do not count. */
function established(port: number, count: number): { port: number; state: number }[] {
  const others = [
    { port, state: 10 },
    { port, state: 6 },
    { port: port + 1, state: 1 },
  ];
  return [...others, ...Array.from({ length: count }, () => ({ port, state: 1 }))];
}

function aSensor(machine: Machine, process: () => string | undefined = () => 'self') {
  const clock = new ManualClock();
  const traffic = createTraffic();
  const reasons: (string | undefined)[] = [];
  const sensor = createConnectionSensor({
    root: machine.root,
    ports: [8081],
    process,
    clock,
    traffic,
    note: (_, reason) => reasons.push(reason),
  });
  const count = (): number => {
    expect(sensor.measure(1000)).toEqual({});
    return traffic.connections;
  };
  return { clock, count, reasons };
}

describe('the connections of a port', () => {
  it('are its established ones, over IPv4 and IPv6', () => {
    const machine = aMachine({
      'proc/self/net/tcp': aTcpTable(established(8081, 3)),
      'proc/self/net/tcp6': aTcpTable(established(8081, 4), v6),
    });
    expect(aSensor(machine).count()).toBe(7);
  });

  it('are counted beyond what is read at once', () => {
    const machine = aMachine({ 'proc/self/net/tcp': aTcpTable(established(8081, 20_000)) });
    expect(aSensor(machine).count()).toBe(20_000);
  });

  it('of another network namespace are those of the process', () => {
    const machine = aMachine({
      'proc/7/net/tcp': aTcpTable(established(8081, 2)),
      'proc/self/net/tcp': aTcpTable(established(8081, 9)),
    });
    let process: string | undefined = '7';
    const { count, reasons } = aSensor(machine, () => process);
    expect(count()).toBe(2);
    process = undefined;
    expect(count()).toBe(0);
    expect(reasons.at(-1)).toContain('its process is not there');
  });

  it('follow the count of all sockets in proportion between two looks', () => {
    const inUse = (count: number) => ({
      'proc/self/net/sockstat': `sockets: used 9\nTCP: inuse ${count} orphan 0\n`,
    });
    const machine = aMachine({ ...inUse(100), 'proc/self/net/tcp': aTcpTable(established(8081, 50)) });
    const { clock, count } = aSensor(machine);
    expect(count()).toBe(50);
    machine.write(inUse(120));
    // A clock that stands still lets every look be the last: time passes within the look.
    clock.nowMs = (() => {
      let ms = 0;
      return () => (ms += 10);
    })();
    expect(count()).toBe(50);
    machine.write(inUse(180));
    expect(count()).toBe(75);
  });

  it('are none, with a reason, where no table can be read, and survive garbage', () => {
    const machine = aMachine({ 'proc/self/net/x': '' });
    const { count, reasons } = aSensor(machine);
    expect(count()).toBe(0);
    expect(reasons.at(-1)).toContain('neither');
    machine.write({ 'proc/self/net/tcp': `title\n${'garbage :::: \n'.repeat(100)}  1: zz:zz\n\n:\n` });
    expect(count()).toBe(0);
    expect(reasons.at(-1)).toBeUndefined();
    machine.write({ 'proc/self/net/tcp': 'x'.repeat(200_000) });
    expect(count()).toBe(0);
  });
});
