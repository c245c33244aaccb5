import {
  alsoCalled,
  bytes,
  choice,
  duration,
  type FlagValues,
  isOn,
  isSet,
  list,
  naming,
  number,
  refused,
  text,
} from '../args/flags.ts'

const WINDOWS = 'it is for containers of Windows'
const TRUST = 'signatures of images are not checked; pull by digest to pin what you run'

const processFlags = {
  env: list('NAME=VALUE', 'Environment; NAME alone takes the value from here', 'e'),
  'env-file': naming('file', list('FILE', 'Environment from a file of NAME=VALUE lines')),
  workdir: text('DIR', 'Working directory', 'w'),
  user: text('USER[:GROUP]', 'Who the process is', 'u'),
  'group-add': list('GROUP', 'Further groups'),
  entrypoint: text('PROGRAM', "Instead of the image's"),
  hostname: text('NAME', 'Host name inside', 'h'),
  domainname: text('NAME', 'Domain name inside'),
  label: list('NAME=VALUE', 'Label', 'l'),
  'label-file': naming('file', list('FILE', 'Labels from a file of NAME=VALUE lines')),
  annotation: list('NAME=VALUE', 'Annotation of the OCI specification'),
  init: isSet('A small init as process 1, which reaps'),
  'stop-signal': text('SIGNAL', 'How stop asks'),
  'stop-timeout': number('S', 'Seconds that stop waits'),
  restart: text('POLICY', 'no, always, unless-stopped, on-failure[:N]'),
  'log-driver': text('DRIVER', 'Where its output is kept: json-file, local or none'),
  'log-opt': list('NAME=VALUE', 'Option of the log driver: max-size, max-file'),
} as const

const storageFlags = {
  volume: list('SOURCE:TARGET[:ro]', 'Mount a directory or a volume', 'v'),
  'volume-driver': text('DRIVER', 'Driver of the volumes that are made'),
  mount: list('KEY=VALUE,...', 'The same, spelled out: type=bind|volume|tmpfs,source=,target=,readonly'),
  tmpfs: list('DIR[:OPTIONS]', 'Mount a file system in memory'),
  'volumes-from': naming('container', list('CONTAINER[:ro]', 'Mount what that container has mounted')),
  'storage-opt': list('NAME=VALUE', 'Option of the layer that it writes to'),
  'read-only': isSet('Root file system read-only'),
} as const

const networkFlags = {
  publish: list('[IP:][HOST:]PORT[/PROTO]', 'Publish a port on the host', 'p'),
  'publish-all': isSet('Publish every exposed port on a free one', 'P'),
  expose: list('PORT[/PROTO]', 'Say that the container listens there'),
  network: alsoCalled(
    naming('network', list('NETWORK', 'bridge, none, host, container:NAME, a network, or name=NET,alias=,ip=,mac-address=')),
    'net',
  ),
  'network-alias': alsoCalled(list('NAME', 'Further name on the network'), 'net-alias'),
  ip: text('ADDRESS', 'IPv4 address on the network'),
  ip6: text('ADDRESS', 'IPv6 address on the network'),
  'link-local-ip': list('ADDRESS', 'Link-local address on the network'),
  link: naming('container', list('CONTAINER[:NAME]', 'Know another container by a name')),
  'mac-address': text('ADDRESS', 'Hardware address'),
  dns: list('ADDRESS', 'Name server'),
  'dns-search': list('DOMAIN', 'Search domain'),
  'dns-option': alsoCalled(list('OPTION', 'Resolver option'), 'dns-opt'),
  'add-host': list('NAME:IP', 'Line in /etc/hosts'),
} as const

/** Those that `update` changes as well. */
export const limitFlags = {
  memory: bytes('Memory limit', 'm'),
  'memory-swap': text('SIZE', 'Memory and swap together; -1 for no limit'),
  'memory-reservation': bytes('Memory that is left to it under pressure'),
  cpus: number('N', 'CPU limit in CPUs, such as 1.5'),
  'cpu-shares': number('N', 'Weight against others', 'c'),
  'cpu-period': number('US', 'Length of a period in microseconds'),
  'cpu-quota': number('US', 'CPU time in each period'),
  'cpu-rt-period': number('US', 'Length of a real-time period in microseconds'),
  'cpu-rt-runtime': number('US', 'Real-time CPU time in each period'),
  'cpuset-cpus': text('LIST', 'Only these CPUs: 0-2,4'),
  'cpuset-mems': text('LIST', 'Only these memory nodes'),
  'pids-limit': number('N', 'Most processes; -1 for no limit'),
  'blkio-weight': number('N', 'Weight of block I/O, 10 to 1000'),
} as const

