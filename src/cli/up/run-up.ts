import type { RolloutSpec } from '#cluster/spec'

import { isOn, isSet } from '../args/flags.ts'
import type { FlagValues } from '../args/flags.ts'
import { registryAuthsOf } from '../build/registry-auths.ts'
import type { CliContext } from '../command.ts'
import { isDaemonOlder, OLDER_DAEMON, RENEW_DAEMON } from '../daemon/older-daemon.ts'
import { startDaemon } from '../daemon/start-daemon.ts'
import { isUnknownRoute } from '../daemon/unknown-route.ts'
import { painter } from '../output/colour.ts'
import { progress } from '../output/progress.ts'
import { planTable } from '../services/plan-page.ts'
import { planFormatFlag, printPlan } from '../services/print-plan.ts'
import { bringUp, desiredOf } from './bring-up.ts'
import { readComposeFile } from './compose-file.ts'
import { composeChoice, composeFlags } from './compose-flags.ts'
import { provideImages } from './images.ts'
import { previewOf, titlesOf } from './preview.ts'
import { pullService } from './pull-service.ts'
import { urlLines } from './urls.ts'

/** Flags of `up`, and of `deploy` for a whole file. */
export const upFlags = {
  ...composeFlags,
  detach: isSet('Do not wait until it is healthy', 'd'),
  'dry-run': isSet('Show what would be done, and do nothing: nothing is built or fetched either'),
  build: isOn('Build what has a build section; without it only those whose image is missing'),
  'no-cache': isSet('Build everything anew'),
  pull: isSet('Look for newer base images'),
  format: planFormatFlag,
} as const

/** Brings an application up from its Compose file. `rollout`: instead of what the file says of each service. */
export async function runUp(
  flags: FlagValues<typeof upFlags>,
  operands: readonly string[],
  context: CliContext,
  rollout: Partial<RolloutSpec> = {},
): Promise<number> {
  const { stdout, stderr } = context.terminal
  const paint = painter(stderr.hasColour)
  const read = await readComposeFile(composeChoice(flags, operands), context)
  const services = read.spec.services.map((service) => ({ ...service, update: { ...service.update, ...rollout } }))
  const reading = { ...read, spec: { ...read.spec, services } }
  const { spec, builds, warnings } = reading
  for (const warning of warnings) stderr.write(`${paint('yellow', 'warning:')} ${warning}\n`)
  if (flags['dry-run']) {
    const plan = await previewOf(reading, await context.client())
    const text =
      plan.operations.length === 0 ? `${spec.name}: nothing to change\n` : planTable(plan, titlesOf(spec.name), context.paint)
    printPlan(plan, flags.format, text, context)
    return 0
  }
  const isNew = await startDaemon(context)
  if (!isNew && isDaemonOlder(context)) stderr.write(`${paint('yellow', 'note:')} ${OLDER_DAEMON}; ${RENEW_DAEMON} renews it\n`)
  if (isNew) stderr.write(`Started the daemon, which answers at ${context.instance.socketPath}.\n`)
  const client = await context.client()
  const signal = context.interrupted()
  const show = progress(stderr, paint)
  const images = await provideImages(spec.services, builds, {
    client,
    show,
    signal,
    clock: context.clock,
    surroundings: { cwd: spec.workingDir, env: context.env },
    registryAuth: registryAuthsOf(context),
    usesCache: !flags['no-cache'],
    pulls: flags.pull,
    builds: flags.build,
    pullPolicies: reading.pullPolicies,
    pull: async (image) => await pullService(image, client, context),
  })
  const plan = await client.glovebox.previewStack(spec.name, await desiredOf(reading, images)).catch((error: unknown) => {
    if (isUnknownRoute(error)) return undefined
    throw error
  })
  if (plan !== undefined && plan.operations.length > 0) {
    show.finish()
    stderr.write(planTable(plan, titlesOf(spec.name), paint))
  }
  const going = { client, show, clock: context.clock, signal }
  const { change, followed } = await bringUp(reading, images, going, {
    isDetached: flags.detach,
    ...(plan === undefined ? {} : { plan }),
  })
  if (followed === undefined) return 0
  if (followed.outcome === 'interrupted') {
    stderr.write(
      `${spec.name} goes on without being watched: see \`glovebox status ${spec.name}\`, end it with \`glovebox down\`.\n`,
    )
    return 130
  }
  if (followed.outcome === 'held') {
    for (const reason of followed.reasons) stderr.write(`${paint('yellow', 'held:')} ${reason}\n`)
    return 0
  }
  if (followed.outcome === 'failed') {
    for (const reason of followed.reasons) stderr.write(`${paint('red', 'failed:')} ${reason}\n`)
    stderr.write(`${paint('dim', '  hint:')} \`glovebox why ${spec.name}\` says more, and what to do.\n`)
    return 1
  }
  if (!change.isChanged) stdout.write(`${spec.name}: ${followed.wasThere ? 'nothing to do' : 'nothing new; it is up again'}\n`)
  stdout.write(urlLines(followed.status?.services ?? [], context.paint))
  return 0
}
