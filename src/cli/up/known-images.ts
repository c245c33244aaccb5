import type { ResolvedImage } from '#api/glovebox'
import { isKind } from '#base'
import type { Client } from '#client'
import type { ServiceSpec } from '#cluster/spec'

/** The images of services as they are here now: nothing is built or fetched. What is not here is left out. */
export async function knownImages(
  services: readonly Pick<ServiceSpec, 'name' | 'task'>[],
  client: Client,
): Promise<Readonly<Record<string, ResolvedImage>>> {
  const found: Record<string, ResolvedImage> = {}
  for (const { name, task } of services) {
    try {
      found[name] = { reference: task.image, id: (await client.images.inspect(task.image)).Id }
    } catch (error) {
      if (!isKind(error, 'not_found')) throw error
    }
  }
  return found
}
