import { specError } from './errors.ts'
import type {
  DependencySpec,
  NetworkSpec,
  RestartSpec,
  ServicePortSpec,
  ServiceSpec,
  StackSpec,
  SubnetSpec,
  VolumeSpec,
} from './model.ts'
import type { PeopleSpec } from './people-model.ts'
import { policy } from './policy-shapes.ts'
import { route } from './route-shapes.ts'
import { keyedSecret, operation } from './service-shapes.ts'
import { task } from './task-shapes.ts'
import { aDuration, aFlag, aText, aWhole, listOf, matching, objectOf, oneOf, orAbsent, orNull, textMap, texts } from './shapes.ts'

/** Complaints beyond these do not help anybody. */
const MAX_COMPLAINTS = 20

/** A stack is one application; the store holds it as one record. */
const MAX_PARTS = 1000

const port = aWhole(1, 65_535)

const dependency = objectOf<DependencySpec>({ service: aText, condition: oneOf('started', 'healthy', 'completed_successfully') })

const restart = objectOf<RestartSpec>({
  condition: oneOf('never', 'on-failure', 'always'),
  maxAttempts: aWhole(0),
  delayMs: aDuration,
  windowMs: orAbsent(aDuration),
})

const servicePort = objectOf<ServicePortSpec>({
  containerPort: port,
  protocol: oneOf('tcp', 'udp', 'sctp'),
  hostIp: matching(/^[0-9a-fA-F.:]*$/, 'an address'),
  published: orNull(port),
  mode: oneOf('ingress', 'host'),
  appProtocol: oneOf('tcp', 'http'),
})

const service = objectOf<ServiceSpec>({
  name: matching(/^[a-zA-Z0-9._-]+$/, 'a service name'),
  ...operation,
  replicas: aWhole(0, MAX_PARTS),
  dependsOn: listOf(dependency, MAX_PARTS),
  restart,
  ports: listOf(servicePort, MAX_PARTS),
  endpointMode: orAbsent(oneOf('vip', 'dnsrr')),
  people: orAbsent(objectOf<PeopleSpec>({ owner: aText, contact: aText, runbook: aText })),
  containerName: orNull(aText),
  task,
})

const network = objectOf<NetworkSpec>({
  key: aText,
  name: aText,
  isExternal: aFlag,
  isInternal: aFlag,
  subnets: listOf(
    objectOf<SubnetSpec>({
      subnet: aText,
      gateway: orNull(aText),
      ipRange: orAbsent(aText),
      auxiliaryAddresses: orAbsent(textMap),
    }),
    100,
  ),
  labels: textMap,
  driver: orAbsent(aText),
  options: orAbsent(textMap),
  hasIpv4: orAbsent(aFlag),
  hasIpv6: orAbsent(aFlag),
  isAttachable: orAbsent(aFlag),
})

const volume = objectOf<VolumeSpec>({ key: aText, name: aText, isExternal: aFlag, driverOptions: textMap, labels: textMap })

const stack = objectOf<StackSpec>({
  name: matching(/^[a-z0-9][a-z0-9_-]*$/, 'a stack name'),
  workingDir: aText,
  configFiles: texts,
  services: listOf(service, MAX_PARTS),
  networks: listOf(network, MAX_PARTS),
  volumes: listOf(volume, MAX_PARTS),
  secrets: listOf(keyedSecret, MAX_PARTS),
  configs: listOf(keyedSecret, MAX_PARTS),
  policy: orAbsent(policy),
  routes: orAbsent(listOf(route, MAX_PARTS)),
})

/** Checks a stack that came over the wire: its form, and that what it names is there. Errors: `stack_spec.invalid`, naming every place. */
export function readStackSpec(value: unknown): StackSpec {
  const complaints: string[] = []
  const complain = (message: string) => void complaints.push(message)
  if (stack(value, 'stack', complain)) {
    checkReferences(value, complain)
    if (complaints.length === 0) return value
  }
  throw specError('stack_spec.invalid', `not a stack: ${complaints.slice(0, MAX_COMPLAINTS).join('; ')}`)
}

function checkReferences(spec: StackSpec, complain: (message: string) => void): void {
  checkUnique(
    'service',
    spec.services.map((item) => item.name),
    complain,
  )
  checkUnique(
    'network',
    spec.networks.map((item) => item.key),
    complain,
  )
  checkUnique(
    'volume',
    spec.volumes.map((item) => item.key),
    complain,
  )
  for (const [what, list] of [
    ['secret', spec.secrets],
    ['config', spec.configs],
  ] as const)
    checkUnique(
      what,
      list.map((item) => item.key),
      complain,
    )
  checkPolicy(spec, complain)
  checkRoutes(spec, complain)
  for (const { name, dependsOn, task: template, secrets, configs } of spec.services) {
    const unknown = [
      ...secrets.map((item) => item.secret).filter((key) => !spec.secrets.some((item) => item.key === key)),
      ...configs.map((item) => item.secret).filter((key) => !spec.configs.some((item) => item.key === key)),
      ...dependsOn.map((item) => item.service).filter((other) => !spec.services.some((item) => item.name === other)),
      ...template.networks.map((item) => item.network).filter((key) => !spec.networks.some((item) => item.key === key)),
      ...template.mounts
        .flatMap((mount) => (mount.type === 'volume' && mount.volume !== null ? [mount.volume] : []))
        .filter((key) => !spec.volumes.some((item) => item.key === key)),
    ]
    for (const other of unknown) complain(`service ${name} refers to ${JSON.stringify(other)}, which the stack does not have`)
  }
}

function checkPolicy({ policy: rules, services, networks }: StackSpec, complain: (message: string) => void): void {
  for (const { from, to } of rules?.allow ?? []) {
    if (from.length === 0) complain('a rule of the policy lets nobody in')
    for (const name of to.filter((one) => !services.some((item) => item.name === one)))
      complain(`the policy refers to the service ${JSON.stringify(name)}, which the stack does not have`)
  }
  const egress = (rules?.egress ?? []).map((item) => item.network)
  for (const key of egress.filter((one) => !networks.some((item) => item.key === one)))
    complain(`the policy refers to the network ${JSON.stringify(key)}, which the stack does not have`)
  checkUnique('egress', egress, complain)
}

function checkRoutes({ routes = [], services }: StackSpec, complain: (message: string) => void): void {
  checkUnique(
    'route',
    routes.map((item) => item.name),
    complain,
  )
  for (const { name, targets } of routes)
    for (const target of targets)
      if (target.type === 'service' && !services.some((item) => item.name === target.service))
        complain(`the route ${name} leads to ${JSON.stringify(target.service)}, which the stack does not have`)
}

function checkUnique(what: string, names: readonly string[], complain: (message: string) => void): void {
  for (const name of names.filter((item, index) => names.indexOf(item) !== index))
    complain(`two ${what}s are called ${JSON.stringify(name)}`)
}
