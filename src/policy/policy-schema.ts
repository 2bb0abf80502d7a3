// The schema of `kind: Policy`: every key with its meaning, unit, range and default. The JSON schema and
// docs/reference/policy.md are generated from it. Checks across keys of one section stand in policy-checks.ts.
import { z } from 'zod';
import { pickerNames } from '../core/pick/picker-name.ts';
import { admitSchema } from './admit-schema.ts';
import { affinitySchema } from './affinity-schema.ts';
import { count, duration, field, name, orAuto, percentage, rate, share } from './field.ts';
import { checkSchema } from './policy-choices.ts';
import { checkPassive, checkReports, checkSignals, readCloseCode, readCloseReason } from './policy-checks.ts';
import { scaleSchema } from './scale-schema.ts';
import { builtinSignalSchemas, customSignalSchema, defaultSignals } from './signal-schema.ts';
import { apiVersion } from './read-document.ts';

const signals = z
  .strictObject(builtinSignalSchemas)
  .catchall(customSignalSchema)
  .check(checkSignals)
  .prefault(defaultSignals)
  .describe(
    'What makes a node full. Written, it replaces the default set; at least one signal must be additive.',
  );

const score = z
  .strictObject({
    combine: z
      .enum(['max', 'mean'])
      .prefault('max')
      .describe(
        '`max`: a node is as full as its fullest resource. `mean`: weighted mean of the additive signals.',
      ),
    weights: z
      .record(
        z.string(),
        z
          .number()
          .positive()
          .max(1000)
          .meta({ unit: 'number above 0, up to 1000' })
          .describe('Weight of this signal.'),
      )
      .prefault({})
      .describe('Weight of each additive signal for `mean`; a signal not named weighs 1.'),
    smoothing: duration('0s', '1m')
      .prefault('1s')
      .describe(
        'Time constant that smooths reports for placement; 0s takes them raw. Three seconds already lose to raw.',
      ),
  })
  .prefault({})
  .describe('How the signals of a node become one number.');

const reports = z
  .strictObject({
    interval: duration('100ms', '1m')
      .prefault('1s')
      .describe('How often the agents of this pool are expected to report.'),
    blackout: duration('0s', '10m')
      .prefault('5s')
      .describe('How long the first reports of a node are not trusted yet.'),
    expiry: duration('200ms', '30m')
      .prefault('10s')
      .describe(
        'A last report older than this is no data. Must exceed `interval`; three times it rides out a lost one.',
      ),
  })
  .check(checkReports)
  .prefault({})
  .describe('When the data of a node is valid.');

const place = z
  .strictObject({
    picker: z
      .enum(pickerNames)
      .prefault('waterfill')
      .describe(
        'How the next node is chosen. `waterfill` levels by measured room; the others are for comparison.',
      ),
    horizon: orAuto('duration', '100ms', '10m')
      .prefault('auto')
      .describe(
        'Span whose expected arrivals are filled in at once; `auto` follows the age of the information.',
      ),
    maxShare: percentage('1%', '100%')
      .prefault('50%')
      .describe('Upper bound of the share of one node, from four eligible nodes on.'),
    attempts: count(1, 10)
      .prefault(3)
      .describe('Nodes tried for one connection before the client hears of it.'),
    slowStart: duration('0s', '1h')
      .prefault('60s')
      .describe('Span over which a node that joins is let in step by step; 0s is off.'),
    connectRate: rate('0.1/s', '1000000/s')
      .prefault('200/s')
      .describe(
        'New connections that one node takes; more wait for admission. Scaled down in its slow start.',
      ),
  })
  .prefault({})
  .describe('Where new connections go.');

const drain = z
  .strictObject({
    deadline: duration('1s', '24h').prefault('10m').describe('When a drained node must be empty.'),
    rate: orAuto('rate', '0.01/s', '1000000/s')
      .prefault('auto')
      .describe(
        'Connections asked to leave; `auto` goes as fast as the measured room of the other nodes allows. The deadline outranks both.',
      ),
    closeCode: field(readCloseCode, {
      type: 'integer',
      examples: [1012, 1001, 4000],
      unit: 'close code, 1000 to 1014 but 1004 to 1006, or 3000 to 4999',
    })
      .prefault(1012)
      .describe(
        'WebSocket close code of a goodbye; 1012 says that the service restarts and that coming back is welcome.',
      ),
    closeReason: field(readCloseReason, {
      type: 'string',
      examples: ['reconnect'],
      unit: 'text of at most 100 bytes',
    })
      .prefault('reconnect')
      .describe(
        'Words of the close reason of a goodbye. Herald writes ` retry-ms=` and the milliseconds to wait behind them.',
      ),
  })
  .prefault({})
  .describe('How a node is emptied.');

const rebalance = z
  .strictObject({
    mode: z
      .enum(['off', 'advise', 'auto'])
      .prefault('advise')
      .describe('`advise` says what it would move and what that would give; `auto` does it.'),
    floor: percentage('0%', '100%').prefault('50%').describe('No node below this utilization is hot.'),
    band: percentage('1%', '100%')
      .prefault('10%')
      .describe('How far above the mean of the pool a node must be to be hot.'),
    for: duration('0s', '1h').prefault('60s').describe('How long a node must be hot before anything moves.'),
    rate: share('0.001%/s', '100%/s')
      .prefault('0.1%/s')
      .describe('Part of the connections of the pool moved at most.'),
    cooldown: duration('0s', '24h')
      .prefault('5m')
      .describe('A connection that moved is left alone this long.'),
    choose: z
      .enum(['heaviest', 'newest', 'oldest', 'random'])
      .prefault('heaviest')
      .describe('Which connections move first; the heaviest need the fewest moves.'),
  })
  .prefault({})
  .describe('Moving open connections where placement alone cannot level the pool.');

const health = z
  .strictObject({
    check: checkSchema,
    passive: z
      .strictObject({
        errors: count(0, 1000)
          .prefault(5)
          .describe('Failed dials and handshakes within `window` that eject a node; 0 is off.'),
        window: duration('1s', '1h').prefault('10s').describe('Span in which the errors are counted.'),
        eject: duration('1s', '1h').prefault('30s').describe('How long an ejected node takes nothing.'),
        maxEjected: percentage('0%', '100%')
          .prefault('50%')
          .describe('Largest part of the nodes ejected at once.'),
      })
      .check(checkPassive)
      .prefault({})
      .describe('What real connections tell about a node.'),
  })
  .prefault({})
  .describe('When a node is down.');

/** The schema of a policy file. Its output has base units under the names of the file; compile-policy.ts adds units to names. */
export const policySchema = z.strictObject({
  apiVersion: z.literal(apiVersion).describe('Version of the form of this file.'),
  kind: z.literal('Policy').describe('What this file is.'),
  name: name().describe('Name by which pools refer to this policy.'),
  signals,
  score,
  reports,
  place,
  admit: admitSchema,
  affinity: affinitySchema,
  drain,
  rebalance,
  scale: scaleSchema,
  health,
});

/** What the schema makes of a file. */
export type PolicyDocument = z.output<typeof policySchema>;
