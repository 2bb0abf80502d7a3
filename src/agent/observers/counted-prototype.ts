// Counts the messages of WebSockets of ws by a prototype that all of them share.
import type { WsSocket } from './observable.ts';
import type { Traffic } from './traffic.ts';

/** `readyState` of a WebSocket that can send. */
const open = 1;

/** Puts a counting prototype between a socket and its own; returns what takes it away again. */
export type CountSocket = (socket: WsSocket) => () => void;

/**
 * Counts into `traffic`. One prototype for each class of sockets, and not a listener and a wrapper for each
 * socket: at 10,000 messages a second a function, a closure and an array of listeners of its own for every socket
 * are memory that is cold when a message comes: they cost 1.4 to 1.7 % of a core, this 0.2 to 0.8 % (runs of
 * test/bench/agent.ts). A socket that has a `send` of its own, put there by somebody else, is not counted outwards.
 */
export function createCountSocket(traffic: Traffic): CountSocket {
  const countedBy = new WeakMap<object, object>();
  return (socket) => {
    const original: unknown = Object.getPrototypeOf(socket);
    if (!isSocketClass(original)) return () => {};
    const counted = countedBy.get(original) ?? countedPrototype(original, traffic);
    countedBy.set(original, counted);
    Object.setPrototypeOf(socket, counted);
    return () => {
      // Somebody has put another one in front meanwhile: ours stays beneath it and goes on counting nothing new.
      if (Object.getPrototypeOf(socket) === counted) Object.setPrototypeOf(socket, original);
    };
  };
}

/** The methods that are counted, as a class of ws has them. */
interface SocketClass {
  send(data: unknown, options: unknown, done: unknown): void;
  emit(event: string, ...values: unknown[]): boolean;
}

function isSocketClass(value: unknown): value is SocketClass {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof Reflect.get(value, 'send') === 'function' &&
    typeof Reflect.get(value, 'emit') === 'function'
  );
}

function countedPrototype(original: SocketClass, traffic: Traffic): object {
  const { send, emit } = original;
  const methods: ThisType<WsSocket & SocketClass> & SocketClass = {
    send(data, options, done) {
      if (this.readyState === open && isLastFragment(options)) traffic.messagesOut += 1;
      send.call(this, data, options, done);
    },
    emit(event, ...values) {
      if (event === 'message') traffic.messagesIn += 1;
      return emit.call(this, event, ...values);
    },
  };
  return Object.create(original, { send: asMethod(methods.send), emit: asMethod(methods.emit) }) as object;
}

function asMethod(value: unknown): PropertyDescriptor {
  return { value, configurable: true, writable: true, enumerable: false };
}

/** The second argument of `send` is options or a callback. */
function isLastFragment(options: unknown): boolean {
  return typeof options !== 'object' || options === null || !('fin' in options) || options.fin !== false;
}
