import { join } from 'node:path'

import type { Expected } from '../support/why.ts'

/** What a fault is caused with. */
export interface Bench {
  /** The docker command line; another exit code than 0 is an error. */
  readonly must: (...args: readonly string[]) => Promise<string>
  /** As `must`, for what fails with the fault. */
  readonly docker: (...args: readonly string[]) => Promise<unknown>
  readonly directory: string
  /** Of registries of the test: without the image, without access for us, with a certificate of nobody. */
  readonly registries: { readonly empty: string; readonly closed: string; readonly untrusted: () => Promise<string> }
  /** A port that the test itself listens on. */
  readonly takenPort: () => Promise<number>
  readonly freePort: () => Promise<number>
  readonly api: (method: string, path: string, body: unknown) => Promise<void>
  /** Brings up an application from this file, without waiting for it. */
  readonly up: (name: string, file: string) => Promise<void>
  readonly glovebox: (...words: readonly string[]) => Promise<unknown>
  /** Ends a process of the host. */
  readonly kill: (pid: number) => void
}

export interface Case extends Expected {
  readonly title: string
  /** Who is asked about. */
  readonly name: string
  readonly cause: (bench: Bench) => Promise<unknown>
}

const service =
  (name: string, ...words: readonly string[]) =>
  async ({ must }: Bench) =>
    await must('service', 'create', '-d', '-q', '--no-resolve-image', '--stop-grace-period', '1ms', '--name', name, ...words)
const container =
  (name: string, ...words: readonly string[]) =>
  async ({ docker }: Bench) =>
    await docker('run', '-d', '--stop-timeout', '1', '--name', name, ...words)
const sh = (...lines: readonly string[]) => ['busybox', 'sh', '-c', lines.join('; ')]
const IDLE = ['busybox', 'sleep', '1000']

/** Nobody takes these tasks. */
export const PLACES: readonly Case[] = [
  {
    title: 'a label that no node has',
    name: 'labelled',
    cause: service('labelled', '--constraint', 'node.labels.zone==a', ...IDLE),
    code: 'place.constraint',
    sentence: /^labelled\.1 has no node: node\.labels\.zone == a: .*none/,
    evidence: /refused by a constraint/,
  },
  {
    title: 'more processors than there are',
    name: 'wide',
    cause: service('wide', '--reserve-cpu', '640', ...IDLE),
    code: 'place.cpu',
    sentence: /^wide\.1 has no node: 640 CPUs needed/,
    evidence: /too small even when empty/,
  },
  {
    title: 'more memory than there is',
    name: 'deep',
    cause: service('deep', '--reserve-memory', '900G', ...IDLE),
    code: 'place.memory',
    sentence: /^deep\.1 has no node: .* of memory needed/,
    evidence: /refused by the memory that is reserved/,
  },
  {
    title: 'a port of the host that another task has',
    name: 'second',
    cause: async (bench) => {
      const port = await bench.freePort()
      const published = ['--publish', `mode=host,target=80,published=${port}`]
      await service('first', ...published, ...IDLE)(bench)
      await service('second', ...published, ...IDLE)(bench)
    },
    code: 'place.host_port',
    sentence: /^(?:second|first)\.1 has no node: port \d+\/tcp is taken on \S+ by (?:first|second)/,
    evidence: /refused by a port of the host/,
  },
  {
    title: 'more replicas than may be on one node',
    name: 'sparse',
    cause: service('sparse', '--replicas', '2', '--replicas-max-per-node', '1', ...IDLE),
    code: 'place.max_per_node',
    sentence: /^sparse\.\d has no node: 1 node has 1 of sparse already/,
    evidence: /refused by the most replicas for one node/,
  },
  {
    title: 'an image for another platform',
    name: 'foreign',
    cause: async ({ api }) =>
      await api('POST', '/services/create', {
        Name: 'foreign',
        TaskTemplate: {
          ContainerSpec: { Image: 'busybox' },
          Placement: { Platforms: [{ OS: 'linux', Architecture: 'riscv64' }] },
        },
      }),
    code: 'place.platform',
    sentence: /^foreign\.1 has no node: linux\/riscv64 is wanted/,
    evidence: /refused by the platform/,
  },
  {
    title: 'a volume that is on a node that is away',
    name: 'archive',
    cause: service('archive', '--mount', 'type=volume,source=far,target=/data', ...IDLE),
    code: 'place.volume',
    sentence: /^archive\.1 has no node: volume far is only on elsewhere/,
    evidence: /refused by a volume that is elsewhere/,
  },
  {
    title: 'a node that is away',
    name: 'elsewhere',
    cause: async () => await Promise.resolve(),
    code: 'node.down',
    sentence: /^Node elsewhere is down/,
    evidence: /state down/,
  },
]

