import type { HostFacts } from './facts.ts'
import type { Finding } from './finding.ts'
import { note, ok, problem, warning } from './make.ts'
import { compareVersions } from './read-facts.ts'

/** Without these the daemon cannot make a container at all. */
const NEEDED_CAPABILITIES = [
  'CAP_SYS_ADMIN',
  'CAP_NET_ADMIN',
  'CAP_SETUID',
  'CAP_SETGID',
  'CAP_MKNOD',
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_SYS_CHROOT',
]
const NEEDED_CONTROLLERS = ['memory', 'cpu', 'pids']
/** File-backed EROFS mounts came with 6.12. */
const EROFS_ON_FILES_SINCE = '6.12'
/** Long-term kernel of the oldest distribution that is tried: overlayfs, pidfds and cgroup.kill are all there. */
const OLDEST_TRIED = '5.15'

export function kernelFindings(facts: HostFacts): readonly Finding[] {
  return [kernel(facts), overlay(facts), erofs(facts), ...cgroups(facts), ...capabilities(facts), seccomp(facts)]
}

function kernel({ kernelRelease }: HostFacts): Finding {
  if (compareVersions(kernelRelease, OLDEST_TRIED) >= 0) return ok('kernel.release', `Linux ${kernelRelease}.`)
  return warning(
    'kernel.release',
    `Linux ${kernelRelease} is older than ${OLDEST_TRIED}.`,
    'Kernels of that age lack system calls that keep signals from hitting the wrong process, and are not tried by us.',
    'Boot a newer kernel.',
  )
}

function overlay({ fileSystems }: HostFacts): Finding {
  if (fileSystems.includes('overlay')) return ok('kernel.overlayfs', 'The kernel has overlayfs.')
  return problem(
    'kernel.overlayfs',
    'The kernel has no overlayfs, nor a module for it.',
    'A container is layers laid over each other; without it there is no root file system.',
    'Boot a kernel with CONFIG_OVERLAY_FS, or install the package with its modules.',
  )
}

function erofs(facts: HostFacts): Finding {
  const hasErofs = facts.fileSystems.includes('erofs')
  const isNewEnough = compareVersions(facts.kernelRelease, EROFS_ON_FILES_SINCE) >= 0
  if (hasErofs && isNewEnough && facts.isErofsOnFilesBuilt !== false)
    return ok('kernel.erofs', 'The kernel mounts EROFS from files: layers are used in place, without being unpacked.')
  const lacks = !hasErofs
    ? 'has no EROFS'
    : !isNewEnough
      ? `(${facts.kernelRelease}) mounts EROFS from block devices only`
      : 'is built without EROFS on files'
  return note(
    'kernel.erofs',
    `The kernel ${lacks}.`,
    'Layers are unpacked into directories: a new image takes seconds instead of milliseconds, and twice the space.',
    `Linux ${EROFS_ON_FILES_SINCE} or newer with CONFIG_EROFS_FS_BACKED_BY_FILE does better.`,
  )
}

function cgroups({ cgroup }: HostFacts): readonly Finding[] {
  if (cgroup.mode === 'none')
    return [
      problem(
        'cgroup.mode',
        'No control groups are mounted.',
        'Limits on memory, CPU and processes are kept by them.',
        'Mount cgroup2 on /sys/fs/cgroup.',
      ),
    ]
  const missing = NEEDED_CONTROLLERS.filter((name) => !cgroup.controllers.includes(name))
  const mode =
    cgroup.mode === 'v2'
      ? ok('cgroup.mode', 'Control groups are version 2.')
      : note(
          'cgroup.mode',
          cgroup.mode === 'hybrid'
            ? 'Control groups are version 1, with an empty version 2 beside it.'
            : 'Control groups are version 1.',
          'Limits work. Memory pressure (PSI per container) and some figures exist in version 2 only.',
          'Booting with systemd.unified_cgroup_hierarchy=1 gives version 2.',
        )
  if (missing.length === 0) return [mode, ok('cgroup.controllers', `Controllers: ${cgroup.controllers.join(', ')}.`)]
  return [
    mode,
    warning(
      'cgroup.controllers',
      `Control groups lack ${missing.join(', ')}.`,
      'Limits of that kind are refused here.',
      missing.includes('memory') ? 'Boot with cgroup_enable=memory.' : 'See which controllers the kernel was booted with.',
    ),
  ]
}

function capabilities(facts: HostFacts): readonly Finding[] {
  if (!facts.isRoot)
    return [
      note(
        'host.root',
        'The doctor does not run as root.',
        'Capabilities and the firewall of the daemon cannot be seen from here.',
        'Run it as root to see all.',
      ),
    ]
  const missing = NEEDED_CAPABILITIES.filter((name) => !facts.capabilities.includes(name))
  const needed =
    missing.length === 0
      ? ok('host.capabilities', 'Root has the capabilities that the daemon needs.')
      : problem(
          'host.capabilities',
          `Root lacks ${missing.join(', ')}.`,
          'Without them no container can be made.',
          'Run the daemon where root is whole: not inside another container.',
        )
  if (facts.capabilities.includes('CAP_SYS_RESOURCE'))
    return [needed, ok('host.sys_resource', 'Root may raise limits (CAP_SYS_RESOURCE).')]
  return [
    needed,
    note(
      'host.sys_resource',
      'Root lacks CAP_SYS_RESOURCE.',
      `Resource limits of containers cannot go above the daemon's own (open files: ${facts.nofileHard}), and OOM scores cannot go below it: both are lowered to what is allowed.`,
    ),
  ]
}

function seccomp({ hasSeccomp }: HostFacts): Finding {
  if (hasSeccomp) return ok('kernel.seccomp', 'The kernel filters system calls (seccomp).')
  return warning(
    'kernel.seccomp',
    'The kernel has no seccomp.',
    'Containers may try every system call: one fence less.',
    'Boot a kernel with CONFIG_SECCOMP_FILTER.',
  )
}
