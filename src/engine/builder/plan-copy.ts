import type { AddInstruction, CopyInstruction, Place } from '#oci/dockerfile'
import { cleanPath } from '#oci/patterns'

import { buildErrorAt } from './errors.ts'
import { parseMode } from './modes.ts'
import type { Expander } from './scope.ts'
import type { StageState } from './stage-state.ts'
import type { CopyAction, CopyFrom } from './steps.ts'

export function planCopy(state: StageState, instruction: CopyInstruction | AddInstruction, place: Place, expand: Expander) {
  refuseUnsupported(instruction, place)
  const from: CopyFrom | undefined =
    instruction.kind === 'copy' && instruction.from !== undefined ? fromOf(state, instruction.from, place) : { kind: 'context' }
  if (from === undefined) return undefined
  const keyword = instruction.kind === 'copy' ? 'COPY' : 'ADD'
  const sources = instruction.sources.flatMap((source) => (source.kind === 'path' ? [expand.word(source.path)] : []))
  const inlineFiles = instruction.sources.flatMap((source) => {
    if (source.kind === 'path') return []
    const { name, content, isExpanded } = source.heredoc
    return [{ name, content: isExpanded ? expand.body(content) : content }]
  })
  for (const source of sources) refuseRemote(keyword, source, place)
  const destination = destinationOf(state.config.workingDir, expand.word(instruction.destination))
  if (sources.length + inlineFiles.length > 1 && !destination.endsWith('/')) {
    const hint = `Write ${destination}/ instead.`
    throw buildErrorAt(
      'build.instruction_invalid',
      place,
      `${keyword} of several sources needs a destination that ends with /`,
      hint,
    )
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
  ]
  const inline = action.inlineFiles.map(({ name }) => `<<${name}`)
  return [keyword, ...flags, ...action.sources, ...inline, action.destination].join(' ')
}

function fromOf(state: StageState, name: string, place: Place): CopyFrom | undefined {
  if (!name.includes('$')) return state.copyFrom(name, place)
  const hint = `Name a stage FROM ${name} AS source and copy from that.`
  throw buildErrorAt('build.instruction_invalid', place, `COPY --from=${name} cannot hold variables`, hint)
}

function refuseUnsupported(instruction: CopyInstruction | AddInstruction, place: Place): void {
  const refused = [
    instruction.kind === 'add' && instruction.checksum !== undefined && '--checksum',
    instruction.kind === 'add' && instruction.keepsGitDirectory && '--keep-git-dir',
  ].find((flag) => typeof flag === 'string')
  if (refused === undefined) return
  const keyword = instruction.kind.toUpperCase()
  throw buildErrorAt('build.unsupported', place, `${keyword} ${refused} is not supported yet`, 'Write the step without the flag.')
}

const REMOTE = /^(https?:\/\/|git@|git:\/\/|ssh:\/\/)/i

function refuseRemote(keyword: string, source: string, place: Place): void {
  if (source === '') throw buildErrorAt('build.instruction_invalid', place, `${keyword}: a source expands to nothing`)
  if (!REMOTE.test(source)) return
  if (keyword === 'COPY')
    throw buildErrorAt(
      'build.instruction_invalid',
      place,
      `COPY takes no address such as ${source}`,
      'Download it in a RUN step.',
    )
  throw buildErrorAt(
    'build.unsupported',
    place,
    `ADD of ${source}: addresses are not supported yet`,
    'Download it in a RUN step.',
  )
}

/** Absolute, `..` clipped at the root; the slash at the end stays, and `.` means one. */
function destinationOf(workingDir: string, text: string): string {
  const isDirectory =
    text === '' || text === '.' || text.endsWith('/') || text.endsWith('/.') || text === '..' || text.endsWith('/..')
  const path = cleanPath(text.startsWith('/') ? text : `/${workingDir}/${text}`)
  return isDirectory && path !== '/' ? `${path}/` : path
}
