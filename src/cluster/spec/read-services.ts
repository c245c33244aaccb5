import type { ReadContext } from './context.ts'
import type { Field } from './fields.ts'
import type { MountSpec, ServiceSpec } from './model.ts'
import { withOperation } from './read-operation.ts'
import { readDependencies, readService } from './read-service.ts'

/** The services of enabled profiles, with what they have of one another filled in. */
export interface ReadServices {
  readonly services: readonly ServiceSpec[]
  /** By service: those whose change makes new tasks of it. */
  readonly restarts: Readonly<Record<string, readonly string[]>>
}

/** Another service that one names, why, and where. */
interface Relation {
  readonly service: string
  readonly place: Field
  readonly isRequired: boolean
  readonly restarts: boolean
  readonly sharesNode: boolean
  readonly condition: ServiceSpec['dependsOn'][number]['condition']
}

export function readServices(file: Field, context: ReadContext, profiles: readonly string[]): ReadServices {
  const section = file.child('services')
  const all = section.entries()
  const enabled = all.filter(([, service]) => {
    const wanted = service.child('profiles').texts()
    return wanted.length === 0 || profiles.includes('*') || wanted.some((profile) => profiles.includes(profile))
  })
  const awaited = new Set(
    enabled
      .flatMap(([, service]) => readDependencies(service.child('depends_on')))
      .filter((dependency) => dependency.condition === 'completed_successfully')
      .map((dependency) => dependency.service),
  )
  const names = enabled.map(([name]) => name)
  const relations = new Map(
    enabled.map(([name, service]) => {
      const known = relationsOf(service).filter((relation) => {
        if (names.includes(relation.service)) return true
        const isThere = all.some(([other]) => other === relation.service)
        const why = isThere ? 'which is in a profile that is not enabled' : 'which the file does not have'
        if (relation.isRequired) relation.place.refuse(`depends on service "${relation.service}", ${why}`)
        return false
      })
      return [name, known] as const
    }),
  )
  const read = enabled.map(([name, service]) => {
    const plain = readService(name, service, context, awaited.has(name))
    const own = relations.get(name) ?? []
    const spec = beside(withOperation(plain, service.child('x-glovebox'), file.child('x-glovebox'), names), own)
    return { ...spec, dependsOn: dependenciesOf(own) }
  })
  reportCycle(section, read)
  const shared = withSharedMounts(section, read)
  return {
    services: withLinkNames(section, shared),
    restarts: Object.fromEntries(
      names.map((name) => [
        name,
        [...new Set((relations.get(name) ?? []).filter(({ restarts }) => restarts).map(({ service }) => service))],
      ]),
    ),
  }
}

/** `depends_on`, and what implies it: links, volumes and namespaces of other services. */
function relationsOf(service: Field): readonly Relation[] {
  const dependsOn = service.child('depends_on')
  const said = readDependencies(dependsOn).map((dependency) => ({ ...dependency, place: dependsOn, sharesNode: false }))
  const implied = { isRequired: true, condition: 'started', sharesNode: false } as const
  const links = service.child('links').items()
  const volumes = service.child('volumes_from').items()
  return [
    ...said,
    ...links.map((place) => ({ ...implied, service: linkOf(place).service, place, restarts: false })),
    ...volumes.flatMap((place) => {
      const source = volumesSource(place)
      return source === null ? [] : [{ ...implied, service: source.service, place, restarts: false }]
    }),
    ...(['network_mode', 'pid', 'ipc'] as const).flatMap((name) => {
      const place = service.child(name)
      const other = /^service:(.+)$/.exec(place.text() ?? '')?.[1]
      return other === undefined ? [] : [{ ...implied, service: other, place, restarts: true, sharesNode: true }]
    }),
  ]
}

/** Namespaces are of one node: who shares those of a service is where one of its tasks is. */
function beside(spec: ServiceSpec, relations: readonly Relation[]): ServiceSpec {
  const shared = [...new Set(relations.filter(({ sharesNode }) => sharesNode).map(({ service }) => service))]
  const affinities = shared.map((service) => ({ type: 'affinity', service, topology: 'node.id', isRequired: true }) as const)
  return affinities.length === 0
    ? spec
    : { ...spec, placement: { ...spec.placement, affinities: [...spec.placement.affinities, ...affinities] } }
}

