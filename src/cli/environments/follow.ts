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

/** Images that settings of known services name and that are not here are fetched, as `up` does. `source`: an application or an environment. */
export async function fetchImages(
  source: string,
  settings: readonly string[],
  client: Client,
  context: CliContext,
): Promise<void> {
  const said = settings.flatMap((text) => {
    const [, service, image] = /^([^=]*)\.image=(\S+)$/.exec(text) ?? []
    return service === undefined || image === undefined ? [] : [{ service, image }]
  })
  if (said.length === 0) return
  const names = await servicesOf(source, client)
  const images = new Set(said.filter(({ service }) => names.includes(service)).map(({ image }) => image))
  for (const image of images) if (!(await isHere(image, client))) await pullService(image, client, context)
}

/** None of what there is not: the daemon says what is wrong with it. */
async function servicesOf(source: string, client: Client): Promise<readonly string[]> {
  const stack = await ifThere(async () => (await client.environments.inspect(source)).stack)
  const status = await ifThere(async () => await client.glovebox.stack(stack ?? source))
  return status?.services.map(({ name }) => name) ?? []
}

async function isHere(image: string, client: Client): Promise<boolean> {
  return (await ifThere(async () => await client.images.inspect(image))) !== undefined
}

async function ifThere<T>(look: () => Promise<T>): Promise<T | undefined> {
  try {
    return await look()
  } catch (error) {
    if (!isKind(error, 'not_found')) throw error
    return undefined
  }
}
