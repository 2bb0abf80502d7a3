// The process that checks an agent.yaml for a sidecar: it answers its parent over their channel and ends. The
// schemas take more memory than the whole sidecar, which needs them for a moment only.
import { HeraldError, type ErrorCode } from '../core/error.ts';
import { loadAgentDocument, type LoadedAgent } from '../platform/agent-document.ts';

/** What the parent hears, once. */
export type AgentConfigAnswer =
  | { readonly loaded: LoadedAgent }
  | { readonly code: ErrorCode; readonly message: string };

async function answer(path: string): Promise<AgentConfigAnswer> {
  try {
    return { loaded: await loadAgentDocument(path, process.env) };
  } catch (error) {
    if (error instanceof HeraldError) return { code: error.code, message: error.message };
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { code: 'HERALD_INTERNAL', message };
  }
}

const reply = await answer(process.argv[2] ?? '');
process.send?.(reply, () => process.disconnect());
