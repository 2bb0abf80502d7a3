import { describe, expect, it } from 'vitest';
import { decodePeerWord, poolOfChannel } from '../../../src/protocol/peer-words.ts';
import {
  decodeFleetWord,
  encodeFleetWord,
  operationsChannel,
  poolOfOperationsChannel,
  type FleetWord,
} from '../../../src/protocol/order-words.ts';
import { anOperation, aProgress } from '../../support/an-operation.ts';

const { pool: _, ...operation } = anOperation();
const words: readonly FleetWord[] = [
  {
    kind: 'order',
    to: 'lb-1.1',
    epoch: 'e1',
    id: 'rebalance-1.1',
    operation: 'rebalance-1',
    token: 7,
    stamp: 1000,
    node: 'a',
    relief: 0.1,
    heaviest: 0.05,
    most: 2,
    withinMs: 30_000,
    ratePerSecond: 0.5,
    isAutomatic: true,
  },
  { kind: 'refused', to: 'lb-1', id: 'rebalance-1.1', operation: 'rebalance-1', token: 9 },
  {
    kind: 'part',
    operation: 'rebalance-1',
    of: 'rebalance',
    state: 'running',
    progress: aProgress({ total: 2, leaving: 2 }),
    ratePerSecond: 0,
    nodes: [{ id: 'a', asked: 2, relief: 0.1, leaving: 0.1 }],
    done: ['rebalance-1.1'],
    placed: 3,
    failed: 0,
  },
  { kind: 'head', operation, shedding: ['a'] },
  { kind: 'ask', to: 'lb-1', operation: 'rebalance-2', ratePerSecond: 0, by: 'ops', why: 'uneven' },
  { kind: 'cancel', operation: 'rebalance-1', reason: 'cancelled by ops' },
  { kind: 'renamed', operation: 'drain-1', to: 'drain-2' },
];

describe('words about operations', () => {
  it('are read back as they were written', () => {
    expect(words.map((word) => decodeFleetWord(encodeFleetWord(word)))).toEqual(words);
  });

  it('have a channel of their own, which older balancers pass over without a word', () => {
    expect(poolOfOperationsChannel(operationsChannel('chat'))).toBe('chat');
    expect(poolOfOperationsChannel('pool:chat')).toBeUndefined();
    expect(poolOfChannel(operationsChannel('chat'))).toBeUndefined();
  });

  it('of another version or kind, and broken ones, are passed over', () => {
    const broken = words.flatMap((word) =>
      Object.keys(word).map((key) => JSON.stringify({ v: 1, ...word, [key]: { odd: true } })),
    );
    const others = [
      '',
      'null',
      '[]',
      '{"v":2,"kind":"cancel","operation":"a","reason":""}',
      '{"v":1,"kind":"dance"}',
    ];
    for (const text of [...broken, ...others]) expect(decodeFleetWord(text)).toBeUndefined();
  });

  it('with an amount that is none are broken: nobody sheds by them', () => {
    const [order] = words;
    for (const odd of [
      { relief: 0 },
      { relief: -1 },
      { relief: null },
      { most: 1.5 },
      { token: -1 },
      { node: 'a b' },
    ])
      expect(decodeFleetWord(JSON.stringify({ v: 1, ...order, ...odd }))).toBeUndefined();
  });
});

describe('counts', () => {
  it('carry the stamp of their sender, and are read without one', () => {
    const text = '{"v":1,"e":"e1","a":0,"s":1234,"n":[]}';
    expect(decodePeerWord(text)).toMatchObject({ kind: 'counts', stamp: 1234 });
    expect(decodePeerWord('{"v":1,"e":"e1","a":0,"n":[]}')).not.toHaveProperty('stamp');
  });
});
