import { fail } from '#base'
import type { ContainerRecord } from '#engine/containers'
import type { ImageRecord } from '#engine/images'

import { dockerError } from './errors.ts'
import { patternTest, readFilters, type Filters } from './filters.ts'

const KNOWN =
  'id name label label! exited status ancestor before since volume publish expose health network is-task isolation'.split(' ')
const STATES = 'created running paused restarting removing exited dead'.split(' ')
const HEALTH_STATES = 'none starting healthy unhealthy'.split(' ')

/** What the list of containers needs to look up while it filters. */
export interface ListSurroundings {
  readonly findImage: (ref: string) => ImageRecord | undefined
  readonly containerOf: (ref: string) => ContainerRecord
}

/** `records` newest first, filtered as `docker ps` asks. Error: `docker.filter_invalid`. */
export function filterContainers(
  records: readonly ContainerRecord[],
  query: { readonly filters: string; readonly all: boolean; readonly limit: number },
  around: ListSurroundings,
): readonly ContainerRecord[] {
  const filters = readFilters(query.filters, KNOWN)
  checkValues(filters)
  const wantsAll = query.all || query.limit > 0 || filters.has('status')
  const tests = [
    (record: ContainerRecord) => wantsAll || ['running', 'paused', 'restarting'].includes(record.status.state),
    identityTest(filters),
    stateTest(filters),
    ancestorTest(filters, around),
    orderTest(filters, records, around),
    reachTest(filters),
    portTest(filters),
  ]
  const found = records.filter((record) => tests.every((test) => test(record)))
  return query.limit > 0 ? found.slice(0, query.limit) : found
}

type Test = (record: ContainerRecord) => boolean

function checkValues(filters: Filters): void {
  const refuse = (name: string, allowed: readonly string[]) => {
    const value = filters.values(name).find((text) => !allowed.includes(text))
    if (value !== undefined) throw dockerError('docker.filter_invalid', `invalid filter '${name}=${value}'`)
  }
  refuse('status', STATES)
  refuse('health', HEALTH_STATES)
  const exited = filters.values('exited').find((text) => !/^-?\d+$/.test(text))
  if (exited !== undefined) throw dockerError('docker.filter_invalid', `invalid filter 'exited=${exited}'`)
  if (filters.has('isolation')) throw fail('input.unsupported', "filter 'isolation' is for Windows")
}

function identityTest(filters: Filters): Test {
  const isId = patternTest(filters, 'id')
  const isName = patternTest(filters, 'name')
  // Patterns are written with and without the slash that names once had.
  return ({ id, name, spec }) => isId(id) && (isName(name) || isName(`/${name}`)) && filters.matchesLabels(spec.labels)
}

function stateTest(filters: Filters): Test {
  const isTask = filters.flag('is-task')
  return ({ status }) =>
    filters.matches('status', (state) => state === status.state) &&
    filters.matches('health', (health) => health === (status.health?.status ?? 'none')) &&
    filters.matches('exited', (code) => status.state === 'exited' && status.exitCode === Number(code)) &&
    isTask !== true
}

/** Containers of the image and of images that are built upon it: those whose layers begin with its own. */
function ancestorTest(filters: Filters, { findImage }: ListSurroundings): Test {
  const ancestors = filters.values('ancestor').map((ref) => [ref, findImage(ref)] as const)
  if (ancestors.length === 0) return () => true
  return ({ spec }) =>
    ancestors.some(([ref, ancestor]) => {
      if (spec.image === ref || spec.imageId === ancestor?.id) return true
      const own = ancestor === undefined ? undefined : findImage(spec.imageId)
      return own !== undefined && ancestor !== undefined && isBuiltUpon(own, ancestor)
    })
}

function isBuiltUpon(image: ImageRecord, ancestor: ImageRecord): boolean {
  return ancestor.layers.length > 0 && ancestor.layers.every((layer, index) => image.layers[index]?.diffId === layer.diffId)
}

/** The list is newest first, so "before" another container is behind it. */
function orderTest(filters: Filters, records: readonly ContainerRecord[], { containerOf }: ListSurroundings): Test {
  const place = new Map(records.map((record, index) => [record.id, index] as const))
  const at = (name: string) => filters.values(name).map((ref) => place.get(containerOf(ref).id) ?? -1)
  const [before] = at('before')
  const [since] = at('since')
  if (before === undefined && since === undefined) return () => true
  return ({ id }) => {
    const index = place.get(id) ?? -1
    return (before === undefined || index > before) && (since === undefined || index < since)
  }
}

function reachTest(filters: Filters): Test {
  return ({ spec, status, mounts }) =>
    filters.matches('volume', (value) =>
      mounts.some((mount) => mount.name === value || mount.target === value || mount.source === value),
    ) &&
    filters.matches(
      'network',
      (value) =>
        spec.network.mode === value ||
        Object.hasOwn(spec.network.endpoints, value) ||
        Object.entries(status.endpoints).some(([name, endpoint]) => name === value || endpoint.networkId === value),
    )
}

function portTest(filters: Filters): Test {
  const published = filters.values('publish').map((text) => portRange('publish', text))
  const exposed = filters.values('expose').map((text) => portRange('expose', text))
  return ({ spec, status }) => {
    const isIn = (ranges: readonly PortRange[], port: number, protocol: string) =>
      ranges.length === 0 || ranges.some((range) => port >= range.first && port <= range.last && protocol === range.protocol)
    return (
      (published.length === 0 || status.ports.some((port) => isIn(published, port.hostPort, port.protocol))) &&
      (exposed.length === 0 ||
        spec.exposedPorts.some((port) => isIn(exposed, Number.parseInt(port, 10), port.split('/')[1] ?? 'tcp')))
    )
  }
}

interface PortRange {
  readonly first: number
  readonly last: number
  readonly protocol: string
}

function portRange(name: string, text: string): PortRange {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/.exec(text)
  if (match === null) throw dockerError('docker.filter_invalid', `invalid filter '${name}=${text}'`)
  return { first: Number(match[1]), last: Number(match[2] ?? match[1]), protocol: match[3] ?? 'tcp' }
}
