/** A program that the daemon needs, where Debian has it, and what for. */
export interface Requirement {
  readonly program: string
  readonly package: string
  readonly purpose: string
}

export const REQUIREMENTS: readonly Requirement[] = [
  { program: 'crun', package: 'crun', purpose: 'starts container processes' },
  { program: 'nft', package: 'nftables', purpose: 'forwards published ports and keeps networks apart' },
  { program: 'haproxy', package: 'haproxy', purpose: 'spreads requests over replicas' },
  { program: 'ip', package: 'iproute2', purpose: 'looks into networks' },
  { program: 'mmdebstrap', package: 'mmdebstrap', purpose: 'makes base images from Debian packages' },
  { program: 'nsenter', package: 'util-linux', purpose: 'enters namespaces' },
  { program: 'unshare', package: 'util-linux', purpose: 'makes namespaces' },
  { program: 'mount', package: 'mount', purpose: 'mounts' },
  { program: 'igzip', package: 'isal', purpose: 'compresses layers that are pushed, several times faster' },
]

/** Needed only while the supervisor program is not compiled yet. */
export const COMPILER: readonly Requirement[] = [
  { program: 'gcc', package: 'gcc', purpose: 'compiles the container supervisor, once' },
  { program: '/usr/include/stdio.h', package: 'libc6-dev', purpose: 'compiles the container supervisor, once' },
]

export interface InstallPlan {
  readonly missing: readonly Requirement[]
  readonly packages: readonly string[]
}

/** Pure: which packages bring what `isThere` denies. */
export function installPlan(requirements: readonly Requirement[], isThere: (program: string) => boolean): InstallPlan {
  const missing = requirements.filter((requirement) => !isThere(requirement.program))
  return { missing, packages: [...new Set(missing.map((requirement) => requirement.package))] }
}

/** Packages that bring a service which Debian would start and enable. Ours is started by the daemon, with our own configuration. */
export const SERVICES: Readonly<Record<string, readonly string[]>> = {
  haproxy: ['haproxy.service'],
  nftables: ['nftables.service'],
}
