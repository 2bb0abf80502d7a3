// What one report costs the balancer: decoding and absorbing it, and the same through HTTP on loopback.
import { request, type RequestOptions, Agent } from 'node:http';
import { decodeReport } from '../../src/protocol/decode-report.ts';
import { anOpenRoom } from '../support/a-room.ts';
import { aReportBody } from '../support/a-report.ts';
import { anIntake } from '../support/an-intake.ts';
import { middle, type Row } from './row.ts';

const nodes = 20;
const decodeRounds = 500;
const httpReports = 2000;
const connections = 8;

/** Microseconds of CPU a report: medians of five runs; the second row holds the client's part as well. */
export async function benchReports(): Promise<Row[]> {
  return [decodeRow(), await httpRow()];
}

function decodeRow(): Row {
  const { registry, clock } = anOpenRoom();
  const texts = Array.from({ length: nodes }, (_, index) =>
    JSON.stringify(aReportBody({ node: { id: `n${index}`, port: 9000 + index }, seq: 0 })),
  );
  let seq = 0;
  const runMicroseconds = () => {
    const before = process.cpuUsage();
    for (let round = 0; round < decodeRounds; round += 1) {
      seq += 1;
      for (const text of texts) {
        const report = decodeReport(JSON.parse(text.replace('"seq":0', `"seq":${seq}`)));
        registry.applyReport(report, {
          identity: '127.0.0.1',
          host: '127.0.0.1',
          port: report.node.port ?? 0,
        });
      }
      clock.advance(100);
    }
    return cpuMicroseconds(before) / (decodeRounds * nodes);
  };
  const runs = Array.from({ length: 5 }, runMicroseconds);
  registry.stop();
  return { name: 'report: parse, decode, apply', value: middle(runs), unit: 'µs' };
}

async function httpRow(): Promise<Row> {
  const { registry } = anOpenRoom();
  await using intake = await anIntake(registry);
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const options: RequestOptions = {
    agent,
    port: intake.port,
    host: '127.0.0.1',
    method: 'POST',
    path: '/v1/reports',
    headers: { 'content-type': 'application/json' },
  };
  const send = async (from: number, step: number, count: number, epoch: string) => {
    for (let seq = from; seq < count; seq += step) {
      const node = { id: `n${from}`, port: 9000 + from };
      await post(options, JSON.stringify(aReportBody({ node, seq, epoch })));
    }
  };
  const all = (count: number, epoch: string) =>
    Promise.all(Array.from({ length: connections }, (_, from) => send(from, connections, count, epoch)));
  await all(httpReports / 4, 'warm');
  const before = process.cpuUsage();
  await all(httpReports, 'measured');
  const usedMicroseconds = cpuMicroseconds(before);
  agent.destroy();
  registry.stop();
  return {
    name: 'report: through HTTP, client in the same process',
    value: usedMicroseconds / httpReports,
    unit: 'µs',
  };
}

function cpuMicroseconds(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

function post(options: RequestOptions, body: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const call = request({
      ...options,
      headers: { ...options.headers, 'content-length': Buffer.byteLength(body) },
    });
    call.on('error', reject);
    call.on('response', (response) => {
      if (response.statusCode !== 200) reject(new Error(`answered ${response.statusCode}`));
      response.resume();
      response.on('end', resolve);
    });
    call.end(body);
  });
}
