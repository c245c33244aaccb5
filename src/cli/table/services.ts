import type { TableEntry } from '../command.ts'
import { entry } from './entry.ts'

const look = async () => await import('../services/look-commands.ts')
const verbs = async () => await import('../services/verb-commands.ts')
const nodes = async () => await import('../services/node-commands.ts')

/** Commands by which services are operated, and the machines that run them. */
export const serviceEntries: readonly TableEntry[] = [
  entry('Services', 'service ls', 'List services and how they are', async () => (await look()).serviceLs, ['service list']),
  entry('Services', 'service ps', 'List the tasks of services', async () => (await look()).servicePs),
  entry('Services', 'service inspect', 'Everything that is known of services', async () => (await look()).serviceInspect),
  entry(
    'Services',
    'deploy',
    'Change a service, and see it through',
    async () => (await import('../commands/deploy.ts')).deploy,
    ['service deploy'],
  ),
  entry('Services', 'scale', 'Run so many tasks of services', async () => (await verbs()).scale, ['service scale']),
  entry('Services', 'rollback', 'Go back to an earlier revision', async () => (await verbs()).rollback, ['service rollback']),
  entry('Services', 'promote', 'Let a rollout go on to its end', async () => (await verbs()).promote, ['service promote']),
  entry('Services', 'abort', 'End a rollout and go back', async () => (await verbs()).abort, ['service abort']),
  entry('Services', 'service pause', 'Hold services as they are', async () => (await verbs()).servicePause),
  entry('Services', 'resume', 'Let paused services and halted rollouts go on', async () => (await verbs()).resume, [
    'service resume',
  ]),
  entry('Services', 'service rm', 'Remove services', async () => (await verbs()).serviceRm, ['service remove']),
  entry('Services', 'service history', 'Who changed services, and what came of it', async () => (await look()).serviceHistory),
  entry(
    'Services',
    'history',
    'What happened to a service, or the layers of an image',
    async () => (await import('../commands/history.ts')).history,
  ),

  entry('Nodes', 'node ls', 'List the machines that run tasks', async () => (await nodes()).nodeLs, ['node list']),
  entry('Nodes', 'node inspect', 'Everything that is known of nodes', async () => (await nodes()).nodeInspect),
  entry('Nodes', 'node update', 'Change labels and availability of a node', async () => (await nodes()).nodeUpdate),
  entry('Nodes', 'node drain', 'Send the tasks of a node elsewhere', async () => (await nodes()).nodeDrain),
  entry('Nodes', 'node rebalance', 'Move tasks to where they stand better', async () => (await nodes()).nodeRebalance),
]
