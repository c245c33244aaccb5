import { createHash } from 'node:crypto'

import { canonical, type RevisionParts } from '#cluster/model'
import type { ServiceSpec } from '#cluster/spec'

/** All that counts of a part is its name. */
export interface HashedParts extends Pick<RevisionParts, 'versions'> {
  readonly networks: readonly NamedPart[]
  readonly volumes: readonly NamedPart[]
}

interface NamedPart {
  readonly key: string
  readonly name: string
}

/** Changes exactly when tasks of the service have to be made anew. Containers carry it as a label. */
export function templateHash(spec: ServiceSpec, parts: HashedParts, imageId: string | null, forced = 0): string {
  const networks = spec.task.networks.map(({ network }) => nameOf(parts.networks, network))
  const volumes = spec.task.mounts.map((mount) =>
    mount.type === 'volume' && mount.volume !== null ? nameOf(parts.volumes, mount.volume) : null,
  )
  const hostPorts = spec.ports.filter((port) => port.mode === 'host')
  const base = [spec.task, imageId, networks, volumes, hostPorts, spec.containerName]
  const hasChecks = spec.checks.startup !== null || spec.checks.readiness !== null || spec.checks.liveness !== null
  // Said only where there is something to say: what was made before there were secrets and checks keeps its hash.
  const more = {
    ...(spec.secrets.length + spec.configs.length === 0 ? {} : { mounts: [spec.secrets, spec.configs, parts.versions] }),
    ...(hasChecks ? { checks: spec.checks } : {}),
    ...(forced === 0 ? {} : { forced }),
  }
  const all = Object.keys(more).length === 0 ? base : [...base, more]
  return createHash('sha256').update(canonical(all)).digest('hex')
}

function nameOf(parts: readonly NamedPart[], key: string): string {
  return parts.find((part) => part.key === key)?.name ?? key
}
