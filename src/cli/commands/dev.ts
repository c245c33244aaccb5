import { isSet } from '../args/flags.ts'
import { command } from '../command.ts'
import { runDev } from '../dev/run-dev.ts'
import { composeChoice, composeFlags } from '../up/compose-flags.ts'

export const dev = command({
  name: 'dev',
  usage: '[FLAGS] [DIRECTORY|FILE]',
  summary: 'Keep an application running from a working tree: what you save is in its containers at once.',
  description:
    'Brings the application up and watches its files. A service with `develop: watch:` rules is brought what they say: files are sent into the running container (sync), it is restarted, or its image is built anew. A service without rules is built anew when its build context changes. The output of all containers comes as one stream.\n\nCtrl-C ends the watching and leaves the application running; with --down it is taken down.',
  examples: [
    ['dev', 'the application in this directory'],
    ['dev --down examples/guestbook', 'one elsewhere, and nothing left of it afterwards'],
  ],
  flags: {
    ...composeFlags,
    down: isSet('Take the application down at the end; its volumes stay'),
    'no-logs': isSet('Not the output of the containers'),
  },
  operands: { min: 0, max: 1 },
  completes: ['directory'],
  run: async ({ flags, operands }, context) =>
    await runDev({ ...composeChoice(flags, operands), down: flags.down, hasLogs: !flags['no-logs'] }, context),
})
