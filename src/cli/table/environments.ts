import type { TableEntry } from '../command.ts'
import { entry } from './entry.ts'

const load = async () => (await import('../environments/environment-commands.ts')).environmentCommands

/** Copies of applications beside them. */
export const environmentEntries: readonly TableEntry[] = [
  entry('Environments', 'env create', 'Copy an application, with changes and for a time', async () => (await load()).create),
  entry('Environments', 'env ls', 'List environments, where they are reached and when they end', async () => (await load()).ls, [
    'env',
    'env list',
  ]),
  entry('Environments', 'env diff', 'Say what differs between two environments or applications', async () => (await load()).diff),
  entry('Environments', 'env set', 'Change an environment', async () => (await load()).set),
  entry('Environments', 'env extend', 'Let an environment stay longer', async () => (await load()).extend),
  entry('Environments', 'env rm', 'Remove environments with their volumes', async () => (await load()).rm, ['env remove']),
]
