import type { ReadContext } from './context.ts'
import { type Field, withoutNulls } from './fields.ts'
import type { DependencySpec, ServiceSpec } from './model.ts'
import { PLAIN_SERVICE } from './plain-service.ts'
import { DEPLOY_FIELDS, readJob, readMode, readPlacement, readReplicas, readRestart, readRollout } from './read-deploy.ts'
import { readPorts } from './read-ports.ts'
import { readGrants } from './read-secrets.ts'
import { readTask } from './read-task.ts'
import { REFUSED_FIELDS, SERVICE_FIELDS } from './service-fields.ts'

/** `isAwaited`: another service waits for this one's completion, so it is meant to end. */
export function readService(name: string, service: Field, context: ReadContext, isAwaited: boolean): ServiceSpec {
  service.only(SERVICE_FIELDS, REFUSED_FIELDS)
  const deploy = service.child('deploy')
  deploy.only(DEPLOY_FIELDS)
  service.child('isolation').oneOf(['default'])
  service.child('runtime').oneOf(['crun', 'runc'])
  const image = service.child('image').text()
  if (image === null && !service.child('build').isPresent) service.refuse('needs an "image" or a "build"')
  const mode = readMode(deploy)
  const replicas = readReplicas(service, deploy, mode)
  const endpointMode = deploy.child('endpoint_mode').oneOf(['vip', 'dnsrr'])
  const spec: ServiceSpec = {
    ...PLAIN_SERVICE,
    name,
    mode,
    replicas,
    job: readJob(deploy, mode, replicas),
    labels: withoutNulls(deploy.child('labels').pairs()),
    placement: readPlacement(service, deploy),
    update: readRollout(deploy.child('update_config'), ['rollback', 'pause', 'continue']),
    rollback: readRollout(deploy.child('rollback_config'), ['pause', 'continue']),
    secrets: readGrants('secret', service.child('secrets'), context),
    configs: readGrants('config', service.child('configs'), context),
    dependsOn: readDependencies(service.child('depends_on')).map(({ service: other, condition }) => ({
      service: other,
      condition,
    })),
    restart: readRestart(service, deploy.child('restart_policy'), isAwaited),
    ports: readPorts(service.child('ports')),
    ...(endpointMode === null ? {} : { endpointMode }),
    containerName: service.child('container_name').text(),
    task: readTask(service, context, image ?? `${context.stackName}-${name}`),
  }
  refuseSharing(service, spec)
  return spec
}

/** What only one task can have, and several cannot. */
function refuseSharing(service: Field, { containerName, ports, mode, replicas, task }: ServiceSpec): void {
  const count = mode === 'global' || mode === 'global-job' ? 'the tasks of all nodes' : `${replicas} replicas`
  const isShared = replicas > 1 && !mode.startsWith('global')
  if (containerName !== null && isShared)
    service.child('container_name').refuse(`"container_name" ${containerName} cannot be shared by ${count}`)
  const fixed = ports.find((port) => port.mode === 'host' && port.published !== null)
  if (fixed !== undefined && isShared)
    service
      .child('ports')
      .refuse(`port ${fixed.published}/${fixed.protocol} is published by each task itself and cannot be shared by ${count}`)
  const address = task.networks.find((network) => network.ipv4Address !== undefined || network.ipv6Address !== undefined)
  if (address !== undefined && isShared)
    service.child('networks').refuse(`the address ${address.ipv4Address ?? address.ipv6Address} cannot be shared by ${count}`)
}

export interface ReadDependency extends DependencySpec {
  /** Those that are not may be missing. */
  readonly isRequired: boolean
  /** A change of it makes new tasks here. */
  readonly restarts: boolean
}

/** Whether the named services exist is the stack's business. */
export function readDependencies(dependsOn: Field): readonly ReadDependency[] {
  if (dependsOn.isList())
    return dependsOn.texts().map((service) => ({ service, condition: 'started', isRequired: true, restarts: false }))
  return dependsOn.entries().map(([service, options]) => {
    options.only(['condition', 'required', 'restart'])
    const condition = options.child('condition').oneOf(['service_started', 'service_healthy', 'service_completed_successfully'])
    return {
      service,
      condition: CONDITIONS[condition ?? 'service_started'],
      isRequired: options.child('required').flag() ?? true,
      restarts: options.child('restart').flag() ?? false,
    }
  })
}

const CONDITIONS = {
  service_started: 'started',
  service_healthy: 'healthy',
  service_completed_successfully: 'completed_successfully',
} as const
