import { messageOf } from '#base'
import type { ShutdownPort } from '#api/glovebox'

import type { GloveboxNeeds } from './glovebox-needs.ts'

/** Ends the daemon; with its containers nothing of the instance stays in the kernel. Images, volumes and records stay under the root. */
export function shutdownPort({ engine, cluster, host, leave, instance }: GloveboxNeeds): ShutdownPort {
  return {
    prepare: async ({ stopContainers }) => {
      if (!stopContainers) return { pid: process.pid, stoppedContainers: 0, leftovers: [] }
      const leftovers: string[] = []
      const attempt = async (what: string, work: () => Promise<void>) => {
        try {
          await work()
        } catch (error) {
          leftovers.push(`${what}: ${messageOf(error)}`)
        }
      }
      // First of all: they would start again what is being stopped.
      await attempt('stop planning', async () => await cluster.halt())
      const running = engine.containers.list().filter((container) => container.status.pid !== 0).length
      await attempt('stop containers', async () => await engine.containers.stopAll())
      await attempt('stop naming services', async () => await cluster.discovery[Symbol.asyncDispose]())
      await attempt('stop judging connections', async () => await cluster.policy[Symbol.asyncDispose]())
      await attempt('stop the router', async () => await cluster.router.stop())
      await attempt('take down networks', async () => await engine.networks.shutdown({ remove: true }))
      await attempt('remove cgroups', async () => {
        host[Symbol.dispose]()
        await host.cgroups.remove(`/glovebox/${instance}`)
        // The parent of all instances goes with the last of them.
        host.cgroups.removeIfEmpty('/glovebox')
      })
      return { pid: process.pid, stoppedContainers: running, leftovers }
    },
    leave,
  }
}
