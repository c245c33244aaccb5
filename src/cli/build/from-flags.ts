import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'

import type { BuildWish } from '#api/glovebox'
import { messageOf } from '#base'
import type { Client } from '#client'
import type { BuildSource, DockerfileChoice } from '#client/context'

import type { FlagValues } from '../args/flags.ts'
import type { CliContext } from '../command.ts'
import type { buildFlags } from '../commands/build.ts'
import { cliError } from '../errors.ts'
import { painter } from '../output/colour.ts'
import { pairs } from '../run/pairs.ts'
import { buildComposeServices } from './compose-services.ts'
import { buildDisplay, type BuildTrack, type ProgressMode } from './display.ts'
import { failureText, findingsText, warningsText } from './failure.ts'
import { pushTags } from './push-tags.ts'
import { runBuild } from './run-build.ts'
import { readSecrets, secretChoice, sshAgents } from './secrets.ts'
import { entitlementOf, networkOf, PLAIN_WISH, type ImageWish } from './wish.ts'

export type BuildFlags = FlagValues<typeof buildFlags>

/** What `glovebox build` does with its words. Resolves to the exit code. */
export async function buildFromFlags(flags: BuildFlags, place: string | undefined, context: CliContext): Promise<number> {
  const wish = wishOfFlags(flags, context)
  if (place === undefined) return await buildComposeServices(flags, context)
  if (flags.service.length > 0 || flags.profile.length > 0)
    throw cliError('cli.usage', 'build: --service and --profile are for a Compose file, and exclude a context')
  if (flags.push && flags.tag.length === 0) throw cliError('cli.usage', 'build --push: name the image with --tag')
  const client = await context.client()
  const signal = context.interrupted()
  await using source = await sourceOf(place, flags.file, context)
  const { id, track } = await shownBuild(source, wish, flags, client, context, signal)
  if (wish.call === 'check') return tellFindings(source, track, context)
  if (flags.iidfile !== undefined) writeText(resolve(context.cwd, flags.iidfile), id)
  if (flags['metadata-file'] !== undefined)
    writeText(resolve(context.cwd, flags['metadata-file']), `${JSON.stringify(metadata(id, track), null, 2)}\n`)
  if (flags.push) await pushTags(flags.tag, client, context, flags.quiet)
  context.terminal.stdout.write(`${id}\n`)
  return 0
}

async function shownBuild(
  source: BuildSource,
  wish: ImageWish,
  flags: BuildFlags,
  client: Client,
  context: CliContext,
  signal: AbortSignal,
): Promise<{ readonly id: string; readonly track: BuildTrack }> {
  const { stderr } = context.terminal
  const paint = painter(stderr.hasColour)
  const mode = modeOf(flags)
  const display = buildDisplay({ sink: stderr, paint, clock: context.clock, mode: wish.call === 'check' ? 'quiet' : mode })
  const track = display.add('')
  const isShown = mode !== 'quiet' && mode !== 'rawjson' && wish.call !== 'check'
  try {
    const id = await runBuild(source, wish, client.builds, track, signal)
    display[Symbol.dispose]()
    if (isShown) stderr.write(warningsText(track.view().warnings, paint))
    return { id, track }
  } catch (error) {
    display[Symbol.dispose]()
    if (mode !== 'rawjson') stderr.write(failureText(error, track.view(), source.dockerfile, paint))
    if (isShown) stderr.write(warningsText(track.view().warnings, paint))
    throw error
  }
}

function modeOf(flags: BuildFlags): ProgressMode {
  return flags.quiet ? 'quiet' : (flags.progress ?? 'auto')
}

/** Whoever asks for a check wants to know by the exit code. */
function tellFindings(source: BuildSource, track: BuildTrack, { terminal, paint }: CliContext): number {
  const { warnings } = track.view()
  terminal.stdout.write(findingsText(warnings, source.dockerfile, paint))
  return warnings.length === 0 ? 0 : 1
}

/** The builder's options. Errors: `cli.usage`, `cli.unsupported`, `cli.not_found`. */
function wishOfFlags(flags: BuildFlags, context: CliContext): ImageWish {
  const network = networkOf(flags.network ?? 'default')
  if (network === undefined)
    throw cliError('cli.unsupported', `build: --network ${JSON.stringify(flags.network)} is not supported`, {
      hint: 'Use default, none or host.',
    })
  return {
    ...PLAIN_WISH,
    tags: flags.tag,
    args: givenArgs(flags['build-arg'], context.env),
    labels: pairs(flags.label),
    target: flags.target ?? null,
    platform: flags.platform ?? null,
    usesCache: !flags['no-cache'],
    pulls: flags.pull,
    network,
    entitlements: flags.allow.map(entitlement),
    secrets: readSecrets(flags.secret.map(secretChoice), context),
    sshAgents: sshAgents(flags.ssh, context),
    call: callOf(flags),
  }
}

function callOf(flags: BuildFlags): BuildWish['call'] {
  if (flags.check && flags.call !== undefined && flags.call !== 'check')
    throw cliError('cli.usage', `build: --check and --call=${flags.call} exclude each other`)
  return flags.check ? 'check' : (flags.call ?? 'build')
}

function entitlement(word: string): BuildWish['entitlements'][number] {
  const known = entitlementOf(word)
  if (known !== undefined) return known
  throw cliError('cli.unsupported', `build: --allow ${JSON.stringify(word)} is not supported`, {
    hint: 'There are network.host and security.insecure.',
  })
}

/** A name alone takes its value from here, and is left out when there is none. */
function givenArgs(words: readonly string[], env: NodeJS.ProcessEnv): Readonly<Record<string, string>> {
  return pairs(
    words.flatMap((word) => {
      if (word.includes('=')) return [word]
      const value = env[word]
      return value === undefined ? [] : [`${word}=${value}`]
    }),
  )
}

async function sourceOf(place: string, file: string | undefined, context: CliContext): Promise<BuildSource> {
  const { directorySource, streamSource, textOf } = await import('#client/context')
  if (place === '-' && file === '-')
    throw cliError('cli.usage', 'build: the context and the Dockerfile cannot both be the standard input')
  if (place === '-') return await streamSource(context.terminal.stdin, file === undefined ? undefined : { path: file })
  if (isAddress(place))
    throw cliError('cli.unsupported', `build: the context ${place} is an address, which the builder cannot fetch yet`)
  const dockerfile: DockerfileChoice | undefined =
    file === undefined
      ? undefined
      : file === '-'
        ? { text: await textOf(context.terminal.stdin), shown: 'the standard input' }
        : { path: resolve(context.cwd, file) }
  return await directorySource(resolve(context.cwd, place), dockerfile, context.clock)
}

function isAddress(place: string): boolean {
  return /^(?:https?|git|ssh):\/\/|^git@|^github\.com\//.test(place)
}

function metadata(id: string, track: BuildTrack) {
  const { tags } = track.view()
  return { 'containerimage.config.digest': id, ...(tags.length === 0 ? {} : { 'image.name': tags.join(',') }) }
}

function writeText(path: string, text: string): void {
  try {
    writeFileSync(path, text)
  } catch (error) {
    throw cliError('cli.failed', `write ${path}: ${messageOf(error)}`, { cause: error })
  }
}
