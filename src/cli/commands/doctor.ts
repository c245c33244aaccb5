import { isKind } from '#base'

import { choice, isSet } from '../args/flags.ts'
import { type CliContext, command } from '../command.ts'
import { doctorPage } from '../output/doctor-page.ts'

export const doctor = command({
  name: 'doctor',
  usage: '[FLAGS]',
  summary: 'Examine this host: what helps containers here, what limits them, and what to do about it.',
  description:
    'Runs without a daemon too. Changes nothing. Exit code 1 when there is a problem that keeps containers from running.',
  examples: [['doctor --all', 'also what is fine']],
  flags: {
    all: isSet('Also what is fine', 'a'),
    format: choice(['text', 'json'], 'How to print it'),
  },
  operands: { min: 0, max: 0 },
  run: async ({ flags }, context) => {
    const { stdout } = context.terminal
    const found = await findings(context)
    stdout.write(
      flags.format === 'json'
        ? `${JSON.stringify(found, null, 2)}\n`
        : doctorPage(found, flags.all, context.paint, stdout.isTty ? Math.min(stdout.columns, 100) : 100),
    )
    return found.some((finding) => finding.level === 'problem') ? 1 : 0
  },
})

/** The daemon knows more than we do from outside (its capabilities, its drivers); without one, we look ourselves. */
async function findings(context: CliContext) {
  try {
    return await (await context.client()).glovebox.doctor()
  } catch (error) {
    if (!isKind(error, 'unavailable') && !isKind(error, 'denied')) throw error
  }
  const { examine, hostProbe } = await import('#operate/doctor')
  return await examine(
    hostProbe(context.env, () => context.clock.nowMs()),
    { root: context.instance.root, snapshotDriver: null },
  )
}
