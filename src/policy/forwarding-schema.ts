// The schema of `forwarding`: by what requests are known again in logs and traces.
import { z } from 'zod';
import { percentage } from './field.ts';

/** `forwarding`. */
export const forwardingSchema = z
  .strictObject({
    requestId: z
      .boolean()
      .prefault(true)
      .describe(
        'Whether each request has an `X-Request-Id`, for the node, the client and the access log: that of a `trusted` peer, or a new one.',
      ),
    trace: z
      .enum(['keep', 'make'])
      .prefault('keep')
      .describe(
        '`keep`: a sound `traceparent` passes, any other is removed. `make`: a request without a sound one begins a trace.',
      ),
    sampled: percentage('0%', '100%')
      .optional()
      .describe('Part of the traces begun here that are marked to be sampled.')
      .meta({ preset: '0%' }),
  })
  .check((context) => {
    const { trace, sampled } = context.value;
    if (trace === 'make' || sampled === undefined) return;
    const params = { hint: 'add trace: make' };
    const message = 'has no use where no trace is begun';
    context.issues.push({ code: 'custom', input: context.value, path: ['sampled'], message, params });
  })
  .prefault({})
  .describe('What requests are marked with on their way to a node. Taken over when the file changes.');
