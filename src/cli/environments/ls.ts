import type { EnvironmentView } from '#api/glovebox'

import { command } from '../command.ts'
import { formatFlag, printList } from '../list-format.ts'
import { printable } from '../output/colour.ts'
import { roughDuration } from '../output/units.ts'

export const envLs = command({
  name: 'env ls',
  usage: '[FLAGS]',
  summary: 'List environments, where they are reached and when they end.',
  examples: [
    ['env ls', 'all of them'],
    ['env ls --format \'{{.name}} {{join .urls " "}}\'', 'addresses alone'],
  ],
  flags: { format: formatFlag },
  operands: { min: 0, max: 0 },
  run: async ({ flags }, context) => {
    const nowMs = context.clock.nowMs()
    const columns = [
      { title: 'ENVIRONMENT', cell: ({ name }: EnvironmentView) => name },
      { title: 'FROM', cell: ({ from }: EnvironmentView) => from },
      { title: 'AGE', cell: ({ createdAtMs }: EnvironmentView) => roughDuration(nowMs - createdAtMs) },
      { title: 'EXPIRES', cell: (environment: EnvironmentView) => expiryText(environment, nowMs) },
      { title: 'STATE', cell: stateText },
      { title: 'URLS', cell: ({ urls }: EnvironmentView) => urls.join(' ') },
      { title: '', cell: ({ whyNotYet }: EnvironmentView) => printable(whyNotYet ?? '') },
    ] as const
    printList({ columns, rows: await (await context.client()).environments.list() }, flags.format, context)
    return 0
  },
})

export function expiryText({ expiresAtMs, state }: Pick<EnvironmentView, 'expiresAtMs' | 'state'>, nowMs: number): string {
  if (state === 'removing') return 'now'
  if (expiresAtMs === null) return 'never'
  return expiresAtMs <= nowMs ? 'now' : `in ${roughDuration(expiresAtMs - nowMs)}`
}

/** Of its stack, as long as it is one that stays. */
function stateText({ state, stackState, reason }: EnvironmentView): string {
  if (state === 'active') return stackState
  return state === 'removing' ? `removing: ${reason}` : 'being made'
}
