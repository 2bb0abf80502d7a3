import { describe, expect, it } from 'vitest';
import {
  channelOf,
  decodePeerWord,
  encodeCounts,
  encodeReports,
  poolOfChannel,
} from '../../../src/protocol/peer-words.ts';
import { aReport } from '../../support/a-report.ts';

const counts = {
  kind: 'counts',
  epoch: 'e-1',
  arrivalsPerSecond: 12.5,
  nodes: [{ id: 'a', open: 3, dialling: 1, messagesPerSecond: 0.125, openedTotal: 9 }],
} as const;

describe('words of peers', () => {
  it('counts are read back as they were said', () => {
    expect(encodeCounts(counts).map(decodePeerWord)).toEqual([counts]);
  });

  it('counts of nobody are a word, too', () => {
    const nothing = { ...counts, nodes: [] };
    expect(encodeCounts(nothing).map(decodePeerWord)).toEqual([nothing]);
  });

  it('reports are read back as they were said', () => {
    const row = {
      report: aReport({ id: 'a', ageMs: 12.5 }),
      identity: 'agent',
      host: '10.0.0.1',
      port: 8081,
    };
    expect(encodeReports([row]).map(decodePeerWord)).toEqual([{ kind: 'reports', reports: [row] }]);
    expect(encodeReports([])).toEqual([]);
  });

  it('what is too long for one word is said in several, each below 64 KiB', () => {
    const nodes = Array.from({ length: 5000 }, (_, index) => ({ ...counts.nodes[0], id: `node-${index}` }));
    const texts = encodeCounts({ ...counts, nodes });
    expect(texts.length).toBeGreaterThan(1);
    expect(Math.max(...texts.map((text) => Buffer.byteLength(text)))).toBeLessThan(64 * 1024);
    const heard = texts.flatMap((text) => {
      const word = decodePeerWord(text);
      return word.kind === 'counts' ? word.nodes : [];
    });
    expect(heard).toEqual(nodes);
  });

  it('another version is told apart from what is no word', () => {
    expect(decodePeerWord('{"v":2,"x":1}')).toEqual({ kind: 'unread', reason: 'version' });
    expect(decodePeerWord('{"v":"1"}')).toEqual({ kind: 'unread', reason: 'malformed' });
  });

  it.each([
    ['no JSON', 'x'],
    ['no object', '[]'],
    ['neither reports nor counts', '{"v":1}'],
    ['no epoch', '{"v":1,"a":0,"n":[]}'],
    ['a negative rate', '{"v":1,"e":"e","a":-1,"n":[]}'],
    ['half a connection', '{"v":1,"e":"e","a":0,"n":[["a",0.5,0,0,0]]}'],
    ['a name that is none', '{"v":1,"e":"e","a":0,"n":[["a b",1,0,0,0]]}'],
    ['no row', '{"v":1,"e":"e","a":0,"n":[1]}'],
    ['no report', '{"v":1,"r":[[{},"agent","h",1]]}'],
    ['no report row', '{"v":1,"r":[1]}'],
    ['no identity', '{"v":1,"r":[[{},"","h",1]]}'],
    ['no host', '{"v":1,"r":[[{},"agent","",1]]}'],
    ['no port', '{"v":1,"r":[[{},"agent","h",0]]}'],
    ['no rate of messages', '{"v":1,"e":"e","a":0,"n":[["a",1,0,null,0]]}'],
  ])('%s is malformed', (_, text) => {
    expect(decodePeerWord(text)).toEqual({ kind: 'unread', reason: 'malformed' });
  });

  it('a channel is one of a pool, or not', () => {
    expect(poolOfChannel(channelOf('chat'))).toBe('chat');
    expect(poolOfChannel('else')).toBeUndefined();
  });
});
