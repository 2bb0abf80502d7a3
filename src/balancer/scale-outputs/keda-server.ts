// The gRPC server of KEDA's external scaler. Loaded only where `keda` is configured, since it brings gRPC along.
import * as grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { join } from 'node:path';
import type { Clock } from '../../core/clock.ts';
import { HeraldError } from '../../core/error.ts';
import type { TlsMaterial } from '../../platform/http-server.ts';
import { formatAddress, type Address } from '../../policy/address.ts';
import type { ScaleFeed } from '../control/ports.ts';
import { isActive, metricSpec, metricValue } from './keda-answers.ts';
import { readScalerMetadata, type ScalerTrigger } from './keda-metadata.ts';
import { statusOf } from './keda-status.ts';
import { ActiveStreams } from './keda-streams.ts';

/** What the external scaler needs. */
export interface KedaDeps {
  readonly bind: Address;
  /** Undefined: plain text. */
  readonly tls: TlsMaterial | undefined;
  readonly feed: ScaleFeed;
  readonly clock: Clock;
  readonly onInternalError: (error: unknown) => void;
  readonly maxStreams?: number;
}

/** A server with a lifetime. */
export interface Keda {
  /** Resolves with the bound port. Rejects with HERALD_LISTEN_FAILED. */
  start(): Promise<number>;
  /** Takes new certificates: clients are asked to connect anew (GOAWAY), open streams go on. Nothing without TLS. */
  reconfigure(tls: TlsMaterial | undefined): Promise<void>;
  /** Ends in bounded time, streams included. Idempotent. */
  stop(): Promise<void>;
}

/** `ScaledObjectRef`, as proto-loader reads it with defaults on. */
interface ScaledObjectRef {
  readonly scalerMetadata: Readonly<Record<string, string>>;
}

interface GetMetricsRequest {
  readonly scaledObjectRef: ScaledObjectRef | null;
  readonly metricName: string;
}

// Metadata of a trigger are a few hundred bytes.
const maxMessageBytes = 64 * 1024;
const stopGraceMs = 2000;
const options: grpc.ServerOptions = {
  'grpc.max_receive_message_length': maxMessageBytes,
  'grpc.max_send_message_length': maxMessageBytes,
  'grpc.max_concurrent_streams': 256,
  // A client that is gone without a word would keep its stream: asked every half minute, it has ten seconds.
  'grpc.keepalive_time_ms': 30_000,
  'grpc.keepalive_timeout_ms': 10_000,
  'grpc.keepalive_permit_without_calls': 1,
};

export function createKeda(deps: KedaDeps): Keda {
  const { bind, feed, clock } = deps;
  // What it would write to stderr comes back as an error or is a client's fault.
  grpc.setLogVerbosity(grpc.logVerbosity.NONE);
  const streams = new ActiveStreams(feed, deps.maxStreams ?? 1024);
  const server = new grpc.Server(options);
  server.addService(serviceDefinition(), handlers(deps, streams));
  let port = 0;
  let tls = deps.tls;
  let stopping: Promise<void> | undefined;
  return {
    async start() {
      port = await listen(server, bind, tls);
      return port;
    },
    async reconfigure(next) {
      if (port === 0 || next === undefined || tls === undefined || isSame(next, tls)) return;
      tls = next;
      server.unbind(formatAddress({ host: bind.host, port }));
      await listen(server, { host: bind.host, port }, tls);
    },
    stop() {
      stopping ??= stop(server, streams, clock);
      return stopping;
    },
  };
}

function isSame(a: TlsMaterial, b: TlsMaterial): boolean {
  return a.cert === b.cert && a.key === b.key && a.clientCa === b.clientCa;
}

/** Calls in progress are answered, then what is left is cut. */
function stop(server: grpc.Server, streams: ActiveStreams, clock: Clock): Promise<void> {
  streams.stop();
  return new Promise((resolve) => {
    const timer = clock.schedule(stopGraceMs, () => server.forceShutdown());
    server.tryShutdown(() => {
      timer.cancel();
      resolve();
    });
  });
}

function listen(server: grpc.Server, bind: Address, tls: TlsMaterial | undefined): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(formatAddress(bind), credentials(tls), (error, port) => {
      if (error === null) return resolve(port);
      const message = `the external scaler cannot listen on ${formatAddress(bind)}: ${error.message}`;
      reject(new HeraldError('HERALD_LISTEN_FAILED', message, {}, { cause: error }));
    });
  });
}

function credentials(tls: TlsMaterial | undefined): grpc.ServerCredentials {
  if (tls === undefined) return grpc.ServerCredentials.createInsecure();
  const { cert, key, clientCa } = tls;
  const pair = { cert_chain: Buffer.from(cert), private_key: Buffer.from(key) };
  const authority = clientCa === undefined ? null : Buffer.from(clientCa);
  return grpc.ServerCredentials.createSsl(authority, [pair], authority !== null);
}

function serviceDefinition(): grpc.ServiceDefinition {
  const file = join(import.meta.dirname, 'externalscaler.proto');
  const loaded = loadSync(file, { keepCase: true, defaults: true, longs: Number });
  // Proof of the cast: the file beside this one declares the service of this name.
  return loaded['externalscaler.ExternalScaler'] as grpc.ServiceDefinition;
}

function handlers(deps: KedaDeps, streams: ActiveStreams): grpc.UntypedServiceImplementation {
  const { feed, onInternalError } = deps;
  const unary =
    <Request>(answer: (request: Request) => object): grpc.handleUnaryCall<Request, object> =>
    (call, callback) => {
      try {
        callback(null, answer(call.request));
      } catch (error) {
        callback(statusOf(error, onInternalError));
      }
    };
  return {
    IsActive: unary((ref: ScaledObjectRef) => ({ result: isActive(feed.scaling(triggerOf(ref).pool)) })),
    GetMetricSpec: unary((ref: ScaledObjectRef) => {
      const trigger = triggerOf(ref);
      return { metricSpecs: [metricSpec(trigger, feed.scaling(trigger.pool))] };
    }),
    GetMetrics: unary(({ scaledObjectRef, metricName }: GetMetricsRequest) => {
      const trigger = triggerOf(scaledObjectRef);
      return { metricValues: [metricValue(trigger, metricName, feed.scaling(trigger.pool))] };
    }),
    StreamIsActive: streamHandler(streams, onInternalError),
  };
}

function streamHandler(
  streams: ActiveStreams,
  onInternalError: KedaDeps['onInternalError'],
): grpc.handleServerStreamingCall<ScaledObjectRef, { result: boolean }> {
  return (call) => {
    try {
      streams.open(triggerOf(call.request).pool, {
        write: (result) => call.write({ result }),
        end: () => void call.end(),
        onDrain: (hear) => void call.on('drain', hear),
        onGone: (hear) => void call.on('cancelled', hear).on('close', hear).on('error', hear),
      });
    } catch (error) {
      call.emit('error', statusOf(error, onInternalError));
    }
  };
}

function triggerOf(ref: ScaledObjectRef | null): ScalerTrigger {
  return readScalerMetadata(ref?.scalerMetadata ?? {});
}
