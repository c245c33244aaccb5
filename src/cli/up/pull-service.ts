import type { Client } from '#client'

import type { CliContext } from '../command.ts'

/** Fetches the image of a service, as `pull` does. Loaded on its own: most images are here. */
export async function pullService(image: string, client: Client, context: CliContext): Promise<void> {
  const { pullImage } = await import('../images/pull.ts')
  await pullImage({ image, platform: undefined, isQuiet: false, isEveryTag: false }, client, context)
}
