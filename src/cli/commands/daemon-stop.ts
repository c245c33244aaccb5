import { isSet } from '../args/flags.ts'
import { command } from '../command.ts'
import { stopDaemon } from '../daemon/stop-daemon.ts'
import { counted } from '../output/units.ts'

export const daemonStop = command({
  name: 'daemon stop',
  usage: '[FLAGS]',
  summary: 'Stop the daemon and every container it runs.',
  description:
    'Takes down all that it made on this host: processes, mounts, links, firewall tables, control groups. Images, volumes and what is wanted of applications stay under its root.',
  examples: [
    ['daemon stop', 'all of it'],
    [
      'daemon stop --keep-containers',
      'for an upgrade: the next daemon takes the containers over; until then they cannot look up names',
    ],
  ],
  flags: { 'keep-containers': isSet('Leave containers running') },
  operands: { min: 0, max: 0 },
  run: async ({ flags }, context) => {
    const { stdout, stderr } = context.terminal
    const stopped = await stopDaemon(context, !flags['keep-containers'])
    for (const leftover of stopped.leftovers) stderr.write(`${context.paint('yellow', 'warning:')} left behind: ${leftover}\n`)
    if (!stopped.wasRunning) stdout.write(`no daemon runs at ${context.instance.socketPath}\n`)
    else if (flags['keep-containers'])
      stdout.write('stopped; containers go on, but cannot look up names before the next daemon starts\n')
    else
      stdout.write(
        `stopped, with ${counted(stopped.stoppedContainers, 'container')}; images and volumes stay in ${context.instance.root}, for the next start\n`,
      )
    return stopped.leftovers.length === 0 ? 0 : 1
  },
})
