import { command } from '../command.ts'
import { splitName } from './image-import.ts'

export const imageTag = command({
  name: 'image tag',
  usage: 'IMAGE NAME',
  summary: 'Give an image another name.',
  examples: [['image tag app:1 app:stable', 'the same image under a second name']],
  flags: {},
  operands: { min: 2, max: 2 },
  completes: ['image', 'repository'],
  run: async ({ operands }, context) => {
    const [image = '', name = ''] = operands
    const { repo = name, tag = 'latest' } = splitName(name)
    await (await context.client()).images.tag(image, repo, tag)
    return 0
  },
})
