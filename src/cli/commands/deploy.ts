import { isKind } from '#base'
import type { Client } from '#client'

import { command } from '../command.ts'
import type { CliContext } from '../command.ts'
import { carryFlags, carryOut } from '../services/carry-out.ts'
import { deployFlags, deployWish } from '../services/deploy-flags.ts'
import { pullService } from '../up/pull-service.ts'

export const deploy = command({
  name: 'deploy',
  usage: '[FLAGS] SERVICE',
  summary: 'Change a service: its image, variables, number of tasks, or how it is rolled out.',
  description:
    'Shows what is going to be done, does it, and waits until every task is of the new revision, or the rollout has failed and with it the command. A service of an application is what its Compose file says again with the next `glovebox up`.',
  examples: [
    ['deploy shop/web --image app:2', 'another image'],
    ['deploy shop/web --image app:2 --strategy canary --canary-steps 10%:1m,50%:5m', 'for a part of the requests first'],
    ['deploy shop/web --env LEVEL=debug --env-rm OLD --dry-run', 'what that would mean'],
    ['deploy shop/web --force', 'new tasks though nothing changed'],
  ],
  flags: { ...carryFlags, ...deployFlags },
  operands: { min: 1, max: 1 },
  completes: ['service'],
  run: async ({ flags, operands: [ref = ''] }, context) => {
    const wish = deployWish(flags, context.env)
    if (wish.image !== undefined && !flags['dry-run']) await provide(wish.image, context)
    return await carryOut([{ ref, verb: { verb: 'deploy', ...wish } }], flags, context)
  },
})

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