/** One for each service: what is said counts before what is implied. */
function dependenciesOf(relations: readonly Relation[]): ServiceSpec['dependsOn'] {
  const byService = new Map(relations.toReversed().map(({ service, condition }) => [service, { service, condition }]))
  return [...new Set(relations.map(({ service }) => service))].flatMap((name) => byService.get(name) ?? [])
}

function reportCycle(section: Field, services: readonly ServiceSpec[]): void {
  const done = new Set<string>()
  const visit = (name: string, path: readonly string[]): boolean => {
    if (path.includes(name)) {
      const cycle = [...path.slice(path.indexOf(name)), name].join(' → ')
      section.child(name).child('depends_on').refuse(`depends on itself: ${cycle}`)
      return true
    }
    if (done.has(name)) return false
    done.add(name)
    const service = services.find((candidate) => candidate.name === name)
    return (service?.dependsOn ?? []).some((dependency) => visit(dependency.service, [...path, name]))
  }
  services.some((service) => visit(service.name, []))
}

/** `SERVICE[:ALIAS]`. */
function linkOf(link: Field): { readonly service: string; readonly alias: string } {
  const [service = '', alias] = (link.text() ?? '').split(':', 2)
  return { service, alias: alias ?? service }
}

/** A link's name is one more of the service that it leads to, on the networks that both are in. */
function withLinkNames(section: Field, services: readonly ServiceSpec[]): readonly ServiceSpec[] {
  const links = services.flatMap((from) =>
    section
      .child(from.name)
      .child('links')
      .items()
      .map((link) => ({ ...linkOf(link), networks: from.task.networks.map(({ network }) => network) })),
  )
  return services.map((service) => {
    const mine = links.filter((link) => link.service === service.name && link.alias !== service.name)
    if (mine.length === 0) return service
    const networks = service.task.networks.map((attachment) => {
      const names = mine.filter((link) => link.networks.includes(attachment.network)).map(({ alias }) => alias)
      return { ...attachment, aliases: [...new Set([...attachment.aliases, ...names])] }
    })
    return { ...service, task: { ...service.task, networks } }
  })
}

/** `SERVICE[:ro|rw]`; volumes of containers that are not of this stack are nobody's to give. */
function volumesSource(item: Field): { readonly service: string; readonly isReadOnly: boolean } | null {
  const text = item.text() ?? ''
  if (text.startsWith('container:')) {
    item.refuse(`"volumes_from" ${text}: containers that are not of this stack are not supported: name their volumes`)
    return null
  }
  const [service = '', mode = 'rw'] = text.split(':')
  if (mode !== 'ro' && mode !== 'rw') item.refuse(`"volumes_from" mode must be ro or rw, not ${JSON.stringify(mode)}`)
  return { service, isReadOnly: mode === 'ro' }
}

/** `volumes_from`: what another service mounts, where this one mounts nothing itself. Circles are reported before. */
function withSharedMounts(section: Field, services: readonly ServiceSpec[]): readonly ServiceSpec[] {
  const mountsOf = (name: string, path: readonly string[]): readonly MountSpec[] => {
    const own = services.find((service) => service.name === name)?.task.mounts ?? []
    if (path.includes(name)) return own
    const mounts = new Map(own.map((mount) => [mount.target, mount]))
    for (const item of section.child(name).child('volumes_from').items()) {
      const source = (item.text() ?? '').startsWith('container:') ? null : volumesSource(item)
      for (const mount of source === null ? [] : mountsOf(source.service, [...path, name])) {
        if (mounts.has(mount.target) || (mount.type === 'volume' && mount.volume === null)) continue
        mounts.set(mount.target, source?.isReadOnly === true && mount.type !== 'tmpfs' ? { ...mount, isReadOnly: true } : mount)
      }
    }
    return [...mounts.values()]
  }
  return services.map((service) =>
    section.child(service.name).child('volumes_from').isPresent
      ? { ...service, task: { ...service.task, mounts: mountsOf(service.name, []) } }
      : service,
  )
}
