import type { ChangePlan, Performed, ServiceVerb } from '#api/glovebox'

import { isSet, text } from '../args/flags.ts'
import type { FlagValues } from '../args/flags.ts'
import type { CliContext } from '../command.ts'
import { painter } from '../output/colour.ts'
import { progress } from '../output/progress.ts'
import { fillTemplate } from '../output/template.ts'
import { followService, progressText, type FollowedService } from './follow-services.ts'
import { planTable } from './plan-page.ts'
import { printPlan } from './print-plan.ts'

/** Flags of every command that changes services. */
export const carryFlags = {
  detach: isSet('Do not wait until it is there', 'd'),
  'dry-run': isSet('Show what would be done, and do nothing'),
  quiet: isSet('No plan and no progress', 'q'),
  format: text(
    'FORMAT',
    'table (default), json, or a template: of each operation of a dry run, else of what came of each service',
  ),
} as const

export interface Asked {
  readonly ref: string
  readonly verb: ServiceVerb
}

interface Planned extends Asked {
  readonly title: string
  readonly plan: ChangePlan
}

/** Shows what is going to be done to services, does it, and follows it to its end. 1: something did not come true. */
export async function carryOut(
  asked: readonly Asked[],
  flags: FlagValues<typeof carryFlags>,
  context: CliContext,
): Promise<number> {
  const { stdout, stderr } = context.terminal
  const { services } = await context.client()
  const planned: Planned[] = []
  // All of them before the first is touched: a slip in the last name changes nothing.
  for (const { ref, verb } of asked) {
    const { service } = await services.get(ref)
    planned.push({ ref: service.id, verb, title: service.title, plan: await services.preview(service.id, verb) })
  }
  const whole = mergedPlan(planned)
  const { format } = flags
  const isTable = format === undefined || format === 'table'
  if (flags['dry-run']) {
    printPlan(whole, format, planText(whole, planned, context.paint), context)
    return 0
  }
  const paint = painter(stderr.hasColour)
  const isQuiet = flags.quiet || !isTable
  if (!isQuiet && whole.operations.length > 0) stderr.write(planTable(whole, titlesOf(planned), paint))
  const done: { readonly title: string; readonly isRemoval: boolean; readonly performed: Performed }[] = []
  for (const { ref, verb, title, plan } of planned)
    done.push({ title, isRemoval: verb.verb === 'remove', performed: await services.perform(ref, verb, plan.id) })
  if (flags.detach) {
    for (const { title, performed } of done) {
      const text = `${title}: ${performed.isChanged ? `revision ${performed.revision}` : 'nothing to change'}`
      stdout.write(`${isTable ? text : formatted(format, { title, ...performed })}\n`)
    }
    return 0
  }
  const signal = context.interrupted()
  const show = progress(stderr, paint, isQuiet)
  const followed = await Promise.all(
    done.map(async ({ title, isRemoval, performed: { service, revision } }): Promise<FollowedService> => {
      const one = await followService(title, services.watch(service.id, revision, signal), show)
      return one.outcome === 'removed' && !isRemoval ? { ...one, outcome: 'failed', reason: 'it was removed meanwhile' } : one
    }),
  )
  show.finish()
  return report(followed, isTable ? undefined : format, context)
}

function mergedPlan(planned: readonly Planned[]): ChangePlan {
  const [only] = planned
  if (only !== undefined && planned.length === 1) return only.plan
  return {
    id: planned.map(({ plan }) => plan.id).join('+'),
    operations: planned.flatMap(({ plan }) => plan.operations),
    warnings: planned.flatMap(({ plan }) => plan.warnings),
  }
}

function titlesOf(planned: readonly Planned[]): (name: string) => string {
  const titles = new Map(planned.flatMap(({ plan, title }) => plan.operations.map(({ name }) => [name, title] as const)))
  return (name) => titles.get(name) ?? name
}

function planText(plan: ChangePlan, planned: readonly Planned[], paint: CliContext['paint']): string {
  if (plan.operations.length === 0) return 'nothing to change\n'
  return planTable(plan, titlesOf(planned), paint)
}

function formatted(format: string, value: unknown): string {
  return format === 'json' ? JSON.stringify(value) : fillTemplate(format, value)
}

/** What came of it; the first trouble decides the exit code. */
function report(followed: readonly FollowedService[], format: string | undefined, { terminal, paint }: CliContext): number {
  const { stdout, stderr } = terminal
  for (const { title, outcome, reason, service } of followed) {
    if (format !== undefined) stdout.write(`${formatted(format, { title, outcome, reason, service: service ?? null })}\n`)
    else if (outcome === 'ready' || outcome === 'removed')
      stdout.write(`${title}: ${service === undefined || outcome === 'removed' ? outcome : progressText(service)}\n`)
    else if (outcome === 'interrupted') stderr.write(`${title} goes on without being watched: see \`glovebox service ls\`.\n`)
    else if (outcome === 'held') stderr.write(`${paint('yellow', 'held:')} ${title}: ${reason}\n`)
    else stderr.write(`${paint('red', 'failed:')} ${title}: ${reason}\n`)
  }
  if (followed.some(({ outcome }) => outcome === 'failed')) return 1
  return followed.some(({ outcome }) => outcome === 'interrupted') ? 130 : 0
}
