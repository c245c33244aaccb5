import { isKind } from '#base'
import type { ChangePlan } from '#api/glovebox'
import type { Client } from '#client'

import { isSet } from '../args/flags.ts'
import { command } from '../command.ts'
import { isUnknownRoute } from '../daemon/unknown-route.ts'
import { confirm } from '../prune/confirm.ts'
import { planTable } from '../services/plan-page.ts'
import { planFormatFlag, printPlan } from '../services/print-plan.ts'
import { readComposeFile } from '../up/compose-file.ts'
import { composeChoice, composeFlags } from '../up/compose-flags.ts'
import { titlesOf } from '../up/preview.ts'

export const down = command({
  name: 'down',
  usage: '[FLAGS] [DIRECTORY|FILE]',
  summary: 'Stop and remove an application: its containers and networks, and with --volumes its data.',
  description: 'Before data is deleted it asks; --yes answers, also where nobody can be asked.',
  examples: [
    ['down', 'the application in this directory; its data stays'],
    ['down --name staging --volumes', 'another one, with its data'],
    ['down --dry-run --volumes', 'what that would take away'],
  ],
  flags: {
    ...composeFlags,
    volumes: isSet('Also its volumes, and with them its data', 'v'),
    yes: isSet('Delete data without asking', 'y'),
    'dry-run': isSet('Show what would be taken away, and do nothing'),
    format: planFormatFlag,
  },
  operands: { min: 0, max: 1 },
  run: async ({ flags, operands }, context) => {
    // A name alone needs no file: the daemon knows what belongs to it.
    const name =
      flags.name !== undefined && operands.length === 0 && flags.file.length === 0
        ? flags.name
        : (await readComposeFile({ ...composeChoice(flags, operands), profiles: ['*'] }, context)).spec.name
    const client = await context.client()
    const { stdout, stderr } = context.terminal
    const plan = await planOf(name, flags.volumes, client)
    if (flags['dry-run']) {
      const text = plan === undefined ? `${name}: nothing to do\n` : planTable(plan, titlesOf(name), context.paint)
      printPlan(plan ?? { id: '', operations: [], warnings: [] }, flags.format, text, context)
      return 0
    }
    if (plan === undefined) return nothing()
    const losses = plan.operations.filter(({ deletesData }) => deletesData)
    const isUnknown = flags.volumes && plan.operations.length === 0
    if ((losses.length > 0 || isUnknown) && !flags.yes) {
      stderr.write(planTable(plan, titlesOf(name), context.paint))
      const what = isUnknown ? `its volumes` : `the volumes ${losses.map((operation) => operation.name).join(', ')}`
      if (!(await confirm(`This deletes what is on ${what}.`, context, '--yes'))) return 1
    }
    try {
      await client.glovebox.removeStack(name, { volumes: flags.volumes })
    } catch (error) {
      if (!isKind(error, 'not_found')) throw error
      return nothing()
    }
    stdout.write(`${name}: removed${flags.volumes ? ', with its volumes' : '; its volumes stay'}\n`)
    return 0

    function nothing(): number {
      stdout.write(`${name}: nothing to do\n`)
      return 0
    }
  },
})

/** undefined: there is no such application. Empty: the daemon is older, and cannot tell. */
async function planOf(name: string, volumes: boolean, client: Client): Promise<ChangePlan | undefined> {
  try {
    return await client.glovebox.previewRemoval(name, { volumes })
  } catch (error) {
    if (isUnknownRoute(error)) return { id: '', operations: [], warnings: [] }
    if (isKind(error, 'not_found')) return undefined
    throw error
  }
}
