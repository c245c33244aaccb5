import type { ServiceSpec, StackSpec } from '#cluster/spec'

/** One thing that is not the same in two applications. */
export interface Difference {
  /** `api.image`, `web.environment.DEBUG`, `routes.shop.port`. */
  readonly path: string
  /** JSON; null: it is not there. */
  readonly left: string | null
  readonly right: string | null
}

/** An application with the ids of its images, by service, as far as they are known. */
export interface ComparedStack {
  readonly spec: StackSpec
  readonly images: Readonly<Record<string, string>>
}

/** What differs by path. What copies never have in common (names, ports, hosts, what holds them apart) is left out unless `isWhole`. Pure. */
export function diffStacks(left: ComparedStack, right: ComparedStack, isWhole: boolean): readonly Difference[] {
  const [one, other] = [left, right].map((stack) => new Map(leaves(comparable(stack, isWhole), '')))
  const paths = [...new Set([...(one?.keys() ?? []), ...(other?.keys() ?? [])])].toSorted()
  const differences = paths
    .map((path) => ({ path, left: one?.get(path) ?? null, right: other?.get(path) ?? null }))
    .filter((difference) => difference.left !== difference.right)
  const others = new Set(differences.map(({ path }) => path))
  // Another name says that it is another image.
  return differences.filter(({ path }) => !path.endsWith('.imageId') || !others.has(path.replace(/Id$/, '')))
}

/** Lists of parts as records by name, so that they are compared by name and not by place. */
function comparable({ spec, images }: ComparedStack, isWhole: boolean): unknown {
  const { services, networks, volumes, secrets, configs, routes = [], policy } = spec
  const parts = <T extends { readonly key: string }>(list: readonly T[], plain: (part: T) => unknown) =>
    Object.fromEntries(list.map((part) => [part.key, isWhole ? part : plain(part)]))
  return {
    ...Object.fromEntries(services.map((service) => [service.name, comparableService(service, images[service.name], isWhole)])),
    networks: parts(networks, ({ isInternal, driver = 'bridge' }) => ({ isInternal, driver })),
    volumes: parts(volumes, () => 'volume'),
    secrets: parts(secrets, () => 'secret'),
    configs: parts(configs, () => 'config'),
    routes: Object.fromEntries(routes.map((route) => [route.name, isWhole ? route : plainRoute(route)])),
    ...(isWhole && policy !== undefined ? { policy } : {}),
  }
}

function comparableService(service: ServiceSpec, image: string | undefined, isWhole: boolean): unknown {
  const { name: _name, task, ...rest } = service
  const { restartsWith: _restarts, ...template } = task
  const whole = { ...rest, ...template, ...(image === undefined ? {} : { imageId: image }) }
  if (isWhole) return whole
  return {
    ...whole,
    containerName: null,
    ports: service.ports.map((port) => ({ ...port, published: null })),
    networks: task.networks.map(({ network, aliases }) => ({ network, aliases })),
    mounts: task.mounts.map((mount) => (mount.type === 'bind' ? { ...mount, isReadOnly: null } : mount)),
    job:
      service.job === null || service.job.schedule === null
        ? service.job
        : { ...service.job, schedule: { ...service.job.schedule, isSuspended: null } },
    placement: { ...service.placement, affinities: service.placement.affinities.length },
  }
}

function plainRoute(route: NonNullable<StackSpec['routes']>[number]): unknown {
  const { port: _port, rule, ...rest } = route
  const { hosts: _hosts, tls, redirect: _redirect, ...same } = rule
  return { ...rest, ...same, hasTls: tls !== null }
}

function* leaves(value: unknown, path: string): Generator<readonly [path: string, json: string]> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    if (value !== undefined) yield [path, JSON.stringify(value)]
    return
  }
  for (const [key, item] of Object.entries(value)) yield* leaves(item, path === '' ? key : `${path}.${key}`)
}
