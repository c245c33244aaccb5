import type { Duplex } from 'node:stream'

import { type BuildCalls, buildCalls } from './builds.ts'
import { type ContainerCalls, containerCalls } from './containers.ts'
import { type EnvironmentCalls, environmentCalls } from './environments.ts'
import { type DashboardCalls, dashboardCalls } from './dashboard.ts'
import { type GloveboxCalls, gloveboxCalls } from './glovebox.ts'
import { type ImageCalls, imageCalls } from './images.ts'
import { type JobCalls, jobCalls } from './jobs.ts'
import { type MetricCalls, metricCalls } from './metrics.ts'
import { type NetworkCalls, networkCalls } from './networks.ts'
import { type PolicyCalls, policyCalls } from './policy.ts'
import { type RegistryCalls, registryCalls } from './registry.ts'
import { type SecretCalls, secretCalls } from './secrets.ts'
import { type NodeCalls, nodeCalls, type ServiceCalls, serviceCalls } from './services.ts'
import { type RouteCalls, routeCalls } from './routes.ts'
import { type SystemCalls, systemCalls } from './system.ts'
import { type VolumeCalls, volumeCalls } from './volumes.ts'
import { nameOf, type DaemonPlace } from './place.ts'
import { transportTo } from './transport.ts'

export interface Client {
  readonly socketPath: string
  /** A bare connection to the daemon of this machine. */
  connect(): Promise<Duplex>
  readonly containers: ContainerCalls
  readonly images: ImageCalls
  readonly networks: NetworkCalls
  readonly volumes: VolumeCalls
  readonly system: SystemCalls
  readonly glovebox: GloveboxCalls
  readonly dashboard: DashboardCalls
  readonly registry: RegistryCalls
  readonly policy: PolicyCalls
  readonly routes: RouteCalls
  readonly metrics: MetricCalls
  readonly secrets: SecretCalls
  readonly jobs: JobCalls
  readonly environments: EnvironmentCalls
  readonly services: ServiceCalls
  readonly nodes: NodeCalls
  readonly builds: BuildCalls
}

/** Connects nothing yet: each call opens its own connection. */
export function createClient(place: DaemonPlace): Client {
  const transport = transportTo(place)
  return {
    socketPath: nameOf(place),
    connect: () => transport.connect(),
    containers: containerCalls(transport),
    images: imageCalls(transport),
    networks: networkCalls(transport),
    volumes: volumeCalls(transport),
    system: systemCalls(transport),
    glovebox: gloveboxCalls(transport),
    dashboard: dashboardCalls(transport),
    registry: registryCalls(transport),
    policy: policyCalls(transport),
    routes: routeCalls(transport),
    metrics: metricCalls(transport),
    secrets: secretCalls(transport),
    jobs: jobCalls(transport),
    environments: environmentCalls(transport),
    services: serviceCalls(transport),
    nodes: nodeCalls(transport),
    builds: buildCalls(transport),
  }
}
