import type { ReadContext } from './context.ts'
import type { Field } from './fields.ts'
import type { DependencySpec, RestartSpec, ServiceSpec } from './model.ts'
import { PLAIN_SERVICE } from './plain-service.ts'
import { readPorts } from './read-ports.ts'
import { readTask } from './read-task.ts'

/** Every field of a service that means something here. All others are refused by name. */
const SERVICE_FIELDS: readonly string[] = [
  ...[
    'image',
    'build',
    'command',
    'entrypoint',
    'environment',
    'env_file',
    'ports',
    'expose',
    'volumes',
    'networks',
    'depends_on',
  ],
  ...[
    'healthcheck',
    'deploy',
    'scale',
    'mem_limit',
    'mem_reservation',
    'memswap_limit',
    'cpus',
    'cpu_shares',
    'cpuset',
    'pids_limit',
  ],
  ...[
    'restart',
    'user',
    'group_add',
    'working_dir',
    'hostname',
    'domainname',
    'labels',
    'annotations',
    'init',
    'tty',
    'stdin_open',
  ],
  ...[
    'stop_signal',
    'stop_grace_period',
    'cap_add',
    'cap_drop',
    'privileged',
    'read_only',
    'tmpfs',
    'shm_size',
    'sysctls',
    'ulimits',
  ],
  ...[
    'extra_hosts',
    'dns',
    'dns_search',
    'dns_opt',
    'security_opt',
    'logging',
    'profiles',
    'container_name',
    'secrets',
    'configs',
    'develop',
  ],
]

/** One node runs some hundreds of containers; thousands of one service are a slip of the finger. */
const MAX_REPLICAS = 1000

/** `isAwaited`: another service waits for this one's completion, so it is meant to end. */
export function readService(name: string, service: Field, context: ReadContext, isAwaited: boolean): ServiceSpec {
  service.only(SERVICE_FIELDS)
  const deploy = service.child('deploy')
  deploy.only(['replicas', 'resources', 'restart_policy', 'mode'])
  deploy.child('mode').oneOf(['replicated'])
  const image = service.child('image').text()
  if (image === null && !service.child('build').isPresent) service.refuse('needs an "image" or a "build"')
  const replicas = readReplicas(service, deploy)
  const containerName = service.child('container_name').text()
  if (containerName !== null && replicas > 1) {
    service.child('container_name').refuse(`"container_name" ${containerName} cannot be shared by ${replicas} replicas`)
  }
  const ports = readPorts(service.child('ports'))
  const fixed = ports.find((port) => port.mode === 'host' && port.published !== null)
  if (fixed !== undefined && replicas > 1) {
    service
      .child('ports')
      .refuse(
        `port ${fixed.published}/${fixed.protocol} is published by each task itself and cannot be shared by ${replicas} replicas`,
      )
  }
  return {
    ...PLAIN_SERVICE,
    name,
    replicas,
    dependsOn: readDependencies(service.child('depends_on')),
    restart: readRestart(service, deploy.child('restart_policy'), isAwaited),
    ports,
    containerName,
    task: readTask(service, context, image ?? `${context.stackName}-${name}`),
  }
}

function readReplicas(service: Field, deploy: Field): number {
  const scale = service.child('scale').whole({ max: MAX_REPLICAS })
  const replicas = deploy.child('replicas').whole({ max: MAX_REPLICAS })
  if (scale !== null && replicas !== null && scale !== replicas)
    service.child('scale').refuse(`${scale} contradicts "deploy.replicas" ${replicas}`)
  return replicas ?? scale ?? 1
}

/** Whether the named services exist is the stack's business. Those not `required` may be missing there. */
export function readDependencies(dependsOn: Field): readonly (DependencySpec & { readonly isRequired?: boolean })[] {
  if (dependsOn.isList()) return dependsOn.texts().map((service) => ({ service, condition: 'started' }))
  return dependsOn.entries().map(([service, options]) => {
    options.only(['condition', 'required', 'restart'])
    if (options.child('restart').flag() === true)
      options.child('restart').refuse('"depends_on" with "restart: true" is not supported yet')
    const condition = options.child('condition').oneOf(['service_started', 'service_healthy', 'service_completed_successfully'])
    const isRequired = options.child('required').flag() ?? true
    return { service, condition: CONDITIONS[condition ?? 'service_started'], ...(isRequired ? {} : { isRequired }) }
  })
}

const CONDITIONS = {
  service_started: 'started',
  service_healthy: 'healthy',
  service_completed_successfully: 'completed_successfully',
} as const

/** A service that says nothing is kept running, unless others wait for its end: then it is only tried again when it fails. */
function readRestart(service: Field, policy: Field, isAwaited: boolean): RestartSpec {
  policy.only(['condition', 'delay', 'max_attempts', 'window'])
  const restart = service.child('restart')
  const delayMs = policy.child('delay').durationMs() ?? 0
  if (policy.child('window').isPresent) policy.child('window').refuse('"restart_policy.window" is not supported yet')
  if (policy.isPresent) {
    const named = policy.child('condition').oneOf(['none', 'on-failure', 'any']) ?? 'any'
    const condition = ({ none: 'never', 'on-failure': 'on-failure', any: 'always' } as const)[named]
    return { condition, maxAttempts: policy.child('max_attempts').whole() ?? 0, delayMs }
  }
  const text = restart.text()
  const match = /^(no|false|always|unless-stopped|on-failure)(?::(\d+))?$/.exec(text ?? '')
  if (text === null) return { condition: isAwaited ? 'on-failure' : 'always', maxAttempts: 0, delayMs }
  if (match === null || (match[2] !== undefined && match[1] !== 'on-failure')) {
    restart.refuse(`"restart" must be no, always, unless-stopped, on-failure or on-failure:N, not ${JSON.stringify(text)}`)
  }
  const condition =
    match?.[1] === 'on-failure' ? 'on-failure' : match?.[1] === 'no' || match?.[1] === 'false' ? 'never' : 'always'
  return { condition, maxAttempts: Number(match?.[2] ?? 0), delayMs }
}
