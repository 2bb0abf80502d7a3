import { createTransport } from '../../src/balancer/proxy/transport.ts';
import { transportContract } from './transport.contract.ts';

transportContract('fast', () => createTransport({ form: 'fast' }));
transportContract('plain', () => createTransport({ form: 'plain' }));
