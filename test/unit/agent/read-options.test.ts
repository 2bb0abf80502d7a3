import { describe, expect, it } from 'vitest';
import { combineWishes } from '../../../src/agent/directives.ts';
import type { AgentOptions } from '../../../src/agent/options.ts';
import { readOptions } from '../../../src/agent/read-options.ts';
import { HeraldError } from '../../../src/core/error.ts';

const least: AgentOptions = { balancers: ['http://127.0.0.1:9401'], pool: 'chat', id: 'a' };
const here = { nodeId: undefined, hostname: 'web-1' };

/** Paths of the problems that options have. */
function problemsOf(
  options: object,
  surroundings = here as { nodeId: string | undefined; hostname: string },
) {
  try {
    readOptions({ ...least, ...options }, surroundings);
  } catch (error) {
    if (!(error instanceof HeraldError) || error.code !== 'HERALD_AGENT_INVALID') throw error;
    return (error.details['problems'] as { path: string }[]).map(({ path }) => path);
  }
  return [];
}

describe('the options of an agent', () => {
  it('need balancers, a pool and something to be named by', () => {
    expect(readOptions(least, here)).toMatchObject({
      pool: 'chat',
      node: { id: 'a' },
      intervalMs: 1000,
      token: undefined,
      signals: [],
    });
    expect(problemsOf({ balancers: undefined, pool: undefined, id: undefined })).toEqual([
      'balancers',
      'pool',
      'id',
    ]);
  });

  it('are all told at once', () => {
    const wrong = {
      blancers: [],
      balancers: ['ftp://a', 'http://u:p@a', 'http://a?b', 'http://b', 'http://b/', 7],
      pool: 'a b',
      address: 'a',
      capacity: 0,
      zone: '\n',
      version: '',
      token: 'a\n',
      intervalMs: 49,
      onEvent: 1,
      signals: { cpu: () => 1, constructor: () => 1, good: () => 1, text: '1' },
    };
    expect(problemsOf(wrong)).toEqual([
      'blancers',
      'onEvent',
      'balancers[0]',
      'balancers[1]',
      'balancers[2]',
      'balancers[4]',
      'balancers[5]',
      'pool',
      'address',
      'capacity',
      'zone',
      'version',
      'token',
      'intervalMs',
      'signals."cpu"',
      'signals."constructor"',
      'signals."text"',
    ]);
  });

  it('name the nearest option for a misspelt one, and never show a token', () => {
    const misspelt = { ...least, blancers: [], token: 'geheim\n' };
    expect(() => readOptions(misspelt, here)).toThrow(/write balancers/);
    expect(() => readOptions(misspelt, here)).not.toThrow(/geheim/);
  });

  it('refuse an address and a port that differ, too many signals and too many balancers', () => {
    expect(problemsOf({ address: 'a:1', port: 2 })).toEqual(['port']);
    const signals = Object.fromEntries(Array.from({ length: 33 }, (_, index) => [`s${index}`, () => 1]));
    expect(problemsOf({ signals })).toEqual(['signals']);
    expect(problemsOf({ signals: null })).toEqual(['signals']);
    expect(
      problemsOf({ balancers: Array.from({ length: 17 }, (_, index) => `http://a:${index + 1}`) }),
    ).toEqual(['balancers']);
  });

  it('may be undefined where they may be absent', () => {
    const nothing = {
      address: undefined,
      port: undefined,
      capacity: undefined,
      token: undefined,
      signals: undefined,
    };
    expect(readOptions({ ...least, ...nothing }, here).node).toEqual({ id: 'a' });
  });
});

describe('the agent-check', () => {
  it('is off unless it is asked for, and listens on loopback only unless told otherwise', () => {
    expect(readOptions(least, here).agentCheck).toBeUndefined();
    expect(readOptions({ ...least, agentCheck: { port: 5555 } }, here).agentCheck).toEqual({
      port: 5555,
      host: '127.0.0.1',
      saturation: { cpu: 0.8, eventLoopUtilization: 0.85 },
    });
    const agentCheck = { port: 0, host: '::', saturation: { queueDelayMs: 50, throughput: 7000 } };
    const signals = { queueDelayMs: () => 1 };
    expect(readOptions({ ...least, signals, agentCheck }, here).agentCheck).toEqual(agentCheck);
  });

  it('makes an agent without balancers worth its while; without it that is an error', () => {
    expect(problemsOf({ balancers: [], agentCheck: { port: 5555 } })).toEqual([]);
    expect(problemsOf({ balancers: [] })).toEqual(['balancers']);
    expect(problemsOf({ balancers: undefined, agentCheck: { port: 5555 } })).toEqual(['balancers']);
  });

  it('is refused with all that is wrong with it', () => {
    const saturation = { cpu: 0, queueDelayMs: 50, eventLoopLag: Number.NaN, memory: '1' };
    expect(problemsOf({ agentCheck: { prot: 1, host: 'localhost', saturation } })).toEqual([
      'agentCheck.prot',
      'agentCheck.port',
      'agentCheck.host',
      'agentCheck.saturation.queueDelayMs',
      'agentCheck.saturation.cpu',
      'agentCheck.saturation.eventLoopLag',
      'agentCheck.saturation.memory',
    ]);
    expect(problemsOf({ agentCheck: { port: 65_536, saturation: {} } })).toEqual([
      'agentCheck.port',
      'agentCheck.saturation',
    ]);
    expect(problemsOf({ agentCheck: 5555 })).toEqual(['agentCheck']);
    expect(problemsOf({ agentCheck: null })).toEqual(['agentCheck']);
  });
});

const idOf = (options: object, nodeId?: string, hostname = 'web-1') =>
  readOptions({ ...least, id: undefined, ...options }, { nodeId, hostname }).node.id;

describe('the id', () => {
  it('is the option, else HERALD_NODE_ID, else host name and port', () => {
    expect(idOf({ id: 'a', port: 1 }, 'b')).toBe('a');
    expect(idOf({ port: 1 }, 'b')).toBe('b');
    expect(idOf({ port: 8081 }, '')).toBe('web-1:8081');
    expect(idOf({ address: '[::1]:8082' })).toBe('web-1:8082');
  });

  it('keeps the end of a long host name, and holds no character that ids may not', () => {
    expect(idOf({ port: 8081 }, undefined, `${'x'.repeat(60)}!end`)).toBe(`${'x'.repeat(55)}-end:8081`);
  });

  it('is refused when HERALD_NODE_ID is no id', () => {
    expect(problemsOf({ id: undefined }, { nodeId: 'a b', hostname: 'c' })).toEqual(['HERALD_NODE_ID']);
  });
});

const wish = (adminState: 'ready' | 'drain' | 'maint' | undefined, isCurrent = true) => ({
  adminState,
  isCurrent,
});

describe('the wishes of several balancers', () => {
  it('combine to the strictest of those that are current', () => {
    expect(combineWishes([wish('ready'), wish('drain')])).toBe('drain');
    expect(combineWishes([wish('maint'), wish('drain')])).toBe('maint');
    expect(combineWishes([wish('ready'), wish('maint', false), wish(undefined)])).toBe('ready');
  });

  it('are nothing when none is current', () => {
    expect(combineWishes([])).toBeUndefined();
    expect(combineWishes([wish('drain', false), wish(undefined)])).toBeUndefined();
  });
});
