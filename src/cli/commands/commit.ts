import { isOn, isSet, list, text } from '../args/flags.ts'
import { command } from '../command.ts'
import { splitName } from './image-import.ts'

export const commit = command({
  name: 'commit',
  usage: '[FLAGS] CONTAINER [NAME[:TAG]]',
  summary: 'Make an image of what a container changed.',
  description:
    'What is in volumes stays out. A Dockerfile says better how an image came to be; this is for what you want to keep.',
  examples: [['commit -c \'CMD ["serve"]\' debug app:found', 'with another command']],
  flags: {
    author: text('NAME', 'Who made it', 'a'),
    change: list('INSTRUCTION', 'Dockerfile instruction for the configuration: CMD, ENV, ...', 'c'),
    message: text('TEXT', 'For the history', 'm'),
    pause: isOn('Hold its processes still while their files are read', 'p'),
    'no-pause': isSet('The same as --pause=false'),
  },
  operands: { min: 1, max: 2 },
  completes: ['container', 'repository'],
  run: async ({ flags, operands }, context) => {
    const [container = '', name] = operands
    const client = await context.client()
    const id = await client.containers.commit(container, {
      ...splitName(name),
      author: flags.author,
      comment: flags.message,
      changes: flags.change,
      pause: flags.pause && !flags['no-pause'],
    })
    context.terminal.stdout.write(`${id}\n`)
    return 0
  },
})
