// Counts the connections and packets of engine.io, which carries Socket.IO over polling and WebSocket alike.
import { createMembers, type Members } from './members.ts';
import type { EngineConnection, EngineServer, Unobserve } from './observable.ts';
import type { Traffic } from './traffic.ts';

/** Starts counting. Heartbeats are packets, too: they cost the node what any small message costs. */
export function observeEngine(engine: EngineServer, traffic: Traffic): Unobserve {
  const members: Members<EngineConnection> = createMembers(traffic, (connection) =>
    watchConnection(connection, traffic, members.leave),
  );
  for (const connection of openConnections(engine)) members.join(connection);
  engine.on('connection', members.join);
  return () => {
    engine.off('connection', members.join);
    members.clear();
  };
}

function watchConnection(
  connection: EngineConnection,
  traffic: Traffic,
  leave: (connection: EngineConnection) => void,
): () => void {
  const onPacket = () => {
    traffic.messagesIn += 1;
  };
  const onPacketCreate = () => {
    traffic.messagesOut += 1;
  };
  const onClose = () => leave(connection);
  connection.on('packet', onPacket);
  connection.on('packetCreate', onPacketCreate);
  connection.on('close', onClose);
  return () => {
    connection.off('packet', onPacket);
    connection.off('packetCreate', onPacketCreate);
    connection.off('close', onClose);
  };
}

/** engine.io keeps its connections by id in `clients`, which its types call protected. */
function openConnections(engine: EngineServer): EngineConnection[] {
  const clients: unknown = Reflect.get(engine, 'clients');
  return typeof clients === 'object' && clients !== null ? Object.values(clients).filter(isConnection) : [];
}

function isConnection(value: unknown): value is EngineConnection {
  return typeof value === 'object' && value !== null && 'on' in value && 'off' in value;
}
