import type { DeviceSpec, EndpointOptions, HooksSpec, NamespaceSpec, RareResourceSpec } from './host-model.ts'
import type { JobSpec, ServiceMode } from './mode-model.ts'
import type { PeopleSpec } from './people-model.ts'
import type { PlacementSpec } from './placement-model.ts'
import type { EndpointMode, PolicySpec } from './policy-model.ts'
import type { ChecksSpec, RolloutSpec } from './rollout-model.ts'
import type { RouteSpec } from './route-model.ts'
import type { KeyedSecretSpec, SecretMountSpec } from './secret-model.ts'

/** What the user wants of one application. Plain JSON values only: it travels from the client to the daemon and into the store. */
export interface StackSpec {
  readonly name: string
  /** Directory and files it was read from, for the labels that Compose tools look at. May be empty. */
  readonly workingDir: string
  readonly configFiles: readonly string[]
  readonly services: readonly ServiceSpec[]
  readonly networks: readonly NetworkSpec[]
  readonly volumes: readonly VolumeSpec[]
  readonly secrets: readonly KeyedSecretSpec[]
  readonly configs: readonly KeyedSecretSpec[]
  /** Absent: everything inside may talk, nothing else may come, all may go outside. */
  readonly policy?: PolicySpec
  /** Absent: none but those of published ports. */
  readonly routes?: readonly RouteSpec[]
}

/** N tasks of one kind behind one name. */
export interface ServiceSpec {
  readonly name: string
  readonly mode: ServiceMode
  /** Of a `replicated` one. */
  readonly replicas: number
  /** Of both kinds of jobs; null otherwise. */
  readonly job: JobSpec | null
  readonly labels: Readonly<Record<string, string>>
  readonly placement: PlacementSpec
  readonly update: RolloutSpec
  /** How it goes back; strategy `rolling`. */
  readonly rollback: RolloutSpec
  readonly checks: ChecksSpec
  readonly secrets: readonly SecretMountSpec[]
  readonly configs: readonly SecretMountSpec[]
  readonly dependsOn: readonly DependencySpec[]
  readonly restart: RestartSpec
  readonly ports: readonly ServicePortSpec[]
  /** Absent: `vip`. */
  readonly endpointMode?: EndpointMode
  /** Absent: nobody said. */
  readonly people?: PeopleSpec
  /** Set: the only task has this name, instead of `stack-service-number`. */
  readonly containerName: string | null
  readonly task: TaskTemplate
}

export interface DependencySpec {
  readonly service: string
  readonly condition: DependencyCondition
}

export type DependencyCondition = 'started' | 'healthy' | 'completed_successfully'

export interface RestartSpec {
  readonly condition: 'never' | 'on-failure' | 'always'
  /** Failures in a row after which it is left alone; 0: no bound. */
  readonly maxAttempts: number
  /** Least wait before a restart. */
  readonly delayMs: number
  /** A task that ran so long has not failed to start: the count begins anew. Absent: ten seconds. */
  readonly windowMs?: number
}

export interface ServicePortSpec {
  readonly containerPort: number
  readonly protocol: 'tcp' | 'udp' | 'sctp'
  /** Empty: every IPv4 address of the host. */
  readonly hostIp: string
  /** null: a free one is chosen when the stack is applied, and kept. */
  readonly published: number | null
  /** `ingress`: the router listens and spreads over the tasks. `host`: the task's own node publishes it. */
  readonly mode: 'ingress' | 'host'
  /** `http` lets the router repeat requests that are safe to repeat. */
  readonly appProtocol: 'tcp' | 'http'
}

/** What each task of a service is made from. The hash of this decides whether a task is up to date. */
export interface TaskTemplate {
  readonly image: string
  /** null: what the image says. */
  readonly command: readonly string[] | null
  readonly entrypoint: readonly string[] | null
  readonly environment: Readonly<Record<string, string>>
  readonly user: string | null
  readonly additionalGroups: readonly string[]
  readonly workingDir: string | null
  readonly hostname: string | null
  readonly domainname: string | null
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly hasInit: boolean
  readonly hasTty: boolean
  readonly isStdinOpen: boolean
  readonly stopSignal: string | null
  readonly stopGracePeriodMs: number | null
  /** `80/tcp`. */
  readonly expose: readonly string[]
  readonly health: HealthSpec | null
  readonly mounts: readonly MountSpec[]
  readonly networks: readonly AttachmentSpec[]
  readonly dns: readonly string[]
  readonly dnsSearch: readonly string[]
  readonly dnsOptions: readonly string[]
  /** `host:ip`. */
  readonly extraHosts: readonly string[]
  readonly resources: ResourceSpec
  readonly security: SecuritySpec
  readonly log: LogSpec
  /** Absent: all its own. */
  readonly namespaces?: NamespaceSpec
  /** Absent: none but those that every container has. */
  readonly devices?: readonly DeviceSpec[]
  /** Lines such as `c 42:* rmw`. */
  readonly deviceCgroupRules?: readonly string[]
  readonly hooks?: HooksSpec
  /**
   * What other services are made from, by their names: a change of it makes new tasks of this one (`depends_on` with `restart`, and who shares
   * namespaces of a service).
   */
  readonly restartsWith?: Readonly<Record<string, string>>
}

