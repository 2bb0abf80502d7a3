// Every error that leaves Herald has one code here. A code is API and is never reused; a message is for people.
import { limitErrors } from './limit-errors.ts';
import { sharingErrors } from './sharing-errors.ts';

interface ErrorEntry {
  /** HTTP status where the error reaches an HTTP client; 500 where it never does. */
  readonly status: number;
  /** One sentence for the error page: what happened. */
  readonly meaning: string;
  /** One sentence for the error page: what to do. */
  readonly remedy: string;
}

/** The catalogue: docs/reference/errors.md is generated from it. */
export const errorCatalogue = {
  HERALD_CONFIG_INVALID: {
    status: 422,
    meaning: 'A configuration or policy file has problems; each is listed with file, line and column.',
    remedy: 'Mend the lines named; `herald policy check` shows them without touching a running balancer.',
  },
  HERALD_CONFIG_UNREADABLE: {
    status: 500,
    meaning: 'A file that the configuration needs cannot be read.',
    remedy: 'Check the path and its permissions.',
  },
  HERALD_LISTEN_FAILED: {
    status: 500,
    meaning: 'A listener cannot bind its address.',
    remedy: 'Free the port or the socket path, or choose another in herald.yaml or the agent options.',
  },
  HERALD_REPORT_INVALID: {
    status: 400,
    meaning: 'A report is not what docs/reference/report.md describes; every problem is listed.',
    remedy: 'Update the agent, or mend what it sends.',
  },
  HERALD_REPORT_STALE: {
    status: 409,
    meaning: 'A report is not newer than the last one of the same agent epoch, so it was dropped.',
    remedy: 'Nothing: the newer one stands. Seen often, two agents share one node id.',
  },
  HERALD_REPORT_NOT_ALLOWED: {
    status: 403,
    meaning: 'The sender may not report or register: token, source address, port or pool do not allow it.',
    remedy: 'Extend `intake.register` or `intake.tokens` in herald.yaml, or name the node in its pool.',
  },
  HERALD_NODE_ID_TAKEN: {
    status: 409,
    meaning: 'A node id is claimed by another pool, address or reporter, or its address has an id already.',
    remedy: 'Give each node one id of its own, or remove the old node first.',
  },
  HERALD_POOL_UNKNOWN: {
    status: 404,
    meaning: 'No pool has this name.',
    remedy: 'Name one of the pools listed by `herald status`.',
  },
  HERALD_NODE_UNKNOWN: {
    status: 404,
    meaning: 'No node has this id.',
    remedy: 'Name one of the nodes listed by `herald status`.',
  },
  HERALD_NOT_FOUND: {
    status: 404,
    meaning: 'The API has nothing at this path.',
    remedy: 'See docs/reference/api.md.',
  },
  HERALD_METHOD_NOT_ALLOWED: {
    status: 405,
    meaning: 'The path exists, but not with this method.',
    remedy: 'See docs/reference/api.md.',
  },
  HERALD_BODY_TOO_LARGE: {
    status: 413,
    meaning: 'A request body is larger than the limit.',
    remedy: 'Send less; a report needs at most 16 KiB.',
  },
  HERALD_BODY_NOT_JSON: {
    status: 415,
    meaning: 'The API takes application/json only.',
    remedy: 'Send JSON with `Content-Type: application/json`.',
  },
  HERALD_ORIGIN_REFUSED: {
    status: 403,
    meaning: 'The request came from a web page or for a foreign Host; the API answers neither.',
    remedy: 'Use the CLI, or a client that sends no Origin and the right Host.',
  },
  HERALD_TOKEN_INVALID: {
    status: 401,
    meaning: 'The token is missing or unknown.',
    remedy: 'Send `Authorization: Bearer …` with a token that herald.yaml names.',
  },
  HERALD_REQUEST_INVALID: {
    status: 400,
    meaning: 'A client request breaks HTTP/1.1 in a way that could be read differently by the node.',
    remedy: 'Mend the client; the message names the rule.',
  },
  HERALD_HEAD_TOO_LARGE: {
    status: 431,
    meaning: 'A request head is larger than `limits.head` of the listener.',
    remedy: 'Send fewer or smaller headers and cookies.',
  },
  HERALD_ROUTE_UNKNOWN: {
    status: 404,
    meaning: 'No route of the configuration matches the host and path of the request.',
    remedy: 'Add a route to a pool in herald.yaml.',
  },
  HERALD_NO_NODE: {
    status: 503,
    meaning: 'No node of the pool may take a connection.',
    remedy: 'See `herald explain POOL`: bring nodes up, end drains or add nodes.',
  },
  HERALD_DIAL_FAILED: {
    status: 502,
    meaning: 'Every node tried refused the connection, reset it or did not answer in time.',
    remedy: 'See the reasons in the log and in `herald status`; check that the nodes listen.',
  },
  HERALD_HANDSHAKE_FAILED: {
    status: 502,
    meaning: 'A node accepted the connection but sent no usable HTTP answer in time.',
    remedy: 'Check the node: a hanging event loop or a server that is not HTTP shows like this.',
  },
  HERALD_AGENT_INVALID: {
    status: 500,
    meaning: 'The options given to createAgent are wrong.',
    remedy: 'Mend the option that the message names.',
  },
  HERALD_UNREACHABLE: {
    status: 500,
    meaning: 'The command cannot reach the balancer.',
    remedy: 'Start `herald serve`, or give the socket of the running one with --socket.',
  },
  HERALD_TRANSPORT_UNAVAILABLE: {
    status: 500,
    meaning: 'The fast transport was asked for by name, but this Node lacks what it stands on.',
    remedy: 'Use the transport `auto` or `plain`, or a supported version of Node.',
  },
  HERALD_REQUEST_TIMEOUT: {
    status: 408,
    meaning: 'A client did not finish its request head in time.',
    remedy: 'Send the head at once; `timeouts.head` in herald.yaml says how long Herald waits.',
  },
  HERALD_BODY_INVALID: {
    status: 422,
    meaning: 'A request body is JSON of the wrong shape, or no JSON at all; the message names what is wrong.',
    remedy: 'Send what docs/reference/api.md describes for this path.',
  },
  HERALD_NODE_STATIC: {
    status: 409,
    meaning: 'The node comes from the configuration, so the API cannot remove it.',
    remedy: 'Set its admin state to drain or maint, or take it out of its pool in herald.yaml.',
  },
  HERALD_POLICY_UNKNOWN: {
    status: 404,
    meaning: 'No policy has this name.',
    remedy: 'Name one of the policies that `GET /v1/pools` lists.',
  },
  HERALD_USAGE: {
    status: 400,
    meaning: 'A command was called with an option or a value that it does not take.',
    remedy: 'See `herald help COMMAND`.',
  },
  HERALD_SCENARIO_INVALID: {
    status: 422,
    meaning: 'A scenario of the simulator cannot be; every problem is listed.',
    remedy: 'Mend the values that the message names; docs/simulation.md describes them.',
  },
  HERALD_NOT_ALLOWED: {
    status: 403,
    meaning: 'The caller is known but may not do this: role, scope of pools or address do not allow it.',
    remedy: 'Use a token with the role and the pools that the message names.',
  },
  HERALD_NOT_AVAILABLE: {
    status: 501,
    meaning: 'This balancer was started without the part that the request needs.',
    remedy: 'Leave out what the message names, or run a version that has it.',
  },
  HERALD_DRAIN_REFUSED: {
    status: 409,
    meaning: 'The drain would push the rest of the pool over saturation, or leave it without a node.',
    remedy: 'Add nodes or wait for a calmer hour; `force` drains all the same.',
  },
  HERALD_FROZEN: {
    status: 409,
    meaning: 'The pool is frozen: automatic actions and rebalances wait until it is released.',
    remedy: 'Release the freeze: PUT { "frozen": false } to the freeze that the message names.',
  },
  HERALD_OPERATION_RUNNING: {
    status: 409,
    meaning: 'An operation that rules this one out is under way.',
    remedy: 'Wait for it, or cancel it: DELETE /v1/operations/{id}.',
  },
  HERALD_OPERATION_UNKNOWN: {
    status: 404,
    meaning: 'No operation has this id, or it was over so long ago that it is forgotten.',
    remedy: 'Name one that `GET /v1/operations` lists.',
  },
  HERALD_QUERY_INVALID: {
    status: 400,
    meaning: 'The query of a URL, or a header that steers the request, has a key or value that is not taken.',
    remedy: 'See docs/reference/api.md for what this path takes.',
  },
  HERALD_TOO_MANY_REQUESTS: {
    status: 429,
    meaning: 'The caller asks more often than the admin API allows.',
    remedy: 'Wait as long as Retry-After says; follow `GET /v1/events` instead of polling.',
  },
  HERALD_TOO_MANY_STREAMS: {
    status: 503,
    meaning: 'As many event streams or waiting requests are open as the balancer allows.',
    remedy: 'Close some, or come back after Retry-After.',
  },
  HERALD_IDEMPOTENCY_MISMATCH: {
    status: 422,
    meaning: 'The Idempotency-Key was used for a request with another body within the last ten minutes.',
    remedy: 'Send a new key with a new request, and the old key only to repeat the old one.',
  },
  HERALD_PRECONDITION_FAILED: {
    status: 412,
    meaning: 'What should be replaced is not what If-Match names: somebody else has changed it meanwhile.',
    remedy: 'Read it again, apply the change to what is there now, and send its new ETag.',
  },
  HERALD_POLICY_UNWRITABLE: {
    status: 409,
    meaning: 'The file of the policy cannot be written by the balancer.',
    remedy: 'Mend what the message names, or change the file where it comes from (ConfigMap, repository).',
  },
  HERALD_ADMIN_STATE_INVALID: {
    status: 422,
    meaning: 'A change of admin state cannot be: its deadline, its rate, its nodes or what goes with it.',
    remedy: 'Mend what the message names.',
  },
  HERALD_NOT_ADMITTED: {
    status: 503,
    meaning: 'Clients come faster than the pool takes them in, and this one could not wait any longer.',
    remedy:
      'See docs/admission.md: add nodes, or raise `admit` and `place.connectRate` if the nodes can take it.',
  },
  HERALD_SCALE_UNKNOWN: {
    status: 503,
    meaning:
      'No valid load data say how many nodes the pool needs. Nothing is taken for 0, and nothing is taken away.',
    remedy:
      'See why nodes do not report: `herald status`, `herald scale POOL`. Autoscalers keep what there is meanwhile.',
  },
  HERALD_SCALER_METADATA_INVALID: {
    status: 400,
    meaning: 'The trigger metadata or the metric name that KEDA sends names what there is not.',
    remedy: 'Mend the `metadata` of the trigger in the ScaledObject; see docs/integrations/keda.md.',
  },
  HERALD_WEBHOOK_UNKNOWN: {
    status: 404,
    meaning: 'No webhook has this name.',
    remedy: 'Name one that `GET /v1/webhooks` lists.',
  },
  HERALD_DEAD_LETTER_UNKNOWN: {
    status: 404,
    meaning: 'The webhook has no dead letter of this id: it was sent again, or newer ones took its room.',
    remedy: 'Name one that `GET /v1/webhooks/{name}/dead-letters` lists.',
  },
  HERALD_DRIVER_FAILED: {
    status: 500,
    meaning: 'The command of a scaling driver failed, took too long or could not be run.',
    remedy: 'Mend what the message says; the driver loop asks again.',
  },
  HERALD_TAKEOVER_FAILED: {
    status: 503,
    meaning: 'The new process could not take over. The old one goes on serving as before.',
    remedy: 'Mend what the message says and ask again; the log has what the new process wrote.',
  },
  HERALD_HANDED_OVER: {
    status: 503,
    meaning: 'The change came in the moment in which another process took over. Nothing was changed.',
    remedy: 'Ask again: the new process answers at the same address.',
  },
  ...sharingErrors,
  ...limitErrors,
  HERALD_INTERNAL: {
    status: 500,
    meaning: 'Something that should not happen; the log has the origin.',
    remedy: 'Report it with the log line.',
  },
} as const satisfies Record<string, ErrorEntry>;

/** A stable error code. */
export type ErrorCode = keyof typeof errorCatalogue;

/** A broken promise with a stable code. Facts that a program may need are in `details`, the origin in `cause`. */
export class HeraldError extends Error {
  override readonly name = 'HeraldError';
  readonly code: ErrorCode;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(
    code: ErrorCode,
    message: string,
    details: Readonly<Record<string, unknown>> = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.code = code;
    this.details = details;
  }

  /** The HTTP status of the code. */
  get status(): number {
    return errorCatalogue[this.code].status;
  }
}
