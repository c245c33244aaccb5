import type { RevisionParts, StackRecord } from '#cluster/model'
import type { SecretMounts, StackSecrets } from '#cluster/secrets'
import type { ServicePortSpec, ServiceSpec, StackSpec } from '#cluster/spec'
import type { ServiceWish } from '#cluster/services'

/** Versions of secrets and configs: with another one there is another revision. */
export interface SecretVersions {
  versions(mounts: SecretMounts, stack: StackSecrets | null): Promise<Readonly<Record<string, number>>>
}

/** Who asks for what a stack says. */
const STACK_OWNER = 'up'

/** `shop_web`: the name over the whole cluster. */
export function serviceName(stack: string, service: string): string {
  return `${stack}_${service}`
}

/** What a stack wants of one of its services. `versions`: of its secrets and configs. */
export function wishOf(
  { spec: stack, chosenPorts }: Pick<StackRecord, 'spec' | 'chosenPorts'>,
  service: ServiceSpec,
  imageId: string | null,
  versions: RevisionParts['versions'],
): ServiceWish {
  const ports = service.ports.map((port) => ({
    ...port,
    published: port.published ?? chosenPorts[portKey(service.name, port)] ?? null,
  }))
  return {
    name: serviceName(stack.name, service.name),
    stack: stack.name,
    labels: service.labels,
    spec: { ...service, ports },
    parts: { ...partsOf(stack, service), versions },
    imageId,
    by: STACK_OWNER,
  }
}

/** Only what the service names: what others need makes no new revision of it. */
function partsOf(stack: StackSpec, { task, secrets, configs }: ServiceSpec): Omit<RevisionParts, 'versions'> {
  const networks = new Set(task.networks.map(({ network }) => network))
  const volumes = new Set(
    task.mounts.flatMap((mount) => (mount.type === 'volume' && mount.volume !== null ? [mount.volume] : [])),
  )
  const [ofSecrets, ofConfigs] = [secrets, configs].map((mounts) => new Set(mounts.map(({ secret }) => secret)))
  return {
    networks: stack.networks.filter(({ key }) => networks.has(key)),
    volumes: stack.volumes.filter(({ key }) => volumes.has(key)),
    secrets: stack.secrets.filter(({ key }) => ofSecrets?.has(key) === true),
    configs: stack.configs.filter(({ key }) => ofConfigs?.has(key) === true),
    workingDir: stack.workingDir,
    configFiles: stack.configFiles,
  }
}

export function portKey(
  service: string,
  { hostIp, containerPort, protocol }: Pick<ServicePortSpec, 'hostIp' | 'containerPort' | 'protocol'>,
): string {
  return `${service}/${hostIp}/${containerPort}/${protocol}`
}