/** These images cannot be had. */
export const IMAGES: readonly Case[] = [
  {
    title: 'a registry without the image',
    name: 'absent',
    cause: async (bench) => await service('absent', `${bench.registries.empty}/app:1`)(bench),
    code: 'image.not_found',
    sentence: /^absent cannot run: the registry has no image 127\.0\.0\.1:\d+\/app:1\./,
    evidence: /^registry\.manifest_unknown: /,
  },
  {
    title: 'a registry that does not let us in',
    name: 'secretive',
    cause: async (bench) => await service('secretive', `${bench.registries.closed}/app:1`)(bench),
    code: 'image.denied',
    sentence: /^secretive cannot run: the registry does not give 127\.0\.0\.1:\d+\/app:1 to us\./,
    evidence: /^registry\.\w+: /,
  },
  {
    title: 'a registry with a certificate of nobody',
    name: 'untrusted',
    cause: async (bench) => await service('untrusted', `${await bench.registries.untrusted()}/app:1`)(bench),
    code: 'image.certificate',
    sentence: /^untrusted cannot run: the registry of \S+ has a certificate that this machine does not trust\./,
    evidence: /^registry\.certificate_invalid: /,
  },
  {
    title: 'a registry that is nowhere',
    name: 'nowhere',
    cause: service('nowhere', 'registry.invalid/app:1'),
    code: 'image.unreachable',
    sentence: /^nowhere cannot run: the registry of registry\.invalid\/app:1 cannot be reached\./,
    evidence: /^registry\.unreachable: /,
  },
]

