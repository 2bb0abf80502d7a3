// The lifecycle event of AWS Auto Scaling, as EventBridge delivers it. Pure.
import { z } from 'zod';
import { HeraldError } from '../../core/error.ts';

/** An instance that waits to be terminated. */
export interface LifecycleEvent {
  readonly instance: string;
  readonly group: string;
  readonly hook: string;
  /** Names this one wait: an event that comes twice has the same. */
  readonly token: string;
  /** '' when the event does not say; so is `account`. */
  readonly region: string;
  readonly account: string;
}

/** What an event is here. */
export type LifecycleReading =
  | { readonly kind: 'terminating'; readonly event: LifecycleEvent }
  | { readonly kind: 'ignored'; readonly reason: string };

const terminate = 'EC2 Instance-terminate Lifecycle Action';
const terminating = 'autoscaling:EC2_INSTANCE_TERMINATING';

// What these become part of is an argument of a program: none may look like an option.
const word = (maxLength: number) =>
  z
    .string()
    .max(maxLength)
    .regex(/^[^-\0][^\0]*$/);
const optional = z
  .string()
  .max(64)
  .regex(/^[a-z0-9-]*$/)
  .optional();

const envelope = z.looseObject({ 'detail-type': z.string().max(256) });
const lifecycle = z.looseObject({
  region: optional,
  account: optional,
  detail: z.looseObject({
    LifecycleActionToken: word(128),
    AutoScalingGroupName: word(255),
    LifecycleHookName: word(255),
    EC2InstanceId: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/),
    LifecycleTransition: z.string().max(128),
  }),
});

/** Reads an event. HERALD_BODY_INVALID for what is none; another kind of event is ignored with a reason. */
export function readLifecycleEvent(body: unknown): LifecycleReading {
  refuseNotification(body);
  const type = parse(envelope, body)['detail-type'];
  if (type !== terminate) return ignored(`'${type}' is not '${terminate}'`);
  const { detail, region = '', account = '' } = parse(lifecycle, body);
  if (detail.LifecycleTransition !== terminating)
    return ignored(`the transition '${detail.LifecycleTransition}' is not '${terminating}'`);
  const event = {
    instance: detail.EC2InstanceId,
    group: detail.AutoScalingGroupName,
    hook: detail.LifecycleHookName,
    token: detail.LifecycleActionToken,
    region,
    account,
  };
  return { kind: 'terminating', event };
}

function ignored(reason: string): LifecycleReading {
  return { kind: 'ignored', reason: `nothing to do: ${reason}` };
}

/** SNS cannot send a token, and its signatures are not checked here: whoever finds the path could drain the fleet. */
function refuseNotification(body: unknown): void {
  if (typeof body !== 'object' || body === null || !('TopicArn' in body)) return;
  throw invalid('notifications of SNS are not taken: use an EventBridge rule with an API destination');
}

function parse<Schema extends z.ZodType>(schema: Schema, body: unknown): z.output<Schema> {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const problems = result.error.issues
    .slice(0, 20)
    .map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`);
  throw invalid(`this is no event of EventBridge about a lifecycle action: ${problems.join('; ')}`);
}

function invalid(message: string): HeraldError {
  return new HeraldError('HERALD_BODY_INVALID', message);
}

/** Whether a text is the pattern, or begins with what is before the `*` at its end. */
export function matchesPattern(pattern: string, text: string): boolean {
  return pattern.endsWith('*') ? text.startsWith(pattern.slice(0, -1)) : text === pattern;
}
