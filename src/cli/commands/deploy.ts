import { existsSync } from 'node:fs'
import { resolve } from 'node:path'

import { isKind } from '#base'
import type { Client } from '#client'

import { command } from '../command.ts'
import type { CliContext } from '../command.ts'
import { cliError } from '../errors.ts'
import { carryFlags, carryOut } from '../services/carry-out.ts'
import { deployFlags, deployWish, rolloutOf } from '../services/deploy-flags.ts'
import { pullService } from '../up/pull-service.ts'
import { runUp, upFlags } from '../up/run-up.ts'

/** What has no meaning for all services of a file at once. */
const OF_ONE_SERVICE = ['image', 'env', 'env-rm', 'replicas', 'force'] as const

export const deploy = command({
  name: 'deploy',
  usage: '[FLAGS] [SERVICE|DIRECTORY|FILE]',
  summary: 'Change a service: its image, variables, number of tasks, or how it is rolled out; or deploy a whole Compose file.',
  description:
    'Shows what is going to be done, does it, and waits until every task is of the new revision, or the rollout has failed and with it the command. A service of an application is what its Compose file says again with the next `glovebox up`.\n\nWithout a service (no name, -f, a directory or a file) it is `glovebox up`, whose services are rolled out as the flags say instead of the file.',
  examples: [
    ['deploy shop/web --image app:2', 'another image'],
    ['deploy shop/web --image app:2 --strategy canary --canary-steps 10%:1m,50%:5m', 'for a part of the requests first'],
    ['deploy shop/web --env LEVEL=debug --env-rm OLD --dry-run', 'what that would mean'],
    ['deploy shop/web --force', 'new tasks though nothing changed'],
    ['deploy --strategy blue-green', 'the application in this directory'],
  ],
  flags: { ...upFlags, ...carryFlags, ...deployFlags },
  operands: { min: 0, max: 1 },
  completes: ['service'],
  run: async ({ flags, operands }, context) => {
    const [ref] = operands
    if (ref === undefined || flags.file.length > 0 || (await isFile(ref, context))) {
      const alone = OF_ONE_SERVICE.find(
        (name) => ![undefined, false].includes(flags[name] as undefined) && String(flags[name]) !== '',
      )
      if (alone !== undefined)
        throw cliError('cli.usage', `glovebox deploy: --${alone} is for one service`, {
          hint: 'Name it: `glovebox deploy shop/web`.',
        })
      return await runUp(flags, operands, context, rolloutOf(flags))
    }
    const wish = deployWish(flags, context.env)
    if (wish.image !== undefined && !flags['dry-run']) await provide(wish.image, context)
    return await carryOut([{ ref, verb: { verb: 'deploy', ...wish } }], flags, context)
  },
})

/** A path that is there is a file, unless a service has the name as well. Error: `cli.usage`. */
async function isFile(ref: string, context: CliContext): Promise<boolean> {
  if (!existsSync(resolve(context.cwd, ref))) return false
  if (/^\.{0,2}\//.test(ref) || ref === '.' || ref === '..') return true
  const { services } = await context.client()
  try {
    const { service } = await services.get(ref)
    if (![service.name, service.title].includes(ref)) return true
  } catch (error) {
    if (isKind(error, 'not_found') || isKind(error, 'invalid') || isKind(error, 'unavailable')) return true
    throw error
  }
  throw cliError('cli.usage', `${ref} is a service, and a file or directory`, {
    hint: `Say \`glovebox deploy ./${ref}\` for the file; a service has a second name, see \`glovebox service ls --format '{{.ID}} {{.Name}}'\`.`,
  })
}

async function provide(image: string, context: CliContext): Promise<void> {
  const client = await context.client()
  if (!(await isHere(image, client))) await pullService(image, client, context)
}

async function isHere(image: string, client: Client): Promise<boolean> {
  try {
    await client.images.inspect(image)
    return true
  } catch (error) {
    if (isKind(error, 'not_found')) return false
    throw error
  }
}
