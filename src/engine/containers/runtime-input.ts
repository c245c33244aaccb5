import type { Context } from './context.ts'
import type { LiveContainer } from './live.ts'
import type { JoinedNetwork } from './networking.ts'
import { cgroupPathOf } from './paths.ts'
import type { ExecSpec } from './port.ts'
import type { ContainerRecord } from './record.ts'

export function runtimeSpec(context: Context, record: ContainerRecord, o: { rootfs: string; network: JoinedNetwork }): unknown {
  const { spec } = record
  const caps = [
    'CAP_CHOWN',
    'CAP_DAC_OVERRIDE',
    'CAP_FOWNER',
    'CAP_SETUID',
    'CAP_SETGID',
    'CAP_KILL',
    'CAP_NET_BIND_SERVICE',
    'CAP_SYS_CHROOT',
    'CAP_SETPCAP',
    'CAP_FSETID',
    'CAP_MKNOD',
    'CAP_NET_RAW',
    'CAP_AUDIT_WRITE',
    'CAP_SETFCAP',
  ]
  return {
    ociVersion: '1.0.2',
    process: {
      terminal: spec.process.hasTty,
      user: { uid: 0, gid: 0 },
      args: [...(spec.process.entrypoint ?? []), ...(spec.process.cmd ?? [])],
      env: [...spec.process.env, `HOSTNAME=${o.network.hostname}`],
      cwd: spec.process.workingDir,
      capabilities: { bounding: caps, effective: caps, permitted: caps },
    },
    root: { path: o.rootfs },
    hostname: o.network.hostname,
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc' },
      { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'mode=755', 'size=65536k'] },
      {
        destination: '/dev/pts',
        type: 'devpts',
        source: 'devpts',
        options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
      },
      {
        destination: '/dev/shm',
        type: 'tmpfs',
        source: 'shm',
        options: ['nosuid', 'noexec', 'nodev', 'mode=1777', 'size=65536k'],
      },
      { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'noexec', 'nodev', 'ro'] },
      ...['hosts', 'hostname', 'resolv.conf'].map((name) => ({
        destination: `/etc/${name}`,
        type: 'bind',
        source: `${o.network.filesDir}/${name}`,
        options: ['rbind', 'rprivate'],
      })),
      ...record.mounts.map((m) => ({
        destination: m.target,
        type: m.type === 'tmpfs' ? 'tmpfs' : 'bind',
        source: m.source === '' ? 'tmpfs' : m.source,
        options: m.type === 'tmpfs' ? [] : ['rbind', m.isReadOnly ? 'ro' : 'rw'],
      })),
    ],
    linux: {
      cgroupsPath: cgroupPathOf(context, record.id, spec.resources.cgroupParent),
      namespaces: [
        { type: 'pid' },
        { type: 'mount' },
        { type: 'ipc' },
        { type: 'uts' },
        { type: 'cgroup' },
        ...(o.network.namespacePath === null ? [] : [{ type: 'network', path: o.network.namespacePath }]),
      ],
    },
  }
}

export function execProcessSpec(_context: Context, live: LiveContainer, spec: ExecSpec): unknown {
  return {
    terminal: spec.hasTty,
    user: { uid: 0, gid: 0 },
    args: spec.cmd,
    env: live.record.spec.process.env,
    cwd: spec.workingDir || live.record.spec.process.workingDir,
  }
}
