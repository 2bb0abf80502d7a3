// The sensors of a scope: CPU and memory, pressure, connections. What each measures is in sensors/.
import type { Clock } from '../../core/clock.ts';
import type { AgentConfig, MeasuredScope } from '../../policy/agent-config.ts';
import type { Traffic } from '../observers/traffic.ts';
import { createAllowanceReader, type Allowance, type AllowanceReader } from '../sensors/allowance.ts';
import { cgroupAt, findCgroup, type CgroupDirectories } from '../sensors/cgroup.ts';
import { createCgroupReader, namedGroup, ownGroup } from '../sensors/cgroup-usage.ts';
import { findByPidFile, findByPort } from '../sensors/find-process.ts';
import { createHostSensor } from '../sensors/host-cpu.ts';
import { createProcessReader } from '../sensors/process-cpu.ts';
import { createPressureSensor } from '../sensors/psi.ts';
import type { NoteMissing } from '../sensors/read-file.ts';
import { createScopeSensor } from '../sensors/scope.ts';
import type { Sensor } from '../sensors/sensor.ts';
import { createConnectionSensor } from '../sensors/tcp-connections.ts';

/** What the sensors of a sidecar are made of. */
export interface ScopeSensorParts {
  readonly config: Pick<AgentConfig, 'measure' | 'connectionPorts'>;
  /** '/' but in tests. */
  readonly root: string;
  readonly clock: Clock;
  readonly traffic: Traffic;
  /** What the whole machine has. */
  readonly machine: () => Allowance;
  readonly note: NoteMissing;
  /** Hears once where pressure is read; undefined: nowhere. */
  readonly tellPressure: (where: string | undefined) => void;
}

interface Scope {
  readonly sensor: Sensor;
  /** Directories of the group whose pressure counts; empty for the machine's. */
  readonly directories: () => readonly string[];
  /** Whose network namespace has the connections; undefined while it is not known. */
  readonly process: () => string | undefined;
}

const itself = (): string => 'self';

/** Makes the sensors by name; `connections` is there only when ports are named. */
export function createScopeSensors(parts: ScopeSensorParts): Record<string, Sensor> {
  const { config, root, clock, traffic, note, tellPressure } = parts;
  const { sensor, directories, process } = openScope(config.measure, parts);
  const ports = config.connectionPorts;
  return {
    scope: sensor,
    pressure: createPressureSensor({ root, directories, subject: process }, tellPressure),
    ...(ports.length === 0
      ? {}
      : { connections: createConnectionSensor({ root, ports, process, clock, traffic, note }) }),
  };
}

function openScope(measure: MeasuredScope, parts: ScopeSensorParts): Scope {
  const { root, note } = parts;
  if (measure.kind === 'host')
    return { sensor: createHostSensor(root, note), directories: () => [], process: itself };
  if (measure.kind === 'process') return openProcess(measure, parts);
  const isNamed = measure.path !== undefined;
  const limits = isNamed ? cgroupAt(root, measure.path) : findCgroup(root);
  const directories = isNamed ? namedGroup(root, measure.path) : ownGroup(limits);
  const allowances = allowancesOf(limits, measure, parts);
  const name = measure.path ?? 'of the agent itself';
  const read = createCgroupReader({ name, directories, allowances });
  return { sensor: createScopeSensor(read, note), directories: () => directories, process: itself };
}

function openProcess(measure: MeasuredScope & { kind: 'process' }, parts: ScopeSensorParts): Scope {
  const { root, clock, note } = parts;
  const { pidFile, port } = measure;
  // The schema demands one of the two.
  const find = pidFile === undefined ? findByPort(root, port ?? 0, clock) : findByPidFile(root, pidFile);
  const reader = createProcessReader({
    root,
    find,
    allowancesOf: (pid) => allowancesOf(findCgroup(root, String(pid)), measure, parts),
  });
  const sensor = createScopeSensor(reader.read, note);
  return {
    sensor,
    directories() {
      const pid = reader.pid();
      return pid === undefined ? [] : ownGroup(findCgroup(root, String(pid)));
    },
    process: () => reader.pid()?.toString(),
  };
}

function allowancesOf(
  directories: CgroupDirectories,
  { cpus }: MeasuredScope,
  { clock, machine }: ScopeSensorParts,
): AllowanceReader {
  return createAllowanceReader(clock, directories, () => {
    const all = machine();
    return cpus === undefined ? all : { ...all, cpus: Math.min(all.cpus, cpus) };
  });
}
