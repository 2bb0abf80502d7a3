// A terminal that is taken over for a while and given back whatever happens. Only what every terminal since the VT100
// has, and the second screen of xterm, which others pass over.
import type { KeyStream, TextStream } from '../io.ts';

const enter = '\u001b[?1049h\u001b[?25l\u001b[2J';
const leave = '\u001b[?25h\u001b[?1049l';

/** A screen that is ours until `close`. */
export interface Terminal {
  readonly size: { readonly columns: number; readonly rows: number };
  /** Replaces the whole screen: at most as many lines as it has rows. */
  draw(lines: readonly string[]): void;
  /** Idempotent. */
  close(): void;
}

/** What is told while the terminal is ours. */
export interface TerminalEvents {
  readonly onText: (text: string) => void;
  readonly onResize: () => void;
}

/** Takes the terminal over. A process that ends in any way but by SIGKILL gives it back. */
export function openTerminal(
  { stdout, stdin }: { readonly stdout: TextStream; readonly stdin?: KeyStream },
  { onText, onResize }: TerminalEvents,
): Terminal {
  const hear = (chunk: unknown) => onText(String(chunk));
  let isOpen = true;
  const close = () => {
    if (!isOpen) return;
    isOpen = false;
    process.off('exit', close);
    stdout.off?.('resize', onResize);
    stdin?.off('data', hear);
    stdin?.setRawMode?.(false);
    stdin?.pause();
    stdout.write(leave);
  };
  // A defect that ends the process must not leave a terminal that echoes nothing.
  process.once('exit', close);
  stdout.write(enter);
  stdout.on?.('resize', onResize);
  stdin?.setRawMode?.(true);
  stdin?.on('data', hear);
  stdin?.resume();
  return {
    get size() {
      return { columns: stdout.columns ?? 80, rows: stdout.rows ?? 24 };
    },
    draw(lines) {
      // No line end behind the last line: it would scroll the first one away.
      if (isOpen) stdout.write(`\u001b[H${lines.map((line) => `${line}\u001b[K`).join('\r\n')}\u001b[J`);
    },
    close,
  };
}
