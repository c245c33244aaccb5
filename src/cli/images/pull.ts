import type { Client } from '#client'
import { familiarText, parseReference, withDefaultTag } from '#oci/reference'

import type { CliContext } from '../command.ts'
import { cliError } from '../errors.ts'
import { progress } from '../output/progress.ts'
import { followProgress } from './progress-stream.ts'
import { registryAuth } from '../credentials/registry-auth.ts'

export interface Pull {
  readonly image: string
  readonly platform: string | undefined
  readonly isQuiet: boolean
  readonly isEveryTag: boolean
}

/** Fetches an image, its progress on the standard error. Gives its full name. Errors: `cli.usage`, and what the daemon says. */
export async function pullImage(pull: Pull, client: Client, context: CliContext): Promise<string> {
  const reference = parseReference(pull.image)
  if (pull.isEveryTag && (reference.tag !== null || reference.digest !== null))
    throw cliError('cli.usage', `pull ${pull.image}: a tag or digest and --all-tags exclude each other`)
  const name = familiarText(pull.isEveryTag ? reference : withDefaultTag(reference))
  const show = progress(context.terminal.stderr, context.paint, pull.isQuiet)
  const signal = context.interrupted()
  const auth = await registryAuth(pull.image, context)
  await followProgress(client.images.pull(name, { platform: pull.platform }, auth, signal), show)
  if (signal.aborted) throw cliError('cli.cancelled', `pull ${pull.image}: cancelled`)
  return name
}
