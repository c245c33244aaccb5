import type { CliContext } from '../command.ts'
import { cliError } from '../errors.ts'
import { painter } from '../output/colour.ts'
import { progress } from '../output/progress.ts'
import { readComposeFile } from '../up/compose-file.ts'
import { provideImages } from '../up/images.ts'
import { buildDisplay, type BuildTrack } from './display.ts'
import { registryAuthsOf } from './registry-auths.ts'
import { warningsText } from './failure.ts'
import type { BuildFlags } from './flags.ts'
import { pushTags } from './push-tags.ts'

/** Flags of `build` that a Compose file says for each service itself. */
const NEED_CONTEXT = [
  ...(['tag', 'file', 'build-arg', 'label', 'target', 'secret', 'ssh', 'allow', 'network', 'platform'] as const),
  ...(['iidfile', 'metadata-file', 'check', 'call'] as const),
]

/** Builds the services of the Compose file here. Resolves to the exit code. */
export async function buildComposeServices(flags: BuildFlags, context: CliContext): Promise<number> {
  refuseOthers(flags)
  const { stdout, stderr } = context.terminal
  const paint = painter(stderr.hasColour)
  const { spec, builds, warnings } = await readComposeFile(
    { place: undefined, stackName: undefined, profiles: flags.profile },
    context,
  )
  for (const warning of warnings) stderr.write(`${paint('yellow', 'warning:')} ${warning}\n`)
  const unknown = flags.service.find((name) => !Object.hasOwn(builds, name))
  if (unknown !== undefined)
    throw cliError('cli.not_found', `build: the Compose file has no service ${unknown} with a build section`)
  const isWanted = (name: string) => Object.hasOwn(builds, name) && (flags.service.length === 0 || flags.service.includes(name))
  const services = spec.services.filter(({ name }) => isWanted(name))
  if (services.length === 0) throw cliError('cli.not_found', 'build: no service of the Compose file has a build section')
  const client = await context.client()
  const mode = flags.quiet ? 'quiet' : (flags.progress ?? 'auto')
  using display = buildDisplay({ sink: stderr, paint, clock: context.clock, mode })
  const tracks = new Map<string, BuildTrack>()
  const track = (service: string) => {
    const made = display.add(services.length === 1 ? '' : service)
    tracks.set(service, made)
    return made
  }
  const images = await provideImages(services, builds, {
    client,
    show: progress(stderr, paint, flags.quiet),
    usesCache: !flags['no-cache'],
    pulls: flags.pull,
    builds: true,
    pullPolicies: {},
    signal: context.interrupted(),
    clock: context.clock,
    surroundings: { cwd: spec.workingDir, env: context.env },
    registryAuth: registryAuthsOf(context),
    track,
    pull: async () => undefined,
  })
  display[Symbol.dispose]()
  if (mode !== 'quiet' && mode !== 'rawjson')
    for (const made of tracks.values()) stderr.write(warningsText(made.view().warnings, paint))
  if (flags.push)
    await pushTags(
      Object.values(images).map(({ reference }) => reference),
      client,
      context,
      flags.quiet,
    )
  for (const { id, reference } of Object.values(images)) stdout.write(flags.quiet ? `${id}\n` : `${id} ${reference}\n`)
  return 0
}

function refuseOthers(flags: BuildFlags): void {
  for (const name of NEED_CONTEXT) {
    const value = flags[name]
    if (value === undefined || value === false || (Array.isArray(value) && value.length === 0)) continue
    throw cliError('cli.usage', `build: --${name} needs a context`, { hint: 'Name a directory, or say it in the Compose file.' })
  }
}
