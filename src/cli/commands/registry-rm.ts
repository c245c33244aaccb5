import { command } from '../command.ts'
import { cliError } from '../errors.ts'
import { forEach } from '../for-each.ts'

export const registryRm = command({
  name: 'registry rm',
  usage: 'REPOSITORY:TAG|REPOSITORY@DIGEST...',
  summary: 'Remove tags, or manifests with all of their tags.',
  description:
    'What a removed manifest held stays for a day after it was last pushed, in case another push counts on it; `glovebox registry gc` then gives the space back.',
  examples: [
    ['registry rm team/web:1.2', 'the tag'],
    ['registry rm team/web@sha256:0123…', 'the manifest and every tag of it'],
  ],
  flags: {},
  operands: { min: 1, max: Infinity },
  run: ({ operands }, context) =>
    forEach(operands, context, async (client, word) => {
      const { name, reference } = target(word)
      await client.registry.remove(name, reference)
    }),
})

function target(word: string): { readonly name: string; readonly reference: string } {
  const at = word.indexOf('@')
  const split = at < 0 ? word.lastIndexOf(':') : at
  const [name, reference] = [word.slice(0, Math.max(0, split)), word.slice(split + 1)]
  if (name !== '' && reference !== '') return { name, reference }
  throw cliError('cli.usage', `${JSON.stringify(word)} names no tag and no digest`, {
    hint: 'Write REPOSITORY:TAG or REPOSITORY@DIGEST.',
  })
}
