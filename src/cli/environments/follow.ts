import type { EnvironmentChange } from '#api/glovebox'
import type { Client } from '#client'
import { isKind } from '#base'

import type { CliContext } from '../command.ts'
import { painter } from '../output/colour.ts'
import { progress } from '../output/progress.ts'
import { followStack } from '../up/follow-stack.ts'
import { pullService } from '../up/pull-service.ts'

const INTERRUPTED = 130

/** Shows how the stack of an environment gets there, then where it is reached. Gives the exit code. */
export async function followEnvironment(
  { environment, change }: EnvironmentChange,
  client: Client,
  context: CliContext,
): Promise<number> {
  const { stdout, stderr } = context.terminal
  const paint = painter(stderr.hasColour)
  const show = progress(stderr, paint)
  for (const warning of change.warnings) show.note(`warning: ${warning}`)
  const signal = context.interrupted()
  const followed = await followStack(client.glovebox.watchStack(environment.stack, signal), show, context.clock)
  show.finish()
  if (followed.outcome === 'interrupted') {
    stderr.write(`${environment.name} goes on without being watched: see \`glovebox status ${environment.stack}\`.\n`)
    return INTERRUPTED
  }
  for (const reason of followed.reasons) stderr.write(`${paint('red', 'failed:')} ${reason}\n`)
  const { urls } = await client.environments.inspect(environment.stack)
  stdout.write(urls.map((url) => `${context.paint('cyan', url)}\n`).join(''))
  return followed.outcome === 'ready' ? 0 : 1
}

/** Images that settings name and that are not here are fetched, as `up` does. */
export async function fetchImages(settings: readonly string[], client: Client, context: CliContext): Promise<void> {
  const images = settings.flatMap((text) => {
    const image = /^[^=]*\.image=(\S+)$/.exec(text)?.[1]
    return image === undefined ? [] : [image]
  })
  for (const image of new Set(images)) {
    try {
      await client.images.inspect(image)
    } catch (error) {
      if (!isKind(error, 'not_found')) throw error
      await pullService(image, client, context)
    }
  }
}
