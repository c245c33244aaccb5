import { refuse, type Place } from './place.ts'
import { heredocOpening } from './heredoc.ts'
import { required, type Arguments } from './statement.ts'
import type { AddInstruction, CopyInstruction, CopySource, Heredoc } from './tree.ts'
import { jsonArray, splitWords } from './words.ts'

export function parseCopy(args: Arguments): CopyInstruction {
  const { flags } = args
  return {
    kind: 'copy',
    ...args.located,
    from: flags.text('from'),
    keepsParents: flags.truth('parents') ?? false,
    ...copying(args),
  }
}

export function parseAdd(args: Arguments): AddInstruction {
  const { flags } = args
  return {
    kind: 'add',
    ...args.located,
    checksum: flags.text('checksum'),
    keepsGitDirectory: flags.truth('keep-git-dir') ?? false,
    unpack: flags.truth('unpack'),
    ...copying(args),
  }
}

function copying(args: Arguments) {
  const { flags, place } = args
  return {
    chown: flags.text('chown'),
    chmod: flags.text('chmod'),
    isLink: flags.truth('link') ?? false,
    excludes: flags.all('exclude'),
    ...sourcesAndDestination(args, place),
  }
}

function sourcesAndDestination(args: Arguments, place: Place): { sources: readonly CopySource[]; destination: string } {
  const words = jsonArray(required(args), place) ?? splitWords(args.rest, args.escape)
  const destination = words.at(-1)
  if (destination === undefined || words.length < 2)
    throw refuse(place, `${args.keyword} needs a source and a destination`, `Write ${args.keyword} SOURCE DESTINATION.`)
  const bodies: Iterator<Heredoc> = args.heredocs.values()
  const sources = words.slice(0, -1).map((word): CopySource => {
    const body = heredocOpening(word, args.escape) === undefined ? undefined : bodies.next()
    return body === undefined || body.done === true ? { kind: 'path', path: word } : { kind: 'heredoc', heredoc: body.value }
  })
  if (bodies.next().done !== true) throw refuse(place, `${args.keyword}: the destination cannot be a here-document`)
  return { sources, destination }
}
