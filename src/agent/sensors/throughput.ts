// Messages per second, from the counters that the observers keep.
import type { Traffic } from '../observers/traffic.ts';
import type { Sensor } from './sensor.ts';

/** `throughput`: messages in and out per second. Absent while no server is observed: nothing is counted then. */
export function createThroughputSensor(traffic: Traffic): Sensor {
  let last = traffic.messagesIn + traffic.messagesOut;
  return {
    measure(elapsedMs) {
      const now = traffic.messagesIn + traffic.messagesOut;
      const messages = now - last;
      last = now;
      if (traffic.servers === 0) return {};
      return { throughput: (messages * 1000) / elapsedMs };
    },
    stop() {},
  };
}
