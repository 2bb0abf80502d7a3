// The schema of `keda`: where KEDA's external scaler listens. What it answers is in balancer/scale-outputs.
import { z } from 'zod';
import { tlsSchema } from './access-schema.ts';
import { address, text } from './field.ts';

// The same but for the client's certificate, which is the only proof here: KEDA sends no tokens.
const kedaTls = tlsSchema.extend({
  clientCa: text('path')
    .optional()
    .describe('PEM file of who signs the certificates that KEDA must show; left out, it needs none.'),
});

/** `keda` */
export const kedaSchema = z
  .strictObject({
    bind: address(0)
      .prefault('127.0.0.1:9403')
      .describe('Address of the gRPC server; beyond loopback it needs `tls`.'),
    tls: kedaTls
      .optional()
      .describe(
        'TLS of the gRPC server. With `clientCa`, KEDA must show a certificate (`tlsClientCert` of its TriggerAuthentication). Read again when a file changes.',
      ),
  })
  .optional()
  .describe("KEDA's external scaler over gRPC; left out, there is none.");
