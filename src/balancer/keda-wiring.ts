// What autoscalers of others call, by a configuration: KEDA's external scaler, Agones' webhook, AWS lifecycle hooks.
import type { Clock } from '../core/clock.ts';
import type { Rng } from '../core/rng.ts';
import type { HttpRoutes } from '../platform/http-app.ts';
import type { Logger } from '../platform/logger.ts';
import type { AsgConfig, Config } from '../policy/config.ts';
import type { Control, EventFeed, ScaleFeed } from './control/ports.ts';
import { agonesRoutes } from './scale-outputs/agones.ts';
import { createTellAws } from './scale-outputs/asg-call.ts';
import { AsgHooks, type AsgDeps } from './scale-outputs/asg-hooks.ts';
import { asgRoutes } from './scale-outputs/asg.ts';
import type { Keda } from './scale-outputs/keda-server.ts';
import type { Registry } from './state/registry.ts';

/** What they are made with. */
export interface ScalerParts {
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Logger;
  readonly registry: Registry;
  readonly control: Control;
  readonly events: EventFeed;
  readonly scaling: ScaleFeed;
}

/** Made with a configuration; `routes` go to the intake, then `start` once and `stop` once. */
export class ConfiguredScalers {
  /** Where machines call: ADR 0022 says why this is the intake. */
  readonly routes: HttpRoutes;
  readonly #parts: ScalerParts;
  readonly #asg: AsgHooks | undefined;
  #config: Config;
  #keda: Keda | undefined;

  constructor(config: Config, parts: ScalerParts) {
    this.#config = config;
    this.#parts = parts;
    this.#asg = config.asg && createAsg(config.asg, parts);
    this.routes = {
      ...agonesRoutes(parts.scaling),
      ...asgRoutes(this.#asg, () => this.#config.intake.tokens),
    };
  }

  /** Resolves with the bound port of the gRPC server, 0 without one. Rejects with HERALD_LISTEN_FAILED. */
  async start(): Promise<number> {
    const { keda } = this.#config;
    if (keda === undefined) return 0;
    const { clock, log, scaling: feed } = this.#parts;
    // gRPC and its parsers are some 10 MiB of memory and 118 files: only who asks for it pays.
    const { createKeda } = await import('./scale-outputs/keda-server.ts');
    this.#keda = createKeda({
      ...keda,
      feed,
      clock,
      onInternalError: (error) => log.error({ err: error }, 'call of the external scaler failed'),
    });
    const port = await this.#keda.start();
    log.info({ listener: 'keda', host: keda.bind.host, port, tls: keda.tls !== undefined }, 'listening');
    return port;
  }

  /** New tokens and certificates count from now on; what else is new waits for a restart. */
  reconfigure(config: Config): void {
    this.#config = config;
    const failed = (error: unknown) => {
      this.#parts.log.error({ err: error }, 'the external scaler could not take its new certificate over');
    };
    this.#keda?.reconfigure(config.keda?.tls).catch(failed);
  }

  /** Ends in bounded time. Idempotent. */
  async stop(): Promise<void> {
    this.#asg?.stop();
    await this.#keda?.stop();
  }
}

function createAsg(config: AsgConfig, parts: ScalerParts): AsgHooks {
  const { clock, rng, log, registry, control, events } = parts;
  const tell: AsgDeps['tell'] = (event) => {
    const { type, message, facts, ...about } = event;
    log[type.endsWith('ailed') ? 'warn' : 'info']({ type, ...about, ...facts }, message);
    events.tell(event);
  };
  return new AsgHooks({
    config,
    clock,
    rng,
    control,
    tell,
    tellAws: createTellAws({ clock, environment: process.env }),
    *nodes() {
      for (const { name, nodes } of registry.pools.values())
        for (const id of nodes.keys()) yield { pool: name, id };
    },
  });
}
