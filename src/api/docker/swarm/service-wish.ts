import type { JsonObject } from '#api/http'
import type { ServiceWish } from '#cluster/services'
import {
  PLAIN_SERVICE,
  type AttachmentSpec,
  type JobSpec,
  type KeyedSecretSpec,
  type NamespaceSpec,
  type NetworkSpec,
  type SecretMountSpec,
  type ServiceMode,
  type ServicePortSpec,
} from '#cluster/spec'

import { dockerError } from '../errors.ts'
import { refuseOtherFields } from '../translate/fields.ts'
import { readerOf, type Reader } from '../translate/read.ts'
import { placementOf } from './placement.ts'
import { positive } from './read-number.ts'
import { oneOf, restartOf, rolloutOf } from './rollout-config.ts'
import { SERVICE_BODY } from './service-fields.ts'
import { templateOf } from './task-template.ts'

/** What ids and names in a request mean: asked before it is translated. */
export interface WishSurroundings {
  /** Name of a network by its name or id. */
  readonly networkName: (ref: string) => string
  /** Name of a secret or config by its id. */
  readonly secretName: (kind: 'secret' | 'config', id: string) => string
  /** The port that a published port without a number has, or gets. */
  readonly freePort: (protocol: string, containerPort: number) => number
}

/** By whom services are asked for here. */
const BY = 'docker'

/** What POST /services/create and update ask for. Pure; `imageId` and `parts.versions` are for the caller to fill in. */
export function serviceWish(json: JsonObject, around: WishSurroundings): ServiceWish {
  refuseOtherFields(json, SERVICE_BODY)
  const body = readerOf(json)
  const task = body.inner('TaskTemplate')
  const name = body.text('Name')
  checkName(name)
  checkRuntime(task)
  const { template, volumes, hasPlaceholders } = templateOf(task)
  const { mode, replicas, job } = modeOf(body.inner('Mode'), task.innerOrNull('RestartPolicy'))
  const networking = networkingOf([...task.list('Networks'), ...body.list('Networks')], around)
  const secrets = filesOf(task, 'secret', around)
  const configs = filesOf(task, 'config', around)
  const forced = task.int('ForceUpdate') ?? 0
  const endpoint = body.inner('EndpointSpec')
  const { attachments, networks, namespaces } = networking
  return {
    name,
    stack: null,
    labels: body.textMap('Labels'),
    spec: {
      ...PLAIN_SERVICE,
      name,
      mode,
      replicas,
      job,
      labels: body.textMap('Labels'),
      placement: placementOf(task.inner('Placement')),
      update: rolloutOf(body.innerOrNull('UpdateConfig')),
      rollback: rolloutOf(body.innerOrNull('RollbackConfig')),
      secrets: secrets.mounts,
      configs: configs.mounts,
      dependsOn: [],
      restart: restartOf(task.innerOrNull('RestartPolicy'), job !== null),
      ports: portsOf(endpoint, appProtocolOf(body.textMap('Labels')), around),
      endpointMode: oneOf(endpoint, 'Mode', ['vip', 'dnsrr'] as const) ?? 'vip',
      containerName: null,
      task: { ...template, networks: attachments, ...(namespaces === null ? {} : { namespaces }) },
    },
    parts: {
      networks,
      volumes,
      secrets: secrets.specs,
      configs: configs.specs,
      versions: {},
      workingDir: '',
      configFiles: [],
      pulls: true,
      ...(hasPlaceholders ? { hasPlaceholders } : {}),
      said: json,
    },
    imageId: null,
    by: BY,
    ...(forced === 0 ? {} : { forced }),
  }
}

const MAX_NAME_LENGTH = 63

function checkName(name: string): void {
  if (!/^[a-zA-Z0-9](?:[-_]*[A-Za-z0-9]+)*$/.test(name.slice(0, MAX_NAME_LENGTH + 1)))
    throw dockerError(
      'docker.field_invalid',
      'rpc error: code = InvalidArgument desc = name must be valid as a DNS name component',
    )
  if (name.length > MAX_NAME_LENGTH)
    throw dockerError('docker.field_invalid', 'rpc error: code = InvalidArgument desc = name must be 63 characters or fewer')
}

function checkRuntime(task: Reader): void {
  const runtime = task.text('Runtime')
  if (runtime !== '' && runtime !== 'container')
    throw dockerError('docker.field_unsupported', `TaskTemplate.Runtime: ${JSON.stringify(runtime)} is not supported`)
}

/** Swarm mode tries failed tasks of jobs again without an end unless told otherwise. */
const ENDLESS_RETRIES = 1_000_000

