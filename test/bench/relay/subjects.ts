// What the relay benchmark compares: HAProxy, Herald as built into dist/, nginx and the npm proxies, one process that
// relays each, as an operator would run them for WebSockets.
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Certificate } from '../../support/certificates.ts';
import type { SubjectPorts } from './subject-process.ts';

/** How to start one. */
export interface SubjectKind {
  readonly name: string;
  /** It ends TLS on its second port. */
  readonly hasTls: boolean;
  /** It is measured with large messages only, or with all others only; absent: with all. */
  readonly messages?: 'large' | 'small';
  /** Gives the command; writes the configuration. */
  command(ports: SubjectPorts): readonly string[];
}

interface Setting {
  /** Where configurations go. */
  readonly directory: string;
  readonly nodePort: number;
  readonly certificate: Certificate;
}

/** All that the machine has; HAProxy first where it is installed. */
export function subjectKinds(setting: Setting): SubjectKind[] {
  return [
    ...(isThere('haproxy') ? haproxies(setting) : []),
    herald(setting, 'herald', 'auto'),
    ...(isThere('nginx') ? [nginx(setting)] : []),
    herald(setting, 'herald, plain form', 'plain'),
    baseline(setting, 'http-proxy'),
    baseline(setting, 'httpxy'),
  ];
}

function isThere(file: string): boolean {
  return spawnSync(file, ['-v']).status === 0;
}

function place(directory: string, name: string): string {
  const path = join(directory, name.replaceAll(/\W+/g, '-'));
  mkdirSync(path, { recursive: true });
  return path;
}

// With its usual buffers of 16 KiB a message of 16 KiB does not fit: with 64 KiB, as ours, it is at its best.
function haproxies(setting: Setting): SubjectKind[] {
  return [
    haproxy(setting, { name: 'haproxy', messages: 'small', tune: '' }),
    haproxy(setting, {
      name: 'haproxy, buffers of 64 KiB',
      messages: 'large',
      tune: '  tune.bufsize 65536\n',
    }),
  ];
}

function haproxy(
  { directory, nodePort, certificate }: Setting,
  { name, messages, tune }: { name: string; messages: 'large' | 'small'; tune: string },
): SubjectKind {
  return {
    name,
    hasTls: messages === 'small',
    messages,
    command(ports) {
      const folder = place(directory, name);
      writeFileSync(join(folder, 'chat.pem'), certificate.certPem + certificate.keyPem);
      const path = join(folder, 'haproxy.cfg');
      writeFileSync(
        path,
        `global
  nbthread 1
  maxconn 9500
${tune}defaults
  mode http
  option forwardfor
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  timeout tunnel 1h
frontend bench
  bind 127.0.0.1:${ports.plain}
  bind 127.0.0.1:${ports.tls} ssl crt ${folder}/chat.pem
  default_backend nodes
backend nodes
  balance leastconn
  server a 127.0.0.1:${nodePort} check
`,
      );
      return ['haproxy', '-db', '-f', path];
    },
  };
}

const mainFile = join(import.meta.dirname, '../../../dist/cli/main.js');

/**
 * The default policy, which checks health, measures and counts; but for the rate at which a node takes new connections
 * (200/s), since nobody else has one here.
 */
function herald(
  { directory, nodePort, certificate }: Setting,
  name: string,
  form: 'auto' | 'plain',
): SubjectKind {
  return {
    name,
    hasTls: form === 'auto',
    command(ports) {
      const folder = place(directory, name);
      writeFileSync(
        join(place(folder, 'policies'), 'bench.yaml'),
        'apiVersion: herald/v1\nkind: Policy\nname: bench\nplace: { connectRate: 100000/s }\n',
      );
      const path = join(folder, 'herald.yaml');
      writeFileSync(
        path,
        `apiVersion: herald/v1
kind: Config
workers: 0
listeners:
  - { name: public, bind: '127.0.0.1:${ports.plain}' }
  - name: secure
    bind: '127.0.0.1:${ports.tls}'
    tls: { certificates: [{ cert: '${certificate.cert}', key: '${certificate.key}' }] }
relay: { form: ${form} }
intake: { bind: '127.0.0.1:0' }
admin: { socket: ./admin.sock }
log: { level: warn }
pools: { bench: { policy: bench, routes: [{ host: '*', path: / }], nodes: [{ id: a, address: '127.0.0.1:${nodePort}' }] } }
`,
      );
      return [process.execPath, mainFile, 'serve', '-c', path];
    },
  };
}

function nginx({ directory, nodePort, certificate }: Setting): SubjectKind {
  return {
    name: 'nginx',
    hasTls: true,
    command(ports) {
      const folder = place(directory, 'nginx');
      const path = join(folder, 'nginx.conf');
      writeFileSync(
        path,
        `daemon off;
master_process off;
pid ${folder}/pid;
error_log stderr crit;
events { worker_connections 19000; }
http {
  access_log off;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  upstream nodes { least_conn; server 127.0.0.1:${nodePort}; }
  server {
    listen 127.0.0.1:${ports.plain} backlog=4096;
    listen 127.0.0.1:${ports.tls} ssl backlog=4096;
    ssl_certificate ${certificate.cert};
    ssl_certificate_key ${certificate.key};
    ssl_protocols TLSv1.2 TLSv1.3;
    location / {
      proxy_pass http://nodes;
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection upgrade;
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_buffer_size 64k;
      proxy_buffers 8 64k;
      proxy_busy_buffers_size 128k;
      proxy_read_timeout 1h;
      proxy_send_timeout 1h;
    }
  }
}
`,
      );
      return ['nginx', '-c', path, '-p', folder];
    },
  };
}

function baseline({ nodePort }: Setting, name: string): SubjectKind {
  return {
    name,
    hasTls: false,
    command: (ports) => [
      process.execPath,
      ...process.execArgv,
      join(import.meta.dirname, 'baseline.ts'),
      name,
      '--listen',
      String(ports.plain),
      '--backend',
      `127.0.0.1:${nodePort}`,
    ],
  };
}
