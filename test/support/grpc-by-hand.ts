// A gRPC client by hand: HTTP/2 frames and protobuf bytes, written from the specifications and KEDA's proto text. It
// knows neither Herald's proto file nor a gRPC library, so that both sides cannot be wrong in the same way.
import { connect, constants, type ClientHttp2Session, type SecureClientSessionOptions } from 'node:http2';

/** A field of length-delimited bytes. Lengths here are below 16 KiB: a varint of one or two bytes. */
export function bytesField(number: number, bytes: Uint8Array): Buffer {
  const { length } = bytes;
  const size = length < 0x80 ? [length] : [(length & 0x7f) | 0x80, length >> 7];
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...size]), bytes]);
}

export function textField(number: number, text: string): Buffer {
  return bytesField(number, Buffer.from(text));
}

/** ScaledObjectRef: name 1, namespace 2, entries of scalerMetadata 3 with key 1 and value 2. */
export function scaledObjectRef(metadata: Readonly<Record<string, string>>): Buffer {
  const entries = Object.entries(metadata).map(([key, value]) =>
    bytesField(3, Buffer.concat([textField(1, key), textField(2, value)])),
  );
  return Buffer.concat([textField(1, 'chat'), textField(2, 'default'), ...entries]);
}

/** GetMetricsRequest: scaledObjectRef 1, metricName 2. */
export function getMetricsRequest(metadata: Readonly<Record<string, string>>, metricName: string): Buffer {
  return Buffer.concat([bytesField(1, scaledObjectRef(metadata)), textField(2, metricName)]);
}

/** One call as the wire shows it. */
export interface GrpcCall {
  /** Messages in hexadecimal, in order, as far as they have come. */
  readonly messages: readonly string[];
  /** Resolves when the call is over. */
  readonly over: Promise<{ readonly status: number; readonly message: string }>;
  cancel(): void;
}

export interface GrpcClient extends AsyncDisposable {
  call(method: string, message: Buffer, headers?: Readonly<Record<string, string>>): GrpcCall;
  /** One message and the status. */
  ask(
    method: string,
    message: Buffer,
  ): Promise<{ status: number; message: string; answers: readonly string[] }>;
}

/** Connects; a refused or failing connection shows as status -1 of its calls. */
export function aGrpcClient(url: string, tls: SecureClientSessionOptions = {}): GrpcClient {
  const session = connect(url, tls);
  session.on('error', () => undefined);
  const client: GrpcClient = {
    call: (method, message, headers = {}) => call(session, { method, message, headers }),
    async ask(method, message) {
      const { over, messages } = client.call(method, message);
      return { ...(await over), answers: messages };
    },
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        if (session.destroyed) return resolve();
        session.on('close', () => resolve());
        session.destroy();
      }),
  };
  return client;
}

function call(
  session: ClientHttp2Session,
  {
    method,
    message,
    headers,
  }: { method: string; message: Buffer; headers: Readonly<Record<string, string>> },
): GrpcCall {
  const stream = session.request({
    ':method': 'POST',
    ':path': `/externalscaler.ExternalScaler/${method}`,
    'content-type': 'application/grpc',
    te: 'trailers',
    ...headers,
  });
  const messages: string[] = [];
  let left = Buffer.alloc(0);
  let end = { status: -1, message: '' };
  const note = (fields: Readonly<Record<string, unknown>>) => {
    if (fields['grpc-status'] === undefined) return;
    end = {
      status: Number(fields['grpc-status']),
      message: decodeURIComponent(String(fields['grpc-message'] ?? '')),
    };
  };
  // An answer without messages has its status in the head already.
  stream.on('response', note);
  stream.on('trailers', note);
  stream.on('data', (chunk: Buffer) => {
    left = Buffer.concat([left, chunk]);
    while (left.length >= 5 && left.length >= 5 + left.readUInt32BE(1)) {
      const size = left.readUInt32BE(1);
      messages.push(left.subarray(5, 5 + size).toString('hex'));
      left = left.subarray(5 + size);
    }
  });
  const over = new Promise<{ status: number; message: string }>((resolve) => {
    stream.on('error', (error) => {
      if (end.status === -1) end = { status: -1, message: String(error) };
    });
    stream.on('close', () => resolve(end));
  });
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  stream.end(Buffer.concat([head, message]));
  return { messages, over, cancel: () => stream.close(constants.NGHTTP2_CANCEL) };
}
