import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import type { Bench, Case } from './why-cases.ts'

const IDLE = ['busybox', 'sleep', '1000']
const sh = (...lines: readonly string[]) => ['busybox', 'sh', '-c', lines.join('; ')]
const create = async ({ must }: Bench, name: string, ...words: readonly string[]) =>
  await must('service', 'create', '-d', '-q', '--no-resolve-image', '--stop-grace-period', '1ms', '--name', name, ...words)

/** These run, and not as they should. */
export const LIVES: readonly Case[] = [
  {
    title: 'a secret that is not there any more',
    name: 'keyless',
    cause: async () => await Promise.resolve(),
    code: 'start.secret_missing',
    sentence: /^keyless\.1 cannot start: there is no secret pin\b/,
    evidence: /secret pin, which is to be at \/run\/secrets\/pin, not found/,
  },
  {
    title: 'a health check that fails',
    name: 'sick',
    cause: async (bench) =>
      await create(
        bench,
        'sick',
        '--health-cmd',
        'echo not today; exit 1',
        '--health-interval',
        '200ms',
        '--health-retries',
        '2',
        ...IDLE,
      ),
    code: 'health.unhealthy',
    sentence: /^sick\.1 is (?:unhealthy: not today|stopped and started again because it is unhealthy)/,
    evidence: /^the check says: not today/,
  },
  {
    title: 'a container that is unhealthy',
    name: 'ill',
    cause: async ({ must }) =>
      await must(
        'run',
        '-d',
        '--stop-timeout',
        '1',
        '--name',
        'ill',
        '--health-cmd',
        'echo no pulse; exit 4',
        '--health-interval',
        '200ms',
        '--health-retries',
        '1',
        ...IDLE,
      ),
    code: 'health.unhealthy',
    sentence: /^ill is unhealthy: no pulse\.$/,
    evidence: /^the check says: no pulse \(exit code 4\)$/,
  },
  {
    title: 'one that does not end when it is told to',
    name: 'deaf',
    cause: async ({ must }) => {
      await must('run', '-d', '--stop-timeout', '1', '--name', 'deaf', ...sh('trap "" TERM', 'while true; do sleep 0.1; done'))
      await must('stop', '-t', '1', 'deaf')
    },
    code: 'stop.killed',
    sentence: /^deaf did not end within 1(?:\.\d)? s of SIGTERM and was killed\.$/,
    evidence: /then SIGKILL: exit code 137/,
  },
  {
    title: 'a name with a slip',
    name: 'asker',
    cause: async ({ must, docker }) => {
      await must('network', 'create', '--subnet', '10.253.78.0/24', 'mesh')
      await must('run', '-d', '--stop-timeout', '1', '--name', 'database', '--network', 'mesh', ...IDLE)
      await docker('run', '--name', 'asker', '--network', 'mesh', 'busybox', 'wget', '-qO-', 'http://databse/')
    },
    code: 'name.unknown',
    sentence: /^asker asks for databse, and nobody has that name: database is near\.$/,
    evidence: /^names on its networks: .*database/,
  },
  {
    title: 'a program that says that it does not find a name',
    name: 'asker',
    cause: async () => await Promise.resolve(),
    code: 'end.name_unknown',
    sentence: /^asker ended because it does not find a host by its name \(databse\)\.$/,
    evidence: /^log: .*databse/,
  },
  {
    title: 'a file that was taken away under a container',
    name: 'rooted',
    cause: async ({ must, directory }) => {
      const file = join(directory, 'settings.conf')
      writeFileSync(file, 'colour = blue\n')
      await must('run', '-d', '--stop-timeout', '1', '--name', 'rooted', '-v', `${file}:/etc/settings.conf`, ...IDLE)
      rmSync(file)
    },
    code: 'mount.source_gone',
    sentence:
      /^rooted will not start again: \S+\/settings\.conf, which it has at \/etc\/settings\.conf, is gone from the host\.$/,
    evidence: /not there any more/,
  },
  {
    title: 'a container that stands still',
    name: 'still',
    cause: async ({ must }) => {
      await must('run', '-d', '--stop-timeout', '1', '--name', 'still', ...IDLE)
      await must('pause', 'still')
    },
    code: 'container.paused',
    sentence: /^still is paused: its processes stand still\.$/,
    evidence: /^state paused$/,
  },
  {
    title: 'a port of the router that a foreign process has',
    name: 'blocked',
    cause: async (bench) => await create(bench, 'blocked', '-p', `${await bench.takenPort()}:80`, ...IDLE),
    code: 'route.port_in_use',
    sentence: /^port \d+, which leads to blocked, is not served: the port is in use by \S+ \(process \d+\)\.$/,
    evidence: /is in use by/,
  },
  {
    title: 'a route with nobody behind it',
    name: 'lonely',
    cause: async (bench) => await create(bench, 'lonely', '-p', `${await bench.freePort()}:80`, ...sh('exit 9')),
    code: 'route.no_backend',
    sentence: /^port \d+ has nobody to answer: no task of lonely is ready\.$/,
    evidence: /^it comes from this: lonely\.1 ended with exit code 9/,
  },
  {
    title: 'an update that failed and stands still',
    name: 'halted',
    cause: async (bench) => await update(bench, 'halted', 'pause'),
    code: 'rollout.paused',
    sentence: /^The rollout of halted to revision 2 is paused: 1 new task failed: exit code 7\.$/,
    evidence: /^revision 1 to 2: /,
  },
  {
    title: 'an update that failed and went back',
    name: 'returned',
    cause: async (bench) => await update(bench, 'returned', 'rollback'),
    code: 'rollout.rolled_back',
    sentence: /^returned (?:was|is being) rolled back from revision 2 to 1: 1 new task failed: exit code 7\.$/,
    evidence: /^revision 2 to 1: /,
  },
  {
    title: 'a job whose last run failed',
    name: 'nightly',
    cause: async (bench) =>
      await create(
        bench,
        'nightly',
        '--mode',
        'replicated-job',
        '--restart-condition',
        'none',
        ...sh('echo no backup today', 'exit 2'),
      ),
    code: 'job.failed',
    sentence: /^The last run of nightly failed: nightly\.1 ended with exit code 2\.$/,
    evidence: /^log: no backup today$/,
  },
  {
    title: 'an application for which no subnet is left',
    name: 'poor/web',
    cause: async ({ must, up }) => {
      await must('network', 'create', 'last')
      await up('poor', 'services: { web: { image: busybox, command: sleep 1000, stop_grace_period: 1ms } }')
    },
    code: 'network.pools_used_up',
    sentence: /^poor\/web\.1 cannot start: there is no subnet left for its network/,
    evidence: /all predefined address pools have been fully subnetted/,
  },
  {
    title: 'address pools that are used up',
    name: '',
    cause: async () => await Promise.resolve(),
    code: 'network.pools_used_up',
    sentence: /^No subnet is left for a new network: 2 subnets of the address pools are in use\.$/,
    evidence: /^pools: 2 networks of \/25 from 10\.253\.76\.0$/,
  },
]

async function update(bench: Bench, name: string, action: string): Promise<void> {
  const words = ['--update-failure-action', action, '--update-monitor', '2s', '--restart-condition', 'none']
  await create(bench, name, ...words, ...IDLE)
  await bench.must('service', 'update', '-d', '-q', '--no-resolve-image', '--args', 'sh -c "exit 7"', name)
}
