import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Readable } from 'node:stream'

import { messageOf } from '#base'
import type { BuildCalls } from '#client'
import type { BuildSource, DockerfileChoice } from '#client/context'

import type { CliContext } from '../command.ts'
import { cliError } from '../errors.ts'
import { painter } from '../output/colour.ts'
import { outlineText, targetsText } from './calls-text.ts'
import { deliver } from './deliver.ts'
import { buildDisplay, type ProgressMode } from './display.ts'
import type { BuildFlags } from './flags.ts'
import { failureText, findingsText, warningsText } from './failure.ts'
import { outputsOf, wishOfFlags } from './flags-wish.ts'
import type { OutputChoice } from './outputs.ts'
import { registryAuths } from './registry-auths.ts'
import { runBuild } from './run-build.ts'
import type { BuildView } from './view.ts'
import type { ImageWish } from './wish.ts'

/** What `glovebox build` does with its words. Resolves to the exit code. */
export async function buildFromFlags(flags: BuildFlags, place: string | undefined, context: CliContext): Promise<number> {
  // What reads Compose files is loaded by those who have one.
  if (place === undefined) return await (await import('./compose-services.ts')).buildComposeServices(flags, context)
  if (flags.service.length > 0 || flags.profile.length > 0)
    throw cliError('cli.usage', 'build: --service and --profile are for a Compose file, and exclude a context')
  const outputs = outputsOf(flags)
  const wanted = wishOfFlags(flags, outputs, context)
  const builds = await context.builds()
  await using source = await sourceOf(place, flags.file, context)
  const wish = { ...wanted, registryAuth: await registryAuths(wanted, source.dockerfile, context) }
  const { id, view } = await shownBuild({ source, wish, outputs, flags, builds, context })
  if (wish.call !== 'build') return tellCall(wish.call, source, view, context)
  if (flags.iidfile !== undefined) writeText(resolve(context.cwd, flags.iidfile), id)
  if (flags['metadata-file'] !== undefined)
    writeText(resolve(context.cwd, flags['metadata-file']), `${JSON.stringify(metadata(id, view), null, 2)}\n`)
  // The standard output may be an archive.
  if (id !== '' && !outputs.some(({ dest }) => dest === '-')) context.terminal.stdout.write(`${id}\n`)
  return 0
}

interface ShownBuild {
  readonly source: BuildSource
  readonly wish: ImageWish
  readonly outputs: readonly OutputChoice[]
  readonly flags: BuildFlags
  readonly builds: BuildCalls
  readonly context: CliContext
}

async function shownBuild(build: ShownBuild): Promise<{ readonly id: string; readonly view: BuildView }> {
  const { source, wish, outputs, flags, builds, context } = build
  const { stdout, stderr } = context.terminal
  const paint = painter(stderr.hasColour)
  const mode = wish.call === 'build' ? modeOf(flags) : 'quiet'
  const display = buildDisplay({ sink: stderr, paint, clock: context.clock, mode })
  const track = display.add('')
  const tellWarnings = () => {
    if (mode !== 'quiet' && mode !== 'rawjson') stderr.write(warningsText(track.view().warnings, paint))
  }
  const onOutput = async (output: number, file: Readable) => {
    const choice = outputs[output]
    if (choice !== undefined) await deliver(file, choice, context.cwd, stdout)
  }
  try {
    const id = await runBuild(source, wish, builds, track, context.interrupted(), onOutput)
    display[Symbol.dispose]()
    tellWarnings()
    return { id, view: track.view() }
  } catch (error) {
    display[Symbol.dispose]()
    if (mode !== 'rawjson') stderr.write(failureText(error, track.view(), source.dockerfile, paint))
    tellWarnings()
    throw error
  }
}

function modeOf(flags: BuildFlags): ProgressMode {
  return flags.quiet ? 'quiet' : (flags.progress ?? 'auto')
}

/** Whoever asks for a check wants to know by the exit code. */
function tellCall(call: ImageWish['call'], source: BuildSource, view: BuildView, { terminal, paint }: CliContext): number {
  if (call === 'outline' && view.outline !== undefined) terminal.stdout.write(outlineText(view.outline))
  if (call === 'targets') terminal.stdout.write(targetsText(view.targets))
  if (call !== 'check') return 0
  terminal.stdout.write(findingsText(view.warnings, source.dockerfile, paint))
  return view.warnings.length === 0 ? 0 : 1
}

async function sourceOf(place: string, file: string | undefined, context: CliContext): Promise<BuildSource> {
  const { directorySource, isAddress, remoteSource, streamSource, textOf } = await import('#client/context')
  if (place === '-' && file === '-')
    throw cliError('cli.usage', 'build: the context and the Dockerfile cannot both be the standard input')
  if (place === '-') return await streamSource(context.terminal.stdin, file === undefined ? undefined : { path: file })
  const isRemote = isAddress(place)
  const dockerfile: DockerfileChoice | undefined =
    file === undefined
      ? undefined
      : file === '-'
        ? { text: await textOf(context.terminal.stdin), shown: 'the standard input' }
        : { path: isRemote ? file : resolve(context.cwd, file) }
  if (isRemote) return remoteSource(place, dockerfile)
  return await directorySource(resolve(context.cwd, place), dockerfile, context.clock, context.files)
}

function metadata(id: string, { tags, moves }: BuildView) {
  const digest = moves.findLast(({ what }) => what === 'push')?.digest
  return {
    ...(id === '' ? {} : { 'containerimage.config.digest': id }),
    ...(typeof digest === 'string' ? { 'containerimage.digest': digest } : {}),
    ...(tags.length === 0 ? {} : { 'image.name': tags.join(',') }),
  }
}

function writeText(path: string, text: string): void {
  try {
    writeFileSync(path, text)
  } catch (error) {
    throw cliError('cli.failed', `write ${path}: ${messageOf(error)}`, { cause: error })
  }
}
