import type { AttachmentSpec, MountSpec, ServiceSpec } from '#cluster/spec'

import type { EnvironmentWish, Names } from './wish.ts'

/** One service of the copy. What two containers cannot have at once is given up; what writes to the host is held. */
export function deriveService(
  service: ServiceSpec,
  names: Names,
  { hasWritableBinds, settings }: Pick<EnvironmentWish, 'hasWritableBinds' | 'settings'>,
  tell: (note: string) => void,
): ServiceSpec {
  const note = (text: string) => tell(`${service.name}: ${text}`)
  const { containerName, ports, task, placement } = service
  if (containerName !== null) note(`its container is not called ${containerName}`)
  const fixed = ports.flatMap(({ published }) => (published === null ? [] : [published]))
  if (fixed.length > 0) note(`another port of the host is chosen instead of ${fixed.join(', ')}`)
  if (task.namespaces?.network === 'host') note("it is in the host's own network, with the ports that it has there")
  return {
    ...service,
    containerName: null,
    ports: ports.map((port) => ({ ...port, published: null })),
    job: heldJob(service, settings, note),
    placement: {
      ...placement,
      affinities: placement.affinities.map((affinity) => ({
        ...affinity,
        service: affinity.service.startsWith(`${names.from}/`)
          ? `${names.to}/${affinity.service.slice(names.from.length + 1)}`
          : affinity.service,
      })),
    },
    task: {
      ...task,
      networks: task.networks.map((attachment) => deriveAttachment(attachment, note)),
      mounts: task.mounts.map((mount) => deriveMount(mount, hasWritableBinds, note)),
    },
  }
}

/** What the source does at certain times, with the passwords that the copy has as well, is not done twice unasked. */
function heldJob({ job, name }: ServiceSpec, settings: readonly string[], note: (text: string) => void): ServiceSpec['job'] {
  if (job === null || job.schedule === null || job.schedule.isSuspended) return job
  if (!settings.some((text) => text.startsWith(`${name}.suspended=`)))
    note(`its schedule is suspended: set ${name}.suspended=false to follow it`)
  return { ...job, schedule: { ...job.schedule, isSuspended: true } }
}

function deriveAttachment(attachment: AttachmentSpec, note: (text: string) => void): AttachmentSpec {
  const { ipv4Address, ipv6Address, macAddress, linkLocalAddresses, ...rest } = attachment
  const fixed = [ipv4Address, ipv6Address, macAddress, ...(linkLocalAddresses ?? [])].filter((one) => one !== undefined)
  if (fixed.length > 0) note(`another address than ${fixed.join(', ')} in the network ${attachment.network}`)
  return rest
}

function deriveMount(mount: MountSpec, hasWritableBinds: boolean, note: (text: string) => void): MountSpec {
  if (mount.type === 'volume' && mount.volume !== null && mount.subpath !== '')
    note(`the directory ${mount.subpath} of the volume ${mount.volume} is not there, for the volume is empty`)
  if (mount.type !== 'bind' || mount.isReadOnly || hasWritableBinds) return mount
  note(`${mount.target} is read-only, for it is ${mount.source} of the host`)
  return { ...mount, isReadOnly: true }
}
