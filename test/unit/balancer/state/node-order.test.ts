// Whoever signs a cookie for each node, or looks one up, relies on the list being the same array while nothing changes.
import { describe, expect, it } from 'vitest';
import { NodeOrder } from '../../../../src/balancer/state/node-order.ts';

const named = (...ids: string[]) => new Map(ids.map((id) => [id, {}]));

describe('NodeOrder', () => {
  it('lists nothing and finds nothing where there are no nodes', () => {
    const order = new NodeOrder(new Map());
    expect(order.ids).toEqual([]);
    expect(order.indexOf('a')).toBe(-1);
  });

  it('finds each node where it stands in the list', () => {
    const order = new NodeOrder(named('b', 'a', 'c'));
    expect(order.ids).toEqual(['b', 'a', 'c']);
    expect(['a', 'b', 'c', 'd'].map((id) => order.indexOf(id))).toEqual([1, 0, 2, -1]);
  });

  it('follows nodes that come, go and change places once it is told', () => {
    const nodes = named('a', 'b');
    const order = new NodeOrder(nodes);
    expect(order.indexOf('b')).toBe(1);
    nodes.delete('a');
    nodes.set('c', {});
    order.changed();
    expect(order.indexOf('a')).toBe(-1);
    expect(order.indexOf('b')).toBe(0);
    nodes.delete('b');
    nodes.set('b', {});
    order.changed();
    expect(order.ids).toEqual(['c', 'b']);
    expect(order.indexOf('b')).toBe(1);
  });

  it('is the same array while the nodes are the same, however often it is told of changes', () => {
    const nodes = named('a', 'b');
    const order = new NodeOrder(nodes);
    const { ids } = order;
    nodes.set('a', { replaced: true });
    order.changed();
    expect(order.ids).toBe(ids);
    nodes.set('c', {});
    order.changed();
    expect(order.ids).not.toBe(ids);
  });
});
