import type { RuntimeSpecInput, SpecHostFacts } from './input.ts'

/** A plain container and a host that can give everything: tests change what they are about. */
export const PLAIN_INPUT: RuntimeSpecInput = {
  process: {
    args: ['/bin/true'],
    env: ['PATH=/bin'],
    cwd: '/',
    user: { uid: 0, gid: 0, additionalGids: [] },
    isTty: false,
    consoleSize: null,
    ulimits: [],
    oomScoreAdj: 0,
  },
  security: {
    isPrivileged: false,
    capAdd: [],
    capDrop: [],
    isNoNewPrivileges: false,
    seccomp: 'default',
    maskedPaths: null,
    readonlyPaths: null,
  },
  namespaces: {
    pid: { kind: 'new' },
    ipc: { kind: 'new' },
    uts: { kind: 'new' },
    network: { kind: 'new' },
    cgroup: { kind: 'new' },
  },
  hostname: 'web',
  domainname: '',
  rootfs: { path: '/rootfs', isReadOnly: false },
  mounts: [],
  shmBytes: 67_108_864,
  cgroupsPath: '/glovebox/c1',
  resources: {
    memoryBytes: null,
    memorySwapBytes: null,
    memoryReservationBytes: null,
    isOomKillDisabled: false,
    nanoCpus: null,
    cpuShares: null,
    cpuPeriodUs: null,
    cpuQuotaUs: null,
    cpusetCpus: '',
    cpusetMems: '',
    pidsLimit: null,
    blkioWeight: null,
    blkioDevices: [],
  },
  sysctls: {},
  devices: [],
  deviceRules: [],
  annotations: {},
}

export const ABLE_HOST: SpecHostFacts = {
  architecture: 'x64',
  release: '6.18.44',
  hasSeccomp: true,
  capabilities:
    'CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP NET_BIND_SERVICE NET_ADMIN NET_RAW SYS_CHROOT SYS_PTRACE SYS_ADMIN SYS_RESOURCE MKNOD AUDIT_WRITE SETFCAP SYSLOG'
      .split(' ')
      .map((name) => `CAP_${name}`),
  rlimits: { nofile: { soft: 1024, hard: 20_000 } },
}
