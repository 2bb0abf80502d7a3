// The schema of `accessLog`: one event for each connection or exchange that has ended.
import { z } from 'zod';
import { list, name, percentage, text } from './field.ts';

/** `accessLog`; left out, nothing is logged. */
export const accessLogSchema = z
  .strictObject({
    to: text('path')
      .prefault('stdout')
      .describe(
        '`stdout`: with the other lines of the log, at level info. Else a file, relative to this file, opened again at each reload.',
      ),
    sample: percentage('0%', '100%')
      .prefault('100%')
      .describe('Part of what ends well that is logged. What ends badly always is: 0% logs nothing else.'),
    pools: list(name(), 1, 256)
      .optional()
      .describe('Pools that are logged; left out, all of them, and what no route matches.'),
    query: z
      .boolean()
      .prefault(false)
      .describe('Whether the query is logged with the path. It may hold secrets.'),
  })
  .optional()
  .describe('A log of what clients did; left out, there is none. Taken over when the file changes.');
