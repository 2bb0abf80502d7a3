// `herald top [POOL]`: the fleet on a screen that is drawn again every second. It changes nothing.
import type { Command } from 'commander';
import { HeraldError } from '../../core/error.ts';
import type { PoolSummary } from '../../protocol/admin-api.ts';
import type { AdminClient } from '../admin-client.ts';
import { withAdminClient, withTargetOptions } from '../admin-options.ts';
import type { TargetFlags } from '../admin-target.ts';
import type { CliIo } from '../io.ts';
import { pause } from '../pause.ts';
import { columnsOf, paintFor } from '../table.ts';
import { createKeyReader } from '../top/keys.ts';
import { lookAt } from '../top/look.ts';
import { pageLines, renderTop } from '../top/render.ts';
import { openTerminal, type Terminal } from '../top/terminal.ts';
import { firstView, pressed, type Fleet, type View } from '../top/view.ts';

const lookEveryMs = 1000;

/** Adds `herald top`. */
export function registerTop(program: Command, io: CliIo): void {
  withTargetOptions(program.command('top'))
    .description(
      'watch a pool live: nodes, load, connections, shares, operations; q quits, s sorts, p next pool',
    )
    .argument('[POOL]', 'the pool to begin with')
    .option('--once', 'print one table and end, as without a terminal', false)
    .action(async (pool: string | undefined, flags: TargetFlags & { once: boolean }) => {
      await withAdminClient(flags, io, async (client) => {
        // A misspelt name is answered with the nearest one before the screen is taken.
        if (pool !== undefined) await client.get<PoolSummary>(`/v1/pools/${encodeURIComponent(pool)}`);
        const fleet = await lookAt(client, pool ?? '');
        const view = firstView(pool ?? fleet.pools[0]?.pool ?? '');
        if (flags.once || !isScreen(io)) printOnce(io, fleet, view);
        else await new LiveTop(client, io, { fleet, view }).run();
      });
    });
}

function isScreen({ stdout, env }: CliIo): boolean {
  return stdout.isTTY === true && env['TERM'] !== 'dumb';
}

function printOnce(io: CliIo, fleet: Fleet, view: View): void {
  // Into a pipe a line may be as long as it likes; 140 columns keep the bars short of silly.
  const columns = columnsOf(io.stdout, io.env);
  const size = { columns: Number.isFinite(columns) ? columns : 140, rows: Infinity };
  const lines = renderTop({ fleet, view, size, paint: paintFor(io.stdout, io.env), trouble: '' });
  io.stdout.write(`${lines.map((line) => line.trimEnd()).join('\n')}\n`);
}

/** The screen while it lives. */
class LiveTop {
  readonly #client: AdminClient;
  readonly #io: CliIo;
  readonly #readKeys = createKeyReader();
  readonly #quit = new AbortController();
  /** Aborted when the next look should not wait: another pool is wanted. */
  #wake = new AbortController();
  #fleet: Fleet;
  #view: View;
  #trouble = '';
  #terminal: Terminal | undefined;

  constructor(client: AdminClient, io: CliIo, { fleet, view }: { fleet: Fleet; view: View }) {
    this.#client = client;
    this.#io = io;
    this.#fleet = fleet;
    this.#view = view;
  }

  /** Until a key or a signal ends it; the terminal is as it was then. */
  async run(): Promise<void> {
    const { signal } = this.#io;
    this.#terminal = openTerminal(this.#io, {
      onText: (text) => this.#typed(text),
      onResize: () => this.#draw(),
    });
    try {
      this.#draw();
      while (!signal.aborted && !this.#quit.signal.aborted) {
        await pause(this.#io, lookEveryMs, this.#quit.signal, this.#wake.signal);
        this.#wake = new AbortController();
        if (signal.aborted || this.#quit.signal.aborted) return;
        await this.#look();
        this.#draw();
      }
    } finally {
      this.#terminal.close();
    }
  }

  /** A balancer that restarts is no reason to leave: the last picture stays, and what is wrong stands above it. */
  async #look(): Promise<void> {
    const { pool } = this.#view;
    try {
      const fleet = await lookAt(this.#client, pool);
      // Another pool was chosen meanwhile: its own look is under way.
      if (this.#view.pool !== pool) return;
      this.#fleet = fleet;
      this.#trouble = '';
    } catch (error) {
      if (!(error instanceof HeraldError)) throw error;
      this.#trouble = `${error.message} [${error.code}]`;
    }
  }

  #typed(text: string): void {
    for (const key of this.#readKeys(text)) {
      if (key === 'quit') return this.#quit.abort();
      const poolBefore = this.#view.pool;
      this.#view = pressed(this.#view, key, {
        pools: this.#fleet.pools.map(({ pool }) => pool),
        nodeCount: this.#fleet.nodes.length,
        pageLines: pageLines({ fleet: this.#fleet, size: this.#size }),
      });
      if (this.#view.pool !== poolBefore) this.#showOtherPool();
    }
    this.#draw();
  }

  #showOtherPool(): void {
    // The nodes on the screen are another pool's: rather none for a moment than the wrong ones.
    this.#fleet = { ...this.#fleet, nodes: [], operations: [], freeze: undefined };
    this.#wake.abort();
  }

  get #size(): { columns: number; rows: number } {
    return this.#terminal?.size ?? { columns: 80, rows: 24 };
  }

  #draw(): void {
    const paint = paintFor(this.#io.stdout, this.#io.env);
    const picture = { fleet: this.#fleet, view: this.#view, size: this.#size, paint, trouble: this.#trouble };
    this.#terminal?.draw(renderTop(picture));
  }
}
