import type { ChangePlan } from '#api/glovebox'
import type { Client } from '#client'
import type { ComposeReading } from '#cluster/spec'

import { desiredOf } from './bring-up.ts'
import { knownImages } from './known-images.ts'

/** What `up` would change with the images that are here. What it would build is told by name: whether that changes anything is known afterwards. */
export async function previewOf(reading: ComposeReading, client: Client): Promise<ChangePlan> {
  const { spec, builds } = reading
  const images = await knownImages(spec.services, client)
  const plan = await client.glovebox.previewStack(spec.name, await desiredOf(reading, images))
  const built = Object.keys(builds).toSorted()
  if (built.length === 0) return plan
  return { ...plan, warnings: [...plan.warnings, `up also builds ${built.join(', ')}: another image means new tasks`] }
}

/** `shop/web` for the service `shop_web` of shop. */
export function titlesOf(stack: string): (name: string) => string {
  return (name) => (name.startsWith(`${stack}_`) ? `${stack}/${name.slice(stack.length + 1)}` : name)
}
