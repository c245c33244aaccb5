import type { GloveboxApiPorts } from '#api/glovebox'
import { systemRandom } from '#base'
import { openJobs } from '#cluster/jobs'
import { examine, hostProbe } from '#operate/doctor'

import { bootstrapPort } from './bootstrap.ts'
import { buildsPort } from './building/builds-port.ts'
import { attestations } from './building/exchange.ts'
import { anatomyPort } from './anatomy.ts'
import { commandLinePort } from './command-line.ts'
import type { GloveboxNeeds } from './glovebox-needs.ts'
import { namesPort } from './names-port.ts'
import { jobsPort } from './jobs-port.ts'
import { operationPorts } from './operation-ports.ts'
import { policyPort } from './policy-port.ts'
import { registryPort } from './registry-port.ts'
import { routesPort } from './routes-port.ts'
import { shutdownPort } from './shutdown.ts'
import { stacksPort } from './stacks-port.ts'
import { whyPort } from './why/why-port.ts'

/** What our own API stands on. */
export function gloveboxPorts(needs: GloveboxNeeds): GloveboxApiPorts {
  const { engine, cluster, garbage, clock, root } = needs
  const builds = buildsPort(engine.builder, engine.contexts, {
    said: (image) => attestations(engine.store, engine.images).get(image),
    random: systemRandom(),
  })
  return {
    stacks: stacksPort(needs),
    bootstrap: bootstrapPort(engine.images),
    builds,
    registry: registryPort(needs.served),
    policy: policyPort(cluster, needs.host, namesPort(cluster, engine)),
    routes: routesPort(cluster.router),
    why: whyPort(needs),
    anatomy: anatomyPort({ ...needs, ...engine }),
    processes: {
      processes: async (refs) => {
        const records =
          refs.length === 0
            ? engine.containers.list().filter((record) => record.status.pid !== 0)
            : refs.map((ref) => engine.containers.get(ref))
        const lists = await Promise.all(
          records.map(async ({ id, name }) =>
            (await engine.containers.top(id)).map((process) => ({
              ...process,
              // The host's names for users are not the container's.
              user: process.uid === 0 ? 'root' : String(process.uid),
              containerId: id,
              containerName: name,
              parentPid: process.ppid,
            })),
          ),
        )
        return lists.flat()
      },
    },
    doctor: {
      findings: async () =>
        await examine(
          hostProbe(process.env, () => clock.nowMs()),
          {
            root,
            snapshotDriver: { name: engine.driver.kind, reason: engine.driver.reasons.join(' ') },
          },
        ),
    },
    collection: {
      report: () => garbage.report(),
      preview: () => garbage.preview(),
      collect: async () => await garbage.collect('request'),
    },
    secrets: needs.records.secrets,
    metrics: needs.measured,
    environments: cluster.environments,
    jobs: jobsPort({
      jobs: openJobs({ store: needs.records.store, clock, random: systemRandom() }),
      containers: engine.containers,
      log: needs.log,
    }),
    ...operationPorts(needs),
    actorOf: (request) => needs.actors.actorOf(request, 'api'),
    shutdown: shutdownPort(needs),
    dashboard: needs.dashboardPort,
    commandLine: commandLinePort({ ...needs, builds }),
  }
}
