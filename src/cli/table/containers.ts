import type { TableEntry } from '../command.ts'
import { entry } from './entry.ts'

/** Commands about containers, each under both of its names: `ps` and `container ls`. */
export const containerEntries: readonly TableEntry[] = [
  entry('Containers', 'run', 'Create and start a container', async () => (await import('../commands/run.ts')).run, [
    'container run',
  ]),
  entry('Containers', 'ps', 'List containers', async () => (await import('../commands/ps.ts')).ps, [
    'container ls',
    'container list',
    'container ps',
  ]),
  entry('Containers', 'logs', 'Show what a container wrote', async () => (await import('../commands/logs.ts')).logs, [
    'container logs',
  ]),
  entry(
    'Containers',
    'exec',
    'Run a command inside a running container',
    async () => (await import('../commands/exec.ts')).exec,
    ['container exec'],
  ),
  entry('Containers', 'attach', 'Join a running container', async () => (await import('../commands/attach.ts')).attach, [
    'container attach',
  ]),
  entry(
    'Containers',
    'create',
    'Create a container without starting it',
    async () => (await import('../commands/create.ts')).create,
    ['container create'],
  ),
  entry('Containers', 'start', 'Start containers', async () => (await import('../commands/start.ts')).start, ['container start']),
  entry('Containers', 'stop', 'Stop containers', async () => (await import('../commands/stop.ts')).stop, ['container stop']),
  entry(
    'Containers',
    'restart',
    'Stop containers and start them again',
    async () => (await import('../commands/restart.ts')).restart,
    ['container restart'],
  ),
  entry('Containers', 'kill', 'Send a signal to containers', async () => (await import('../commands/kill.ts')).kill, [
    'container kill',
  ]),
  entry(
    'Containers',
    'pause',
    'Hold all processes of containers still, or services as they are',
    async () => (await import('../commands/pause.ts')).pause,
  ),
  entry(
    'Containers',
    'container pause',
    'Hold all processes of containers still',
    async () => (await import('../commands/pause.ts')).containerPause,
  ),
  entry(
    'Containers',
    'unpause',
    'Let the processes of paused containers go on',
    async () => (await import('../commands/pause.ts')).unpause,
    ['container unpause'],
  ),
  entry('Containers', 'wait', 'Wait until containers have ended', async () => (await import('../commands/wait.ts')).wait, [
    'container wait',
  ]),
  entry('Containers', 'rename', 'Give a container another name', async () => (await import('../commands/rename.ts')).rename, [
    'container rename',
  ]),
  entry(
    'Containers',
    'update',
    'Change limits and restart policy of containers',
    async () => (await import('../commands/update.ts')).update,
    ['container update'],
  ),
  entry('Containers', 'rm', 'Remove containers', async () => (await import('../commands/rm.ts')).rm, [
    'container rm',
    'container remove',
  ]),
  entry(
    'Containers',
    'container prune',
    'Remove all containers that do not run',
    async () => (await import('../commands/prune.ts')).containerPrune,
  ),
  entry('Containers', 'cp', 'Copy files in and out of a container', async () => (await import('../commands/cp.ts')).cp, [
    'container cp',
  ]),
  entry(
    'Containers',
    'container diff',
    'Show what a container changed in its files',
    async () => (await import('../commands/diff.ts')).containerDiff,
  ),
  entry('Containers', 'commit', 'Make an image of a container', async () => (await import('../commands/commit.ts')).commit, [
    'container commit',
  ]),
  entry(
    'Containers',
    'export',
    'Write the file system of a container into an archive',
    async () => (await import('../commands/export.ts')).exportContainer,
    ['container export'],
  ),
  entry(
    'Containers',
    'port',
    'Show where the ports of a container are published',
    async () => (await import('../commands/port.ts')).port,
    ['container port'],
  ),
  entry('Containers', 'stats', 'Show what containers use', async () => (await import('../commands/stats.ts')).stats, [
    'container stats',
  ]),
  entry(
    'Containers',
    'top',
    "Containers' processes as the host sees them",
    async () => (await import('../commands/top.ts')).top,
    ['container top'],
  ),
  entry(
    'Containers',
    'container inspect',
    'Everything the daemon knows of containers',
    async () => (await import('../commands/container-inspect.ts')).containerInspect,
  ),
]