/** Fields that are null come from the image's own health check. */
export interface HealthSpec {
  /** `['CMD', ...]`, `['CMD-SHELL', text]`, or `['NONE']`: no check, whatever the image says. */
  readonly test: readonly string[] | null
  readonly intervalMs: number | null
  readonly timeoutMs: number | null
  readonly startPeriodMs: number | null
  readonly startIntervalMs: number | null
  readonly retries: number | null
}

export type MountSpec = BindMountSpec | VolumeMountSpec | TmpfsMountSpec

export interface BindMountSpec {
  readonly type: 'bind'
  /** Absolute path on the node. */
  readonly source: string
  readonly target: string
  readonly isReadOnly: boolean
  readonly createSource: boolean
  readonly propagation: 'private' | 'rprivate' | 'shared' | 'rshared' | 'slave' | 'rslave'
  /** Absent: true, what is mounted below comes along. */
  readonly isRecursive?: boolean
  /** Of a read-only one: not what is mounted below it, or that as well or not at all. Absent: that as well where the kernel can. */
  readonly readOnly?: 'non-recursive' | 'forced'
}

export interface VolumeMountSpec {
  readonly type: 'volume'
  /** Key in `StackSpec.volumes`; null: an anonymous volume. */
  readonly volume: string | null
  readonly target: string
  readonly isReadOnly: boolean
  readonly isNoCopy: boolean
  readonly subpath: string
  /** Of an anonymous volume. */
  readonly labels?: Readonly<Record<string, string>>
}

export interface TmpfsMountSpec {
  readonly type: 'tmpfs'
  readonly target: string
  readonly sizeBytes: number | null
  readonly mode: number | null
  readonly options: readonly string[]
}

/** A network that the tasks join. */
export interface AttachmentSpec extends EndpointOptions {
  /** Key in `StackSpec.networks`. */
  readonly network: string
  /** Besides the service's and the task's own names. */
  readonly aliases: readonly string[]
}

/** null: no bound, or the engine's own default. */
export interface ResourceSpec extends RareResourceSpec {
  readonly memoryBytes: number | null
  /** Memory and swap together; -1 is no limit. */
  readonly memorySwapBytes: number | null
  readonly memoryReservationBytes: number | null
  readonly nanoCpus: number | null
  /** What the scheduler sets aside; not enforced by the kernel. */
  readonly reservedNanoCpus: number | null
  readonly cpuShares: number | null
  readonly cpusetCpus: string
  readonly pidsLimit: number | null
  readonly shmBytes: number | null
  readonly ulimits: readonly { readonly name: string; readonly soft: number; readonly hard: number }[]
}

export interface SecuritySpec {
  readonly isPrivileged: boolean
  readonly isReadOnlyRoot: boolean
  readonly capAdd: readonly string[]
  readonly capDrop: readonly string[]
  readonly isNoNewPrivileges: boolean
  readonly isSeccompUnconfined: boolean
  readonly isSystemPathsUnconfined: boolean
  /** Text of a seccomp profile, instead of the engine's own. */
  readonly seccompProfile?: string
  /** Name of a profile that the node's kernel has loaded, or `unconfined`. */
  readonly apparmor?: string
  readonly sysctls: Readonly<Record<string, string>>
}

export interface LogSpec {
  /** Empty: what the daemon of the node says. */
  readonly driver: '' | 'json-file' | 'local' | 'none'
  readonly options: Readonly<Record<string, string>>
}

export interface NetworkSpec {
  /** Its name inside the stack. */
  readonly key: string
  /** Its name on the node. */
  readonly name: string
  /** Made and removed by somebody else. */
  readonly isExternal: boolean
  readonly isInternal: boolean
  readonly subnets: readonly SubnetSpec[]
  readonly labels: Readonly<Record<string, string>>
  /** `bridge`, `macvlan`, `ipvlan`. Absent: `bridge`. */
  readonly driver?: string
  /** `com.docker.network.*`, `parent`, ... */
  readonly options?: Readonly<Record<string, string>>
  /** Absent: true. */
  readonly hasIpv4?: boolean
  /** Absent: false. */
  readonly hasIpv6?: boolean
  /** Absent: true. */
  readonly isAttachable?: boolean
}

export interface SubnetSpec {
  readonly subnet: string
  readonly gateway: string | null
  /** Tasks get addresses from here only. */
  readonly ipRange?: string
  /** Addresses that are never given out, by the name of what has them. */
  readonly auxiliaryAddresses?: Readonly<Record<string, string>>
}

export interface VolumeSpec {
  readonly key: string
  readonly name: string
  readonly isExternal: boolean
  readonly driverOptions: Readonly<Record<string, string>>
  readonly labels: Readonly<Record<string, string>>
}
