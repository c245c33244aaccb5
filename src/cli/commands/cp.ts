import { isSet } from '../args/flags.ts'
import { command } from '../command.ts'
import { copyIn } from '../copy/copy-in.ts'
import { copyOut } from '../copy/copy-out.ts'
import { readPlace } from '../copy/place.ts'
import { cliError } from '../errors.ts'
import { openArchive, writeArchive } from '../images/archive.ts'

export const cp = command({
  name: 'cp',
  usage: '[FLAGS] CONTAINER:PATH PATH|- or PATH|- CONTAINER:PATH',
  summary: 'Copy files between a container and this machine.',
  description: 'The container may run or not. - is a tar archive on the standard input or output.',
  examples: [
    ['cp web:/var/log/app.log .', 'one file, to here'],
    ['cp site/. web:/srv', 'what is in a directory, into another'],
    ['cp web:/srv - | tar tv', 'as an archive'],
  ],
  flags: {
    archive: isSet("Keep owners (out), or make everything the container's user's (in)", 'a'),
    quiet: isSet('Say nothing', 'q'),
    'follow-link': isSet('Copy what a link leads to, not the link', 'L'),
  },
  operands: { min: 2, max: 2 },
  run: async ({ flags, operands }, context) => {
    const [from, to] = operands.map(readPlace)
    const followLink = flags['follow-link']
    const client = await context.client()
    if (from?.kind === 'container' && to?.kind === 'stream')
      await writeArchive(await client.containers.readPath(from.container, from.path), undefined, context)
    else if (from?.kind === 'container' && to?.kind === 'local')
      await copyOut(client, { ...from, target: to.path, followLink, keepOwners: flags.archive })
    else if (from?.kind === 'stream' && to?.kind === 'container')
      await client.containers.writePath(to.container, to.path, await openArchive('-', context), {
        copyUIDGID: flags.archive || undefined,
      })
    else if (from?.kind === 'local' && to?.kind === 'container')
      await copyIn(client, { source: from.path, ...to, followLink, isArchive: flags.archive })
    else
      throw cliError('cli.usage', 'one of the two must be in a container: CONTAINER:PATH', {
        hint: 'From one container to another goes through an archive: cp a:/x - | cp - b:/y',
      })
    return 0
  },
})
