import type { ContainerRecord } from '#engine/containers'
import type { Network } from '#engine/network'

import type { RouteContext } from '../call.ts'
import { dockerError } from '../errors.ts'
import { shownNetwork } from '../translate/network-json.ts'
import type { DockerSwarm, SwarmRecord } from './port.ts'

type ApiEngine = RouteContext['engine']

/** What a network has that is the swarm's: its nodes, and when asked for all of it its services with their tasks. */
export async function swarmParts(network: Network, engine: ApiEngine, isVerbose: boolean): Promise<Record<string, unknown>> {
  const swarm = swarmOf(engine)
  if (swarm === undefined || shownNetwork(network).scope !== 'swarm') return {}
  const peers = [{ Name: swarm.port.nodeId.slice(0, SHORT_ID), IP: swarm.record.address }]
  return { Peers: peers, ...(isVerbose ? { Services: await servicesOn(network, swarm, engine) } : {}) }
}

const SHORT_ID = 12

interface OwnSwarm {
  readonly port: DockerSwarm
  readonly record: SwarmRecord
}

function swarmOf({ swarm }: ApiEngine): OwnSwarm | undefined {
  const record = swarm?.current() ?? null
  return swarm === undefined || record === null ? undefined : { port: swarm, record }
}

/** As dockerd's `network inspect --verbose`, which the description does not know: by the service's name. */
async function servicesOn(network: Network, { port, record }: OwnSwarm, { containers }: ApiEngine) {
  const here = containers.list()
  const virtual = port.virtualIps().filter(({ networkId }) => networkId === network.id)
  const services = (await port.services.list()).filter(({ revision }) => usesNetwork(revision, network))
  return Object.fromEntries(
    services.map((service) => {
      const { id, name } = service.record
      const own = virtual.find(({ serviceId }) => serviceId === id)?.address ?? ''
      const tasks = here.filter(({ spec }) => spec.labels[SERVICE_LABEL] === id).flatMap((one) => taskOn(network, one, record))
      const ports = service.revision.spec.ports.map((port_) => `Target: ${port_.containerPort}, Publish: ${port_.published ?? 0}`)
      return [name, { VIP: own.replace(/\/.*/, ''), Ports: ports, LocalLBIndex: 0, Tasks: tasks }]
    }),
  )
}

const SERVICE_LABEL = 'com.docker.swarm.service.id'
const TASK_NAME_LABEL = 'com.docker.swarm.task.name'

function taskOn(network: Network, { name, spec, status }: ContainerRecord, { address }: SwarmRecord) {
  return Object.values(status.endpoints)
    .filter(({ networkId }) => networkId === network.id)
    .map(({ endpointId, ipAddress }) => ({
      Name: spec.labels[TASK_NAME_LABEL] ?? name,
      EndpointID: endpointId,
      EndpointIP: ipAddress,
      Info: { 'Host IP': address },
    }))
}

type Revision = Awaited<ReturnType<DockerSwarm['services']['list']>>[number]['revision']

function usesNetwork({ spec, parts }: Revision, { name }: Network): boolean {
  return spec.task.networks.some(({ network }) => (parts.networks.find(({ key }) => key === network)?.name ?? network) === name)
}

/** A network that services are to join stays, also while none of their tasks is there. Error: `docker.field_invalid`, as dockerd has it. */
export async function refuseUsedNetwork(network: Network, engine: ApiEngine): Promise<void> {
  const swarm = swarmOf(engine)
  if (swarm === undefined || shownNetwork(network).scope !== 'swarm') return
  const user = (await swarm.port.services.list()).find(
    ({ record, revision }) => record.state !== 'removing' && usesNetwork(revision, network),
  )
  if (user !== undefined)
    throw dockerError(
      'docker.field_invalid',
      `rpc error: code = FailedPrecondition desc = network ${network.id} is in use by service ${user.record.id}`,
    )
}

/** Containers join a network of the swarm by hand only where it was made for that. Error: `docker.not_attachable`. */
export function refuseUnattachable(network: Network): void {
  if (shownNetwork(network).scope === 'swarm' && !network.isAttachable)
    throw dockerError(
      'docker.not_attachable',
      `Could not attach to network ${network.name}: rpc error: code = PermissionDenied desc = network ${network.name} not manually attachable`,
      { hint: 'Create it with --attachable.' },
    )
}
