import type { Client } from '#client'
import { parseReference } from '#oci/reference'

import type { CliContext } from '../command.ts'
import { registryAuth } from '../credentials/registry-auth.ts'
import { cliError } from '../errors.ts'
import { followProgress } from '../images/progress-stream.ts'
import { progress } from '../output/progress.ts'

/** Sends an image to its registries, under each of its names. Errors: `cli.failed`, `cli.cancelled`, and what the daemon says. */
export async function pushTags(tags: readonly string[], client: Client, context: CliContext, isQuiet: boolean): Promise<void> {
  const show = progress(context.terminal.stderr, context.paint, isQuiet)
  const signal = context.interrupted()
  for (const image of tags) {
    const { tag } = parseReference(image)
    const name = tag === null ? image : image.slice(0, -tag.length - 1)
    const auth = await registryAuth(image, context)
    await followProgress(client.images.push(name, { tag: tag ?? 'latest' }, auth, signal), show)
    if (signal.aborted) throw cliError('cli.cancelled', `push ${image}: cancelled`)
  }
}
