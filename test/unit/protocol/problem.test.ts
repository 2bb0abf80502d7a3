import { expect, it } from 'vitest';
import { errorCatalogue, HeraldError } from '../../../src/core/error.ts';
import { problemOf } from '../../../src/protocol/problem.ts';

it('a problem has the members of RFC 9457, the code, and what the error knows', () => {
  const error = new HeraldError('HERALD_NODE_UNKNOWN', "there is no node 'x'", { node: 'x' });
  expect(problemOf(error)).toEqual({
    type: 'docs/reference/errors.md#herald_node_unknown',
    title: errorCatalogue.HERALD_NODE_UNKNOWN.meaning,
    status: 404,
    code: 'HERALD_NODE_UNKNOWN',
    detail: "there is no node 'x'",
    remedy: errorCatalogue.HERALD_NODE_UNKNOWN.remedy,
    node: 'x',
  });
});

it('details never take the place of a member', () => {
  const error = new HeraldError('HERALD_INTERNAL', 'no', { status: 200, code: 'OK', detail: 'yes' });
  expect(problemOf(error)).toMatchObject({ status: 500, code: 'HERALD_INTERNAL', detail: 'no' });
});