function modeOf(mode: Reader, policy: Reader | null): { mode: ServiceMode; replicas: number; job: JobSpec | null } {
  const said = (['Replicated', 'Global', 'ReplicatedJob', 'GlobalJob'] as const).filter((name) => mode.innerOrNull(name) !== null)
  if (said.length > 1) throw dockerError('docker.field_invalid', 'must specify only one service mode')
  const retries = policy?.text('Condition') === 'none' ? 0 : policy?.int('MaxAttempts') || ENDLESS_RETRIES
  const plain = { deadlineMs: null, retries, schedule: null }
  const [chosen] = said
  switch (chosen) {
    case 'Global':
      return { mode: 'global', replicas: 1, job: null }
    case 'GlobalJob':
      return { mode: 'global-job', replicas: 1, job: { ...plain, completions: 1, parallelism: 0 } }
    case 'ReplicatedJob': {
      const job = mode.inner('ReplicatedJob')
      const parallelism = positive(job, 'MaxConcurrent') ?? 1
      return {
        mode: 'replicated-job',
        replicas: 1,
        job: { ...plain, completions: positive(job, 'TotalCompletions') ?? parallelism, parallelism },
      }
    }
    case undefined:
    case 'Replicated':
    default: {
      const replicas = mode.inner('Replicated').int('Replicas') ?? 1
      if (replicas < 0) throw dockerError('docker.field_invalid', `Mode.Replicated.Replicas: ${replicas} is less than 0`)
      return { mode: 'replicated', replicas, job: null }
    }
  }
}

interface Networking {
  readonly attachments: readonly AttachmentSpec[]
  readonly networks: readonly NetworkSpec[]
  readonly namespaces: NamespaceSpec | null
}

/** Without a network of its own it is in the node's default one, so that it reaches the outside and is reached by the router. */
function networkingOf(wanted: readonly Reader[], { networkName }: WishSurroundings): Networking {
  const named = wanted.map((one) => ({ name: networkName(one.text('Target')), aliases: one.texts('Aliases', []) }))
  const own = named.find(({ name }) => name === 'host' || name === 'none' || name === 'bridge')
  if (own !== undefined && named.length > 1)
    throw dockerError('docker.option_conflict', `the network ${own.name} goes with no other network`)
  if (own !== undefined || named.length === 0)
    return { attachments: [], networks: [], namespaces: { network: own?.name ?? 'bridge' } }
  return {
    attachments: named.map(({ name, aliases }) => ({ network: name, aliases })),
    networks: named.map(({ name }) => ({ key: name, name, isExternal: true, isInternal: false, subnets: [], labels: {} })),
    namespaces: null,
  }
}

/** Docker's API has no word for what is spoken at a port. Where the router knows that it is HTTP, it spreads requests and not connections. */
const APP_PROTOCOL_LABEL = 'io.glovebox.app-protocol'

function appProtocolOf(labels: Readonly<Record<string, string>>): ServicePortSpec['appProtocol'] {
  const said = labels[APP_PROTOCOL_LABEL] ?? 'tcp'
  if (said === 'tcp' || said === 'http') return said
  throw dockerError('docker.field_invalid', `Labels.${APP_PROTOCOL_LABEL}: ${JSON.stringify(said)} is neither "http" nor "tcp"`)
}

function portsOf(
  endpoint: Reader,
  appProtocol: ServicePortSpec['appProtocol'],
  { freePort }: WishSurroundings,
): readonly ServicePortSpec[] {
  return endpoint.list('Ports').map((port) => {
    const protocol = oneOf(port, 'Protocol', ['tcp', 'udp', 'sctp'] as const) ?? 'tcp'
    const mode = oneOf(port, 'PublishMode', ['ingress', 'host'] as const) ?? 'ingress'
    const containerPort = portOf(port, 'TargetPort')
    const published = portOf(port, 'PublishedPort')
    if (containerPort === 0) throw dockerError('docker.field_invalid', `${port.at}.TargetPort: name the port of the container`)
    if (mode === 'ingress' && protocol !== 'tcp')
      throw dockerError('docker.option_unsupported', `${port.at}: ${protocol} is not published by the router: say mode=host`)
    const number = published !== 0 ? published : mode === 'ingress' ? freePort(protocol, containerPort) : null
    return { containerPort, protocol, hostIp: '', published: number, mode, appProtocol }
  })
}

const MAX_PORT = 65_535

function portOf(port: Reader, name: string): number {
  const value = port.int(name) ?? 0
  if (value < 0 || value > MAX_PORT) throw dockerError('docker.field_invalid', `${port.at}.${name}: ${value} is no port`)
  return value
}

const DIRECTORY = { secret: '/run/secrets/', config: '/' } as const
const READABLE_BY_ALL = 0o444

function filesOf(
  task: Reader,
  kind: 'secret' | 'config',
  around: WishSurroundings,
): { readonly mounts: readonly SecretMountSpec[]; readonly specs: readonly KeyedSecretSpec[] } {
  const prefix = kind === 'secret' ? 'Secret' : 'Config'
  const read = task
    .inner('ContainerSpec')
    .list(`${prefix}s`)
    .map((one) => {
      const name = around.secretName(kind, one.text(`${prefix}ID`))
      const file = one.inner('File')
      const path = file.text('Name') || name
      const mode = file.int('Mode') ?? READABLE_BY_ALL
      const target = path.startsWith('/') ? path : `${DIRECTORY[kind]}${path}`
      return { secret: name, target, uid: idOf(file, 'UID'), gid: idOf(file, 'GID'), mode }
    })
  const names = [...new Set(read.map(({ secret }) => secret))]
  return { mounts: read, specs: names.map((name) => ({ key: name, name, isExternal: true, labels: {} })) }
}

function idOf(file: Reader, name: string): number {
  const text = file.text(name) || '0'
  if (!/^\d{1,9}$/.test(text))
    throw dockerError('docker.field_invalid', `${file.at}.${name}: ${JSON.stringify(text)} is not a number`)
  return Number(text)
}
