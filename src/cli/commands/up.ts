import { command } from '../command.ts'
import { runUp, upFlags } from '../up/run-up.ts'

export const up = command({
  name: 'up',
  usage: '[FLAGS] [DIRECTORY|FILE]',
  summary: 'Build and start an application from its Compose file.',
  description:
    'Starts the daemon if none runs, makes Debian base images from packages, builds what has a build section (several at a time), fetches other images, shows what is going to be done, and waits until every service is healthy. Run again, it brings only what has changed. Ctrl-C stops the waiting, not the application.',
  examples: [
    ['up', 'the application in this directory'],
    ['up examples/guestbook', 'one elsewhere'],
    ['up --name staging -d', 'under another name, without waiting'],
    ['up --dry-run', 'what would be done'],
  ],
  flags: upFlags,
  operands: { min: 0, max: 1 },
  run: async ({ flags, operands }, context) => await runUp(flags, operands, context),
})
