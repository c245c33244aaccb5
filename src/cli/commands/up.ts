import { isOn, isSet } from '../args/flags.ts'
import { registryAuthsOf } from '../build/registry-auths.ts'
import { command } from '../command.ts'
import { isDaemonOlder, OLDER_DAEMON, RENEW_DAEMON } from '../daemon/older-daemon.ts'
import { startDaemon } from '../daemon/start-daemon.ts'
import { progress } from '../output/progress.ts'
import { painter } from '../output/colour.ts'
import { bringUp } from '../up/bring-up.ts'
import { readComposeFile } from '../up/compose-file.ts'
import { composeChoice, composeFlags } from '../up/compose-flags.ts'
import { provideImages } from '../up/images.ts'
import { pullService } from '../up/pull-service.ts'
import { urlLines } from '../up/urls.ts'

export const up = command({
  name: 'up',
  usage: '[FLAGS] [DIRECTORY|FILE]',
  summary: 'Build and start an application from its Compose file.',
  description:
    'Starts the daemon if none runs, makes Debian base images from packages, builds what has a build section (several at a time), fetches other images, and waits until every service is healthy. Run again, it brings only what has changed. Ctrl-C stops the waiting, not the application.',
  examples: [
    ['up', 'the application in this directory'],
    ['up examples/guestbook', 'one elsewhere'],
    ['up --name staging -d', 'under another name, without waiting'],
  ],
  flags: {
    ...composeFlags,
    detach: isSet('Do not wait until it is healthy', 'd'),
    build: isOn('Build what has a build section; without it only those whose image is missing'),
    'no-cache': isSet('Build everything anew'),
    pull: isSet('Look for newer base images'),
  },
  operands: { min: 0, max: 1 },
  run: async ({ flags, operands }, context) => {
    const { stdout, stderr } = context.terminal
    const paint = painter(stderr.hasColour)
    const reading = await readComposeFile(composeChoice(flags, operands), context)
    const { spec, builds, warnings } = reading
    for (const warning of warnings) stderr.write(`${paint('yellow', 'warning:')} ${warning}\n`)
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
    const going = { client, show, clock: context.clock, signal }
    const { change, followed } = await bringUp(reading, images, going, flags.detach)
    if (followed === undefined) return 0
    if (followed.outcome === 'interrupted') {
      stderr.write(
        `${spec.name} goes on without being watched: see \`glovebox status ${spec.name}\`, end it with \`glovebox down\`.\n`,
      )
      return 130
    }
    if (followed.outcome === 'failed') {
      for (const reason of followed.reasons) stderr.write(`${paint('red', 'failed:')} ${reason}\n`)
      return 1
    }
    if (!change.isChanged) stdout.write(`${spec.name}: ${followed.wasThere ? 'nothing to do' : 'nothing new; it is up again'}\n`)
    stdout.write(urlLines(followed.status?.services ?? [], context.paint))
    return 0
  },
})
