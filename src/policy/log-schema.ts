// What balancers and sidecars are told about their logs.
import { z } from 'zod';

/** The section `log`; with its defaults when left out. */
export const log = z
  .strictObject({
    level: z
      .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
      .prefault('info')
      .describe('Least severe level logged.'),
    format: z
      .enum(['json', 'pretty', 'auto'])
      .prefault('auto')
      .describe('`auto`: pretty on a terminal, else JSON.'),
  })
  .prefault({})
  .describe('What is logged.');
