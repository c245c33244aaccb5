import type { Random } from '#base'
import type { ServiceWish } from '#cluster/services'
import { PLAIN_SERVICE, type MountSpec, type RolloutSpec, type ServiceSpec, type TaskTemplate } from '#cluster/spec'

const TEMPLATE: TaskTemplate = {
  image: 'good:1',
  command: null,
  entrypoint: null,
  environment: {},
  user: null,
  additionalGroups: [],
  workingDir: null,
  hostname: null,
  domainname: null,
  labels: {},
  annotations: {},
  hasInit: false,
  hasTty: false,
  isStdinOpen: false,
  stopSignal: null,
  stopGracePeriodMs: null,
  expose: [],
  health: null,
  mounts: [],
  networks: [{ network: 'default', aliases: [] }],
  dns: [],
  dnsSearch: [],
  dnsOptions: [],
  extraHosts: [],
  resources: {
    memoryBytes: null,
    memorySwapBytes: null,
    memoryReservationBytes: null,
    nanoCpus: null,
    reservedNanoCpus: null,
    cpuShares: null,
    cpusetCpus: '',
    pidsLimit: null,
    shmBytes: null,
    ulimits: [],
  },
  security: {
    isPrivileged: false,
    isReadOnlyRoot: false,
    capAdd: [],
    capDrop: [],
    isNoNewPrivileges: false,
    isSeccompUnconfined: false,
    isSystemPathsUnconfined: false,
    sysctls: {},
  },
  log: { driver: '', options: {} },
}

export interface ServiceChoice {
  readonly name: string
  readonly image?: string
  readonly replicas?: number
  readonly mode?: ServiceSpec['mode']
  readonly update?: Partial<RolloutSpec>
  readonly hasVolume?: boolean
  readonly hostPort?: number
  readonly dependsOn?: ServiceSpec['dependsOn']
  readonly restart?: ServiceSpec['restart']
  readonly job?: ServiceSpec['job']
  readonly hasIngress?: boolean
  readonly stack?: string | null
  readonly checks?: Partial<ServiceSpec['checks']>
}

export function serviceSpec(choice: ServiceChoice): ServiceSpec {
  const mounts: MountSpec[] =
    choice.hasVolume === true
      ? [{ type: 'volume', volume: `${choice.name}-data`, target: '/data', isReadOnly: false, isNoCopy: false, subpath: '' }]
      : []
  const common = { containerPort: 80, protocol: 'tcp', hostIp: '', appProtocol: 'tcp' } as const
  return {
    ...PLAIN_SERVICE,
    name: choice.name,
    mode: choice.mode ?? 'replicated',
    job: choice.job ?? null,
    replicas: choice.replicas ?? 1,
    update: { ...PLAIN_SERVICE.update, ...choice.update },
    checks: { ...PLAIN_SERVICE.checks, ...choice.checks },
    dependsOn: choice.dependsOn ?? [],
    restart: choice.restart ?? { condition: 'always', maxAttempts: 0, delayMs: 0 },
    ports: [
      ...(choice.hasIngress === true ? [{ ...common, published: 8080, mode: 'ingress' as const }] : []),
      ...(choice.hostPort === undefined ? [] : [{ ...common, published: choice.hostPort, mode: 'host' as const }]),
    ],
    containerName: null,
    task: { ...TEMPLATE, image: choice.image ?? 'good:1', mounts },
  }
}

export function wishFor(choice: ServiceChoice): ServiceWish {
  const spec = serviceSpec(choice)
  const stack = choice.stack === undefined ? 'shop' : choice.stack
  return {
    name: stack === null ? choice.name : `${stack}_${choice.name}`,
    stack,
    labels: {},
    spec,
    parts: {
      networks: [{ key: 'default', name: 'shop_default', isExternal: false, isInternal: false, subnets: [], labels: {} }],
      volumes: spec.task.mounts.flatMap((mount) =>
        mount.type === 'volume' && mount.volume !== null
          ? [{ key: mount.volume, name: mount.volume, isExternal: false, driverOptions: {}, labels: {} }]
          : [],
      ),
      secrets: [],
      configs: [],
      versions: {},
      workingDir: '/srv',
      configFiles: [],
    },
    imageId: `sha256:${spec.task.image}`,
    by: 'user',
  }
}

export function randomChoice(name: string, index: number, random: Random): ServiceChoice {
  const pick = <T>(...of: readonly T[]): T => of[random.integer(of.length)] as T
  const strategy = pick<RolloutSpec['strategy']>('rolling', 'rolling', 'rolling', 'blue-green', 'canary')
  const kind = pick('plain', 'plain', 'plain', 'volume', 'port', 'global', 'job')
  return {
    name,
    image: kind === 'job' ? 'job:1' : pick('good:1', 'slow:1'),
    replicas: kind === 'volume' || kind === 'port' ? 1 : 1 + random.integer(4),
    mode: kind === 'global' ? 'global' : kind === 'job' ? 'replicated-job' : 'replicated',
    job:
      kind === 'job'
        ? {
            completions: 1 + random.integer(4),
            parallelism: 1 + random.integer(2),
            retries: 20,
            deadlineMs: null,
            schedule: null,
          }
        : null,
    hasVolume: kind === 'volume',
    hasIngress: random.integer(2) === 0,
    ...(kind === 'port' ? { hostPort: 9000 + index } : {}),
    update: {
      strategy,
      parallelism: random.integer(4),
      delayMs: pick(0, 0, 2000),
      order: kind === 'plain' ? pick('auto', 'start-first', 'stop-first') : 'auto',
      monitorMs: pick(0, 1000, 5000),
      failureAction: pick('pause', 'rollback', 'continue'),
      maxFailureRatio: pick(0, 0.3),
      canary:
        strategy === 'canary'
          ? {
              steps: [
                { weightPercent: 20, holdMs: 2000 },
                { weightPercent: 60, holdMs: 2000 },
              ],
              minRequests: 10,
              maxErrorRatio: 0.1,
              latencyPercentile: 0.95,
              maxLatencyRatio: 3,
              isPromotedByHand: false,
            }
          : null,
    },
  }
}
