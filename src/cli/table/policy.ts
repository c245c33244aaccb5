import type { TableEntry } from '../command.ts'
import { entry } from './entry.ts'

/** Commands about who may talk to whom, and where services are reached. */
export const policyEntries: readonly TableEntry[] = [
  entry(
    'Networks',
    'network services',
    'List the addresses of services on their networks',
    async () => (await import('../commands/network-services.ts')).networkServices,
  ),
  entry(
    'Networks',
    'network resolve',
    'Say what the name of a service means to somebody, and why',
    async () => (await import('../commands/network-resolve.ts')).networkResolve,
  ),
  entry('Networks', 'policy ls', 'Show who may talk to whom', async () => (await import('../commands/policy-ls.ts')).policyLs, [
    'policy',
    'policy list',
  ]),
  entry(
    'Networks',
    'policy check',
    'Say whether one may connect to another, and by which rule',
    async () => (await import('../commands/policy-check.ts')).policyCheck,
  ),
  entry(
    'Networks',
    'policy refused',
    'List connections that were refused lately',
    async () => (await import('../commands/policy-refused.ts')).policyRefused,
  ),
]
