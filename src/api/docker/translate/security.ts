import type { SecuritySpec } from '#engine/containers'

import { dockerError } from '../errors.ts'
import type { Reader } from './read.ts'

/** capabilities(7), as of Linux 5.9. */
const CAPABILITIES: ReadonlySet<string> = new Set(
  'AUDIT_CONTROL AUDIT_READ AUDIT_WRITE BLOCK_SUSPEND BPF CHECKPOINT_RESTORE CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID IPC_LOCK IPC_OWNER KILL LEASE LINUX_IMMUTABLE MAC_ADMIN MAC_OVERRIDE MKNOD NET_ADMIN NET_BIND_SERVICE NET_BROADCAST NET_RAW PERFMON SETFCAP SETGID SETPCAP SETUID SYSLOG SYS_ADMIN SYS_BOOT SYS_CHROOT SYS_MODULE SYS_NICE SYS_PACCT SYS_PTRACE SYS_RAWIO SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG WAKE_ALARM'.split(
    ' ',
  ),
)

/** Errors: `docker.field_invalid`, `docker.option_unsupported`. */
export function securitySpec(hostConfig: Reader, hasAppArmor: boolean): SecuritySpec {
  const options = securityOptions(hostConfig.texts('SecurityOpt', []))
  // Where there are no profiles, nothing is confined: asking for just that is fine.
  if (!hasAppArmor && !['', 'unconfined'].includes(options.apparmor))
    throw unsupported(`AppArmor profiles (${JSON.stringify(options.apparmor)}) on a kernel without AppArmor`)
  return {
    isPrivileged: hostConfig.bool('Privileged'),
    isReadOnlyRoot: hostConfig.bool('ReadonlyRootfs'),
    capAdd: capabilities(hostConfig.texts('CapAdd', []), 'CapAdd'),
    capDrop: capabilities(hostConfig.texts('CapDrop', []), 'CapDrop'),
    isNoNewPrivileges: options.isNoNewPrivileges,
    seccomp: options.seccomp,
    ...(options.apparmor === '' ? {} : { apparmor: options.apparmor }),
    maskedPaths: options.isSystemPathsUnconfined ? [] : hostConfig.texts('MaskedPaths'),
    readonlyPaths: options.isSystemPathsUnconfined ? [] : hostConfig.texts('ReadonlyPaths'),
    sysctls: hostConfig.textMap('Sysctls'),
    devices: devices(hostConfig),
    deviceCgroupRules: deviceRules(hostConfig.texts('DeviceCgroupRules', [])),
  }
}

/** `net_admin` and `CAP_NET_ADMIN` both become `CAP_NET_ADMIN`; `ALL` stays. */
export function capabilities(names: readonly string[], field: string): readonly string[] {
  return names.map((name) => {
    const bare = name.toUpperCase().replace(/^CAP_/, '')
    if (bare === 'ALL') return 'ALL'
    if (!CAPABILITIES.has(bare)) throw dockerError('docker.field_invalid', `invalid ${field}: unknown capability: "CAP_${bare}"`)
    return `CAP_${bare}`
  })
}

interface SecurityOptions {
  readonly isNoNewPrivileges: boolean
  readonly seccomp: string
  /** Empty: not asked for. */
  readonly apparmor: string
  readonly isSystemPathsUnconfined: boolean
}

function securityOptions(options: readonly string[]): SecurityOptions {
  const start: SecurityOptions = { isNoNewPrivileges: false, seccomp: 'default', apparmor: '', isSystemPathsUnconfined: false }
  return options.reduce((settled, option) => ({ ...settled, ...securityOption(option) }), start)
}

function securityOption(option: string): Partial<SecurityOptions> {
  // `key:value` is the older spelling of `key=value`.
  const mark = option.search(/[=:]/)
  const key = mark === -1 ? option : option.slice(0, mark)
  const value = mark === -1 ? '' : option.slice(mark + 1)
  switch (key) {
    case 'no-new-privileges':
      if (value !== '' && value !== 'true' && value !== 'false') throw unreadable(option)
      return { isNoNewPrivileges: value !== 'false' }
    case 'seccomp':
      return { seccomp: value === 'builtin' ? 'default' : seccompProfile(value, option) }
    case 'systempaths':
      if (value !== 'unconfined') throw unreadable(option)
      return { isSystemPathsUnconfined: true }
    case 'apparmor':
      if (value === '') throw unreadable(option)
      return { apparmor: value }
    case 'label':
      if (value === 'disable') return {}
      throw unsupported(`SELinux labels (${JSON.stringify(value)})`)
    default:
      throw unreadable(option)
  }
}

function seccompProfile(value: string, option: string): string {
  if (value === 'unconfined') return value
  try {
    JSON.parse(value)
    return value
  } catch (error) {
    throw dockerError(
      'docker.field_invalid',
      `invalid --security-opt ${JSON.stringify(option.slice(0, 100))}: the seccomp profile is not JSON`,
      {
        cause: error,
      },
    )
  }
}

function devices(hostConfig: Reader): SecuritySpec['devices'] {
  return hostConfig.list('Devices').map((device) => {
    const hostPath = device.text('PathOnHost')
    const containerPath = device.text('PathInContainer') || hostPath
    const permissions = device.text('CgroupPermissions') || 'rwm'
    if (!hostPath.startsWith('/') || !containerPath.startsWith('/'))
      throw dockerError('docker.field_invalid', `${device.at}: ${JSON.stringify(hostPath)} is not an absolute path`)
    if (!/^[rwm]{1,3}$/.test(permissions))
      throw dockerError('docker.field_invalid', `${device.at}: invalid device mode: ${permissions}`)
    return { hostPath, containerPath, permissions }
  })
}

/** `c 42:* rmw`: type, major and minor, access; cgroup-v1/devices of the kernel documentation. */
function deviceRules(rules: readonly string[]): readonly string[] {
  for (const rule of rules)
    if (!/^[acb] (\d{1,10}|\*):(\d{1,10}|\*) [rwm]{1,3}$/.test(rule))
      throw dockerError('docker.field_invalid', `invalid device cgroup rule format: '${rule}'`)
  return rules
}

function unreadable(option: string): Error {
  return dockerError('docker.field_invalid', `invalid --security-opt: ${JSON.stringify(option.slice(0, 100))}`)
}

function unsupported(what: string): Error {
  return dockerError('docker.option_unsupported', `HostConfig.SecurityOpt: ${what} are not supported`)
}
