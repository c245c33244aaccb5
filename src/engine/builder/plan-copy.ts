import type { AddInstruction, CopyInstruction, Place } from '#oci/dockerfile'
import { cleanPath } from '#oci/patterns'

import { buildErrorAt } from './errors.ts'
import { parseMode } from './modes.ts'
import { describeRemote, isRemote, parseRemote, type RemoteSource } from './remote/index.ts'
import type { Expander } from './scope.ts'
import type { StageState } from './stage-state.ts'
import type { CopyAction, CopyFrom } from './steps.ts'

export function planCopy(state: StageState, instruction: CopyInstruction | AddInstruction, place: Place, expand: Expander) {
  const from: CopyFrom | undefined =
    instruction.kind === 'copy' && instruction.from !== undefined ? fromOf(state, instruction.from, place) : { kind: 'context' }
  if (from === undefined) return undefined
  const keyword = instruction.kind === 'copy' ? 'COPY' : 'ADD'
  const written = instruction.sources.flatMap((source) => (source.kind === 'path' ? [expand.word(source.path)] : []))
  if (written.includes('')) throw buildErrorAt('build.instruction_invalid', place, `${keyword}: a source expands to nothing`)
  const addresses = from.kind === 'context' ? written.filter(isRemote) : []
  const sources = written.filter((source) => !addresses.includes(source))
  const remotes = remotesOf(instruction, addresses, written.length, place, expand)
  const inlineFiles = instruction.sources.flatMap((source) => {
    if (source.kind === 'path') return []
    const { name, content, isExpanded } = source.heredoc
    return [{ name, content: isExpanded ? expand.body(content) : content }]
  })
  const destination = destinationOf(state.config.workingDir, expand.word(instruction.destination))
  if (written.length + inlineFiles.length > 1 && !destination.endsWith('/')) {
    const hint = `Write ${destination}/ instead.`
    throw buildErrorAt(
      'build.instruction_invalid',
      place,
      `${keyword} of several sources needs a destination that ends with /`,
      hint,
    )
  }
  const nameless = remotes.find((remote) => remote.kind === 'http' && remote.name === '')
  if (nameless !== undefined && destination.endsWith('/')) {
    const hint = 'Write the whole path of the file as destination.'
    throw buildErrorAt('build.instruction_invalid', place, `ADD ${describeRemote(nameless)}: the address names no file`, hint)
  }
  const owner = instruction.chown === undefined ? undefined : expand.word(instruction.chown)
  const mode = instruction.chmod === undefined ? undefined : expand.word(instruction.chmod)
  if (mode !== undefined && parseMode(mode) === undefined) {
    const hint = 'Write octal digits such as 755, or clauses such as u=rwX,go=rX.'
    throw buildErrorAt('build.instruction_invalid', place, `${keyword} --chmod: ${JSON.stringify(mode)} is not a mode`, hint)
  }
  if (instruction.isLink && owner !== undefined && !/^\d+(:\d+)?$/.test(owner)) {
    const hint = 'Write numbers: a linked layer does not look into the stage.'
    throw buildErrorAt('build.instruction_invalid', place, `${keyword} --link --chown=${owner}: names cannot be looked up`, hint)
  }
  const action: CopyAction = {
    kind: 'copy',
    instruction: keyword,
    from,
    sources,
    remotes,
    unpacksRemotes: instruction.kind === 'add' && instruction.unpack === true,
    isHostNetworkAllowed: state.input.network === 'host' || state.input.entitlements.has('network.host'),
    excludes: instruction.excludes.map((pattern) => expand.word(pattern)),
    keepsParents: instruction.kind === 'copy' && instruction.keepsParents,
    inlineFiles,
    destination,
    owner,
    mode,
    unpacks: instruction.kind === 'add' && instruction.unpack !== false,
    isLink: instruction.isLink,
  }
  return { createdBy: createdByOf(keyword, instruction, action), action }
}

function createdByOf(keyword: string, instruction: CopyInstruction | AddInstruction, action: CopyAction): string {
  const flags = [
    ...(instruction.kind === 'copy' && instruction.from !== undefined ? [`--from=${instruction.from}`] : []),
    ...(action.owner === undefined ? [] : [`--chown=${action.owner}`]),
    ...(action.mode === undefined ? [] : [`--chmod=${action.mode}`]),
    ...(action.isLink ? ['--link'] : []),
    ...(action.keepsParents ? ['--parents'] : []),
    ...action.excludes.map((pattern) => `--exclude=${pattern}`),
    ...(instruction.kind === 'add' && instruction.checksum !== undefined ? [`--checksum=${instruction.checksum}`] : []),
    ...(instruction.kind === 'add' && instruction.keepsGitDirectory ? ['--keep-git-dir'] : []),
    ...(instruction.kind === 'add' && instruction.unpack !== undefined ? [`--unpack=${instruction.unpack}`] : []),
  ]
  const inline = action.inlineFiles.map(({ name }) => `<<${name}`)
  return [keyword, ...flags, ...action.sources, ...action.remotes.map(describeRemote), ...inline, action.destination].join(' ')
}

function fromOf(state: StageState, name: string, place: Place): CopyFrom | undefined {
  if (!name.includes('$')) return state.copyFrom(name, place)
  const hint = `Name a stage FROM ${name} AS source and copy from that.`
  throw buildErrorAt('build.instruction_invalid', place, `COPY --from=${name} cannot hold variables`, hint)
}

/** Addresses among the sources, read. COPY takes none, and flags that are about one address want no more than that. */
function remotesOf(
  instruction: CopyInstruction | AddInstruction,
  addresses: readonly string[],
  sourceCount: number,
  place: Place,
  expand: Expander,
): readonly RemoteSource[] {
  const [first] = addresses
  if (instruction.kind === 'copy') {
    if (first === undefined) return []
    const hint = 'Use ADD, or download it in a RUN step.'
    throw buildErrorAt('build.instruction_invalid', place, `COPY takes no address such as ${first}`, hint)
  }
  const checksum = instruction.checksum === undefined ? undefined : expand.word(instruction.checksum)
  const flag = checksum !== undefined ? '--checksum' : instruction.keepsGitDirectory ? '--keep-git-dir' : undefined
  if (flag !== undefined && (addresses.length !== 1 || sourceCount !== 1))
    throw buildErrorAt(
      'build.instruction_invalid',
      place,
      `ADD ${flag} is about one address and nothing else`,
      'Write an ADD of its own for it.',
    )
  return addresses.map((address) => parseRemote(address, { checksum, keepsGitDirectory: instruction.keepsGitDirectory }, place))
}

/** Absolute, `..` clipped at the root; the slash at the end stays, and `.` means one. */
function destinationOf(workingDir: string, text: string): string {
  const isDirectory =
    text === '' || text === '.' || text.endsWith('/') || text.endsWith('/.') || text === '..' || text.endsWith('/..')
  const path = cleanPath(text.startsWith('/') ? text : `/${workingDir}/${text}`)
  return isDirectory && path !== '/' ? `${path}/` : path
}
