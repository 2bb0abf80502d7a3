// An event as EventBridge delivers it for a lifecycle hook of AWS Auto Scaling. The members are those of AWS's
// documentation of "EC2 Instance-terminate Lifecycle Action"; the values are made up.

export interface LifecycleParts {
  readonly detailType?: string;
  readonly instance?: string;
  readonly group?: string;
  readonly token?: string;
  readonly transition?: string;
}

export function aLifecycleEvent(parts: LifecycleParts = {}): Record<string, unknown> {
  const { instance = 'i-0123456789abcdef0', group = 'chat-nodes-7Q2X' } = parts;
  return {
    version: '0',
    id: '12345678-1234-1234-1234-123456789012',
    'detail-type': parts.detailType ?? 'EC2 Instance-terminate Lifecycle Action',
    source: 'aws.autoscaling',
    account: '123456789012',
    time: '2026-01-01T00:00:00Z',
    region: 'eu-west-1',
    resources: [],
    detail: {
      LifecycleActionToken: parts.token ?? '87654321-4321-4321-4321-210987654321',
      AutoScalingGroupName: group,
      LifecycleHookName: 'drain',
      EC2InstanceId: instance,
      LifecycleTransition: parts.transition ?? 'autoscaling:EC2_INSTANCE_TERMINATING',
      NotificationMetadata: '',
      Origin: 'AutoScalingGroup',
      Destination: 'EC2',
    },
  };
}
