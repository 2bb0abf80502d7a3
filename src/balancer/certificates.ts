// The certificates of public listeners as metrics and warnings: an expired one keeps every client out.
import type { Clock, Timer } from '../core/clock.ts';
import { describeCertificate, expiresSoonMs } from '../platform/certificate.ts';
import type { Logger } from '../platform/logger.ts';
import type { Config } from '../policy/config.ts';
import { isoTime } from '../protocol/iso-time.ts';
import type { CertificateFigure, Metrics } from './metrics/metrics.ts';

const checkMs = 6 * 60 * 60 * 1000;

/** Watches the certificates that are in use. */
export interface CertificateWatch {
  /** These are in use from now on. */
  use(config: Config): void;
  stop(): void;
}

/** Warns of each certificate that is about to expire, four times a day. */
export function watchCertificates(deps: {
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Pick<Metrics, 'setCertificates'>;
}): CertificateWatch {
  const { clock, log, metrics } = deps;
  let inUse: readonly CertificateFigure[] = [];
  const warn = () => {
    for (const { listener, certificate, expiresMs } of inUse) {
      if (expiresMs - clock.wallMs() >= expiresSoonMs) continue;
      const expires = isoTime(expiresMs);
      log.warn({ listener, certificate, expires }, 'certificate expires soon');
    }
  };
  const timer: Timer = clock.repeat(checkMs, warn);
  return {
    use(config) {
      inUse = certificateFigures(config);
      metrics.setCertificates(inUse);
      warn();
    },
    stop: () => timer.cancel(),
  };
}

function certificateFigures({ listeners }: Config): CertificateFigure[] {
  return listeners.flatMap(({ name: listener, tls }) =>
    (tls?.certificates ?? []).map(({ name: certificate, cert }) => {
      return { listener, certificate, expiresMs: describeCertificate(cert).expiresMs };
    }),
  );
}
