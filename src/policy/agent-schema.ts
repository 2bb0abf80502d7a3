// The schema of `kind: Agent`: every key with its meaning, unit, range and default. The JSON schema and
// docs/reference/agent.md are generated from it. Checks across sections stand in agent-checks.ts.
import { z } from 'zod';
import { log } from './log-schema.ts';
import { balancerUrl, cgroupPath, size, sourceHost } from './agent-fields.ts';
import { agentSignalSchema } from './agent-source-schema.ts';
import { address, count, duration, field, list, name, percentage, rate, text } from './field.ts';
import { labelPattern } from '../protocol/field-checks.ts';
import { showValue, type Reading } from './quantity.ts';
import { apiVersion } from './read-document.ts';

function readLabel(value: unknown): Reading<string> {
  if (typeof value === 'string' && labelPattern.test(value)) return { value };
  const hint = typeof value === 'number' ? `write "${value}"` : '1 to 64 printable characters';
  return { message: `${showValue(value)} is not a label`, hint };
}

const label = () => field(readLabel, { type: 'string', unit: 'text' }).optional();

const node = z
  .strictObject({
    id: name()
      .optional()
      .describe('The same after a restart, different from every other node; left out, host name and port.'),
    address: address(1)
      .optional()
      .describe("Where balancers reach the node; left out, the reports' source address with `port`."),
    port: count(1, 65_535).optional().describe('Where the node takes clients; left out, that of `address`.'),
    capacity: z
      .number()
      .positive()
      .max(1000)
      .optional()
      .meta({ unit: 'number above 0, up to 1000' })
      .describe('Size relative to the other nodes; left out, learned.'),
    zone: label().describe('Zone, for people and for routing.'),
    version: label().describe('Version of the application, for people.'),
  })
  .prefault({})
  .describe('Who is reported.');

const scope = z
  .strictObject({
    scope: z
      .enum(['host', 'cgroup'])
      .optional()
      .describe('`host`: the whole machine. `cgroup`: the control group that the agent itself is in.'),
    cgroup: cgroupPath().optional().describe('A control group, such as that of a systemd unit.'),
    process: z
      .strictObject({
        pidFile: text('path', 4096)
          .optional()
          .describe('File that holds the process id, relative to this file.'),
        port: count(1, 65_535).optional().describe('TCP port at which the process listens.'),
      })
      .check((context) => {
        const { pidFile, port } = context.value;
        if ((pidFile === undefined) !== (port === undefined)) return;
        const params = { hint: 'write one of them' };
        context.issues.push({ code: 'custom', input: '', message: 'needs a pidFile or a port', params });
      })
      .optional()
      .describe('A process with its children.'),
    cpus: z
      .number()
      .positive()
      .max(4096)
      .optional()
      .meta({ unit: 'number above 0, up to 4096' })
      .describe('CPUs that it may use, where that cannot be read; the tightest limit counts.'),
  })
  .check((context) => {
    const { scope, cgroup, process } = context.value;
    if ([scope, cgroup, process].filter((part) => part !== undefined).length === 1) return;
    const params = { hint: 'write one of scope, cgroup and process' };
    context.issues.push({ code: 'custom', input: '', message: 'does not name one scope', params });
  });

const measure = z
  .preprocess((value) => (value === 'host' || value === 'cgroup' ? { scope: value } : value), scope)
  .prefault('host')
  .describe("Whose CPU and memory are the node's: `host`, `cgroup`, or a mapping with the keys below.")
  .meta({ shorthand: ['host', 'cgroup'] });

const fullAt = 'The node is full at this value.';
const part = () => percentage('1%', '1000%').optional().describe(fullAt);

const saturation = z
  .strictObject({
    cpu: part(),
    memory: part(),
    eventLoopUtilization: part(),
    cpuPressure: part(),
    memoryPressure: part(),
    ioPressure: part(),
    throughput: rate('0.1/s', '100000000/s').optional().describe(fullAt),
    eventLoopLag: duration('1ms', '1m').optional().describe(fullAt),
  })
  .catchall(
    z
      .number()
      .positive()
      .max(1e12)
      .meta({ unit: "number above 0, in the signal's own unit" })
      .describe(`A custom signal. ${fullAt}`),
  );

/** The schema of agent.yaml. */
export const agentSchema = z.strictObject({
  apiVersion: z.literal(apiVersion).describe('Version of the form of this file.'),
  kind: z.literal('Agent').describe('What this file is.'),
  balancers: list(balancerUrl(), 0, 16)
    .prefault([])
    .describe('Intakes of the balancers; each gets every report. Empty with `agentCheck` only.'),
  tokenFile: text('path', 4096)
    .optional()
    .describe('File that holds the token for the balancers, relative to this file.'),
  pool: name().describe('The pool of the node.'),
  node,
  interval: duration('50ms', '1m').prefault('1s').describe('Time from report to report.'),
  measure,
  connections: z
    .strictObject({
      ports: list(count(1, 65_535), 0, 64)
        .optional()
        .describe("TCP ports whose established connections are the node's; empty: none are counted.")
        .meta({ preset: "the node's port" }),
    })
    .prefault({})
    .describe("What counts as the node's connections."),
  signals: z
    .record(z.string(), agentSignalSchema)
    .prefault({})
    .describe('What the application tells of itself.'),
  sources: z
    .strictObject({
      timeout: duration('10ms', '30s').prefault('1s').describe('A request that takes longer is given up.'),
      maxBody: size(1024, 16 * 1024 * 1024)
        .prefault('1MiB')
        .describe('A longer answer is not read.'),
      hosts: list(sourceHost(), 0, 64).prefault([]).describe('Hosts beside loopback that may be asked.'),
    })
    .prefault({})
    .describe('What all sources are allowed.'),
  statsd: z
    .strictObject({
      bind: address(0)
        .prefault('127.0.0.1:8125')
        .describe('UDP address where StatsD is taken, opened when a signal needs it.'),
    })
    .prefault({})
    .describe('Where the application sends StatsD.'),
  agentCheck: z
    .strictObject({
      bind: address(0).prefault('127.0.0.1:5555').describe('Where HAProxy asks; an IP address.'),
      saturation: saturation
        .optional()
        .meta({ preset: 'cpu: 80%' })
        .describe('The value at which the node is full, by signal.'),
    })
    .optional()
    .describe("Answers HAProxy's agent-check; left out, no port is opened."),
  log,
});

/** What the schema makes of agent.yaml. Plain data. */
export type AgentDocument = z.output<typeof agentSchema>;