const resourceFlags = {
  ...limitFlags,
  'memory-swappiness': number('N', 'How readily its memory is swapped, 0 to 100'),
  'kernel-memory': bytes('Kernel memory limit'),
  'oom-kill-disable': isSet('Not killed when memory runs out'),
  'oom-score-adj': number('N', 'Whom the kernel kills first, -1000 to 1000'),
  'blkio-weight-device': list('DEVICE:N', 'Weight of block I/O on a device'),
  'device-read-bps': list('DEVICE:RATE', 'Most bytes read from a device a second'),
  'device-write-bps': list('DEVICE:RATE', 'Most bytes written to a device a second'),
  'device-read-iops': list('DEVICE:N', 'Most reads from a device a second'),
  'device-write-iops': list('DEVICE:N', 'Most writes to a device a second'),
  'shm-size': bytes('Size of /dev/shm'),
  ulimit: list('NAME=SOFT[:HARD]', 'Resource limit of the process'),
  sysctl: list('NAME=VALUE', 'Kernel parameter of its namespaces'),
  'cgroup-parent': text('PATH', 'Control group to live under'),
} as const

const securityFlags = {
  privileged: isSet('Everything that this host can give'),
  'cap-add': list('CAP', 'Give a capability'),
  'cap-drop': list('CAP', 'Take a capability'),
  'security-opt': list('OPTION', 'no-new-privileges, seccomp=FILE|unconfined, systempaths=unconfined'),
  device: list('HOST[:INSIDE[:rwm]]', 'Give a device'),
  'device-cgroup-rule': list('RULE', 'Such as: c 42:* rmw'),
  gpus: text('all|N|KEY=VALUE,...', 'Give graphics processors'),
  pid: text('MODE', 'host or container:NAME'),
  ipc: text('MODE', 'private, shareable, host, none or container:NAME'),
  uts: text('MODE', 'host'),
  userns: text('MODE', 'host'),
  cgroupns: choice(['host', 'private'], 'Namespace of control groups'),
  runtime: text('NAME', 'Program that makes the container'),
} as const

const healthFlags = {
  'health-cmd': text('COMMAND', 'Health check'),
  'health-interval': duration('Time between checks'),
  'health-timeout': duration('Time that one check may take'),
  'health-retries': number('N', 'Failures until unhealthy'),
  'health-start-period': duration('Time in which failures do not count'),
  'health-start-interval': duration('Time between checks in the start period'),
  'no-healthcheck': isSet("Without the image's health check"),
} as const

const refusedFlags = {
  'disable-content-trust': refused(TRUST, false),
  'cpu-count': refused(WINDOWS),
  'cpu-percent': refused(WINDOWS),
  'io-maxbandwidth': refused(WINDOWS),
  'io-maxiops': refused(WINDOWS),
  isolation: refused(WINDOWS),
  'use-api-socket': refused('it would give the container your registry passwords; mount the socket with -v', false),
} as const

/** Flags that make the container: the same words as docker run and docker create. */
export const createFlags = {
  name: text('NAME', 'Name of the container'),
  interactive: isSet('Hand on the standard input', 'i'),
  tty: isSet('Give it a terminal', 't'),
  attach: list('STREAM', 'Join stdin, stdout or stderr only', 'a'),
  rm: isSet('Remove it when it ends'),
  cidfile: naming('file', text('FILE', 'Write its id there')),
  platform: text('OS/ARCH', 'Platform of the image'),
  pull: choice(['missing', 'always', 'never'], 'When to fetch the image (default missing)'),
  quiet: isSet('Say nothing of the fetching', 'q'),
  ...processFlags,
  ...storageFlags,
  ...networkFlags,
  ...resourceFlags,
  ...securityFlags,
  ...healthFlags,
  ...refusedFlags,
} as const

export type CreateFlags = FlagValues<typeof createFlags>

/** Flags of those who join the container. */
export const joinFlags = {
  'sig-proxy': isOn('Hand on signals'),
  'detach-keys': text('KEYS', 'Keys that leave it running (default ctrl-p,ctrl-q)'),
} as const
