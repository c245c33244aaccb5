import type { Command, Group, TableEntry } from './command.ts'

const entry = (group: Group, name: string, summary: string, load: () => Promise<Command>): TableEntry => ({
  group,
  name,
  summary,
  load,
})

/** Every command: its words, its one line in the overview, and where it is. */
export const commandTable: readonly TableEntry[] = [
  entry(
    'Applications',
    'up',
    'Build and start an application from its Compose file',
    async () => (await import('./commands/up.ts')).up,
  ),
  entry('Applications', 'down', 'Stop and remove an application', async () => (await import('./commands/down.ts')).down),
  entry(
    'Applications',
    'status',
    'Show what an application is doing, and why it is not ready',
    async () => (await import('./commands/status.ts')).status,
  ),
  entry('Applications', 'build', 'Build an image from a Dockerfile', async () => (await import('./commands/build.ts')).build),

  entry('Containers', 'run', 'Create and start a container', async () => (await import('./commands/run.ts')).run),
  entry('Containers', 'ps', 'List containers', async () => (await import('./commands/ps.ts')).ps),
  entry('Containers', 'logs', 'Show what a container wrote', async () => (await import('./commands/logs.ts')).logs),
  entry('Containers', 'exec', 'Run a command inside a running container', async () => (await import('./commands/exec.ts')).exec),
  entry('Containers', 'start', 'Start containers', async () => (await import('./commands/start.ts')).start),
  entry('Containers', 'stop', 'Stop containers', async () => (await import('./commands/stop.ts')).stop),
  entry('Containers', 'rm', 'Remove containers', async () => (await import('./commands/rm.ts')).rm),
  entry('Containers', 'cp', 'Copy files in and out of a container', async () => (await import('./commands/cp.ts')).cp),
  entry('Containers', 'commit', 'Make an image of a container', async () => (await import('./commands/commit.ts')).commit),
  entry('Containers', 'diff', 'Show what a container changed', async () => (await import('./commands/diff.ts')).diff),

  entry('Images', 'image ls', 'List images', async () => (await import('./commands/image-ls.ts')).imageLs),
  entry(
    'Images',
    'image bootstrap',
    'Make a base image from Debian packages',
    async () => (await import('./commands/image-bootstrap.ts')).imageBootstrap,
  ),
  entry(
    'Images',
    'image pull',
    'Fetch images from their registries',
    async () => (await import('./commands/image-pull.ts')).imagePull,
  ),
  entry(
    'Images',
    'image push',
    'Send images to their registries',
    async () => (await import('./commands/image-push.ts')).imagePush,
  ),
  entry('Images', 'image load', 'Read images from an archive', async () => (await import('./commands/image-load.ts')).imageLoad),
  entry('Images', 'image save', 'Write images into an archive', async () => (await import('./commands/image-save.ts')).imageSave),
  entry(
    'Images',
    'image import',
    'Make an image from a tarball of a root file system',
    async () => (await import('./commands/image-import.ts')).imageImport,
  ),
  entry(
    'Images',
    'image history',
    'Show the layers of an image',
    async () => (await import('./commands/image-history.ts')).imageHistory,
  ),
  entry('Images', 'image tag', 'Give an image another name', async () => (await import('./commands/image-tag.ts')).imageTag),
  entry('Images', 'image rm', 'Remove images', async () => (await import('./commands/image-rm.ts')).imageRm),

  entry(
    'Understanding',
    'anatomy',
    'Take a container apart on one page',
    async () => (await import('./commands/anatomy.ts')).anatomy,
  ),
  entry(
    'Understanding',
    'top',
    "Containers' processes as the host sees them",
    async () => (await import('./commands/top.ts')).top,
  ),
  entry(
    'Understanding',
    'inspect',
    'Everything the daemon knows of containers or images, as JSON',
    async () => (await import('./commands/inspect.ts')).inspect,
  ),
  entry('Understanding', 'events', 'Follow what happens', async () => (await import('./commands/events.ts')).events),
  entry('Understanding', 'doctor', 'Examine this host', async () => (await import('./commands/doctor.ts')).doctor),

  entry('The daemon', 'daemon', 'Run the daemon in the foreground', async () => (await import('./commands/daemon.ts')).daemon),
  entry(
    'The daemon',
    'daemon start',
    'Start the daemon in the background',
    async () => (await import('./commands/daemon-start.ts')).daemonStart,
  ),
  entry(
    'The daemon',
    'daemon stop',
    'Stop the daemon and every container it runs',
    async () => (await import('./commands/daemon-stop.ts')).daemonStop,
  ),
  entry(
    'The daemon',
    'daemon certificates',
    'Make certificates for a daemon that listens on TCP',
    async () => (await import('./commands/daemon-certificates.ts')).daemonCertificates,
  ),
  entry(
    'The daemon',
    'daemon status',
    'Say whether the daemon runs',
    async () => (await import('./commands/daemon-status.ts')).daemonStatus,
  ),
  entry(
    'The daemon',
    'system gc',
    'Show which unused images go by themselves, what went and why',
    async () => (await import('./commands/system-gc.ts')).systemGc,
  ),
  entry('The daemon', 'info', 'What the daemon and its host are', async () => (await import('./commands/system-facts.ts')).info),
  entry('The daemon', 'version', 'Versions of client and daemon', async () => (await import('./commands/version.ts')).version),
  entry(
    'The daemon',
    'completion',
    'Completion script for bash, zsh or fish',
    async () => (await import('./commands/completion.ts')).completion,
  ),
]

/** Old habits: the words that the docker CLI has for the same thing. */
export const ALIASES: Readonly<Record<string, string>> = {
  images: 'image ls',
  rmi: 'image rm',
  pull: 'image pull',
  push: 'image push',
  load: 'image load',
  save: 'image save',
  import: 'image import',
  tag: 'image tag',
  history: 'image history',
  'image list': 'image ls',
  'image remove': 'image rm',
  'image build': 'build',
}