/** These end, or do not start. */
export const ENDS: readonly Case[] = [
  {
    title: 'a row of ends with an exit code',
    name: 'crashing',
    cause: service('crashing', ...sh('echo cannot read the configuration', 'exit 3')),
    code: 'end.exit_code',
    sentence: /^crashing\.1 ended with exit code 3\b/,
    evidence: /^log: cannot read the configuration$/,
  },
  {
    title: 'more memory than the limit',
    name: 'hungry',
    cause: service('hungry', '--limit-memory', '16M', ...sh('sleep 0.5', 'a=x', 'while true; do a=$a$a; done')),
    code: 'end.out_of_memory',
    sentence: /^hungry\.1 was killed because it needed more memory than its limit of 16 MiB/,
    evidence: /^memory: .*, 1\d(?:\.\d)? MiB within /,
  },
  {
    title: 'a command that is not in the image',
    name: 'missing',
    cause: service('missing', 'busybox', 'nosuchprogram'),
    code: 'end.command_not_found',
    sentence: /^missing\.1 cannot start: its command nosuchprogram is not in the image busybox:latest/,
    evidence: /executable file not found in \$PATH/,
  },
  {
    title: 'a file that may not be executed',
    name: 'plain',
    cause: service('plain', 'busybox', '/etc/notes'),
    code: 'end.not_executable',
    sentence: /^plain\.1 cannot start: its command \/etc\/notes may not be executed/,
    evidence: /permission denied/i,
  },
  {
    title: 'a script that runs what is not there',
    name: 'script',
    cause: container('script', ...sh('nosuchthing --now')),
    code: 'end.command_not_found',
    sentence: /^script ended with exit code 127: a command that it runs was not found\./,
    evidence: /^log: .*nosuchthing/,
  },
  {
    title: 'a program for another processor',
    name: 'arm',
    cause: container('arm', 'busybox', '/bin/foreign'),
    code: 'end.wrong_architecture',
    sentence: /^arm cannot run: \/bin\/foreign is no program for this kind of processor\./,
    evidence: /exec format error/i,
  },
  {
    title: 'a script whose interpreter is not in the image',
    name: 'scripted',
    cause: container('scripted', 'busybox', '/bin/scripted'),
    code: 'end.command_not_found',
    sentence: /^scripted cannot run: \/bin\/scripted is there, but not the interpreter or library that it needs\.$/,
    evidence: /no such file or directory/i,
  },
  {
    title: 'an image that was removed',
    name: 'bare/web',
    cause: async ({ must, up, glovebox, directory }) => {
      await must('import', '-c', 'ENV PATH=/bin SPARE=yes', join(directory, 'busybox.tar'), 'spare:1')
      await up('bare', 'services: { web: { image: spare:1, command: sleep 1000, network_mode: none, deploy: { replicas: 0 } } }')
      await must('rmi', 'spare:1')
      await glovebox('scale', '--detach', 'bare/web=1')
    },
    code: 'start.image_gone',
    sentence: /^bare\/web\.1 cannot start: its image spare:1 is not here any more/,
    evidence: /No such image/,
  },
  {
    title: 'an end with 0 of what is to run on',
    name: 'brief',
    cause: service('brief', 'busybox', 'true'),
    code: 'end.too_soon',
    sentence: /^brief\.1 ended with exit code 0 .*though it is wanted to run on/,
    evidence: /in a row|started again/,
  },
  {
    title: 'a root file system that is read-only',
    name: 'frozen',
    cause: container('frozen', '--read-only', ...sh('echo x > /state')),
    code: 'end.read_only',
    sentence: /^frozen ended because it writes where it may only read: its root file system is read-only \(\/state\)\./,
    evidence: /^log: .*Read-only file system/,
  },
  {
    title: 'a volume without room',
    name: 'stuffed',
    cause: async (bench) => {
      await bench.must('volume', 'create', '--opt', 'type=tmpfs', '--opt', 'device=tmpfs', '--opt', 'o=size=256k', 'small')
      await container('stuffed', '-v', 'small:/data', ...sh('dd if=/dev/zero of=/data/file bs=4k'))(bench)
    },
    code: 'end.disk_full',
    sentence: /^stuffed ended because the volume small at \/data is full\./,
    evidence: /^log: .*No space left on device/,
  },
  {
    title: 'a volume that is full while its user runs',
    name: 'filler',
    cause: async (bench) => {
      await bench.must('volume', 'create', '--opt', 'type=tmpfs', '--opt', 'device=tmpfs', '--opt', 'o=size=256k', 'tight')
      await container('filler', '-v', 'tight:/data', ...sh('dd if=/dev/zero of=/data/file bs=4k', 'sleep 1000'))(bench)
    },
    code: 'volume.full',
    sentence: /^The volume tight of filler is full\./,
    evidence: /^\/data: 0 B of 256 KiB left$/,
  },
  {
    title: 'a child that the kernel killed for its memory',
    name: 'parent',
    cause: container('parent', '--memory', '16m', ...sh('(a=x; while true; do a=$a$a; done)', 'sleep 1000')),
    code: 'memory.process_killed',
    sentence: /^parent runs, but the kernel killed 1 process of it for want of memory\./,
    evidence: /^limit 16 MiB$/,
  },
  {
    title: 'a port inside its own network that is taken',
    name: 'twin',
    cause: async (bench) => {
      await container('elder', 'busybox', 'httpd', '-f', '-p', '80')(bench)
      await container('twin', '--network', 'container:elder', ...sh('sleep 0.3', 'exec httpd -f -p 80'))(bench)
    },
    code: 'end.port_in_use',
    sentence: /^twin ended because the port that it wants to listen on is in use inside its own network\./,
    evidence: /^log: .*in use/i,
  },
  {
    title: 'an unknown hand that kills',
    name: 'victim',
    cause: async (bench) => {
      await container('victim', ...IDLE)(bench)
      bench.kill(Number(await bench.must('inspect', '-f', '{{.State.Pid}}', 'victim')))
    },
    code: 'end.killed',
    sentence: /^victim was killed \(exit code 137\), and neither by us nor for want of its own memory\./,
    evidence: /^exit code 137 after /,
  },
  {
    title: 'a signal of its own making',
    name: 'aborter',
    cause: container('aborter', '--init', ...sh('kill -ABRT $$')),
    code: 'end.signal',
    sentence: /^aborter ended by a signal \(exit code 134, SIGABRT/,
    evidence: /^exit code 134/,
  },
  {
    title: 'one that restarts over and over',
    name: 'stubborn',
    cause: container('stubborn', '--restart', 'always', ...sh('echo no way', 'exit 5')),
    code: 'end.exit_code',
    sentence: /^stubborn ended with exit code 5/,
    evidence: /^restart policy always: restarted \d+ times?$/,
  },
  {
    title: 'a source of a mount that is not there',
    name: 'bound',
    cause: service('bound', '--mount', 'type=bind,src=/no/such/place,dst=/x', ...IDLE),
    code: 'start.mount_source_missing',
    sentence: /^bound\.1 cannot start: \/no\/such\/place is not there on the host\b/,
    evidence: /bind source path does not exist/,
  },
  {
    title: 'a user that the image does not have',
    name: 'nobodys',
    cause: container('nobodys', '--user', 'hermione', ...IDLE),
    code: 'start.user_unknown',
    sentence: /^nobodys cannot start: there is no user hermione in its image\./,
    evidence: /unable to find user hermione/,
  },
  {
    title: 'a port of the host that a foreign process has',
    name: 'refused',
    cause: async (bench) => await container('refused', '-p', `${await bench.takenPort()}:80`, ...IDLE)(bench),
    code: 'start.port_in_use',
    sentence: /^refused cannot start: port \d+ of the host is in use \(a process of this host has it\)\./,
    evidence: /port is already allocated/,
  },
  {
    title: 'a network without a free address',
    name: 'late',
    cause: async (bench) => {
      await bench.must('network', 'create', '--subnet', '10.253.77.0/30', 'tiny')
      await container('early', '--network', 'tiny', ...IDLE)(bench)
      await container('late', '--network', 'tiny', ...IDLE)(bench)
    },
    code: 'start.addresses_used_up',
    sentence: /^late cannot start: network tiny has no address left\./,
    evidence: /no available IPv4 addresses/,
  },
]
