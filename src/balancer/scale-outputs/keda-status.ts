// Errors as gRPC statuses. The numbers are those of gRPC's status codes, so that this needs no gRPC.
import { HeraldError, type ErrorCode } from '../../core/error.ts';

/** A status as gRPC sends it. */
export interface GrpcStatus {
  readonly code: number;
  readonly details: string;
}

const codes: Readonly<Partial<Record<ErrorCode, number>>> = {
  HERALD_SCALER_METADATA_INVALID: 3, // INVALID_ARGUMENT
  HERALD_POOL_UNKNOWN: 5, // NOT_FOUND
  HERALD_TOO_MANY_STREAMS: 8, // RESOURCE_EXHAUSTED
  HERALD_FROZEN: 9, // FAILED_PRECONDITION
  HERALD_SCALE_UNKNOWN: 14, // UNAVAILABLE
};

const unavailable = 14;
const internal = 13;

/** The status of an error; its text begins with Herald's code. What should not happen is told to `onInternalError` only. */
export function statusOf(error: unknown, onInternalError: (error: unknown) => void): GrpcStatus {
  if (error instanceof HeraldError) {
    // Any other refusal is one that may pass, such as a balancer that is stopping: KEDA asks again.
    return { code: codes[error.code] ?? unavailable, details: `${error.code}: ${error.message}` };
  }
  onInternalError(error);
  return { code: internal, details: 'HERALD_INTERNAL: internal error; the log has its origin' };
}
