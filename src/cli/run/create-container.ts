import { constants } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import { resolve } from 'node:path'

import { GloveboxError, messageOf, systemCodeOf } from '#base'
import type { Client } from '#client'

import type { CliContext } from '../command.ts'
import { cliError } from '../errors.ts'
import { pullImage } from '../images/pull.ts'
import { printable } from '../output/colour.ts'
import { type Attachment, createRequest, type Stream } from './create-request.ts'
import type { CreateFlags } from './flags.ts'

export interface NewContainer {
  readonly image: string
  readonly words: readonly string[]
  readonly flags: CreateFlags
  readonly attachment: Attachment
}

/** Creates a container, fetching its image first where the flags say so. Gives its id. Warnings of the daemon go to the standard error. */
export async function createContainer(wanted: NewContainer, client: Client, context: CliContext): Promise<string> {
  const { image, flags } = wanted
  const body = createRequest(image, wanted.words, flags, wanted.attachment, context)
  await using idFile = flags.cidfile === undefined ? undefined : await claimFile(resolve(context.cwd, flags.cidfile))
  if (flags.pull === 'always') await fetchImage(wanted, client, context)
  const create = () => client.containers.create(body, flags.name, flags.platform)
  const made = await create().catch(async (error: unknown) => {
    if (!isImageMissing(error) || (flags.pull ?? 'missing') !== 'missing') throw error
    await fetchImage(wanted, client, context)
    return await create()
  })
  for (const warning of made.Warnings ?? [])
    context.terminal.stderr.write(`${context.paint('yellow', 'warning:')} ${printable(warning)}\n`)
  await idFile?.write(made.Id)
  return made.Id
}

async function fetchImage({ image, flags }: NewContainer, client: Client, context: CliContext): Promise<void> {
  const { stderr } = context.terminal
  if (!flags.quiet) stderr.write(`fetching ${image}, which is not here${flags.pull === 'always' ? ' or may be older' : ''}\n`)
  await pullImage({ image, platform: flags.platform, isQuiet: flags.quiet, isEveryTag: false }, client, context)
}

function isImageMissing(error: unknown): boolean {
  return error instanceof GloveboxError && error.kind === 'not_found' && /no such image/i.test(error.message)
}

interface IdFile extends AsyncDisposable {
  write(id: string): Promise<void>
}

/** A file of a container that could not be created is taken away again; one that is there already belongs to another. */
async function claimFile(path: string): Promise<IdFile> {
  const file = await open(path, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY, 0o644).catch((error: unknown) => {
    if (systemCodeOf(error) === 'EEXIST')
      throw cliError('cli.usage', `--cidfile: ${path} exists already`, { hint: 'Remove it, or name another file.' })
    throw cliError('cli.failed', `--cidfile: ${messageOf(error)}`, { cause: error })
  })
  let isWritten = false
  return {
    write: async (id) => {
      await file.writeFile(id)
      isWritten = true
    },
    [Symbol.asyncDispose]: async () => {
      await file.close()
      if (!isWritten) await rm(path, { force: true })
    },
  }
}

const STREAMS: readonly Stream[] = ['stdin', 'stdout', 'stderr']

/** What the flags say of joining. Errors: `cli.usage`. */
export function attachmentOf(flags: CreateFlags, isDetached: boolean, context: CliContext): Attachment {
  const streams = flags.attach.map((word) => {
    const stream = STREAMS.find((name) => name === word.toLowerCase())
    if (stream !== undefined) return stream
    throw cliError('cli.usage', `--attach: ${JSON.stringify(word)} is none of ${STREAMS.join(', ')}`)
  })
  if (streams.length > 0 && isDetached) throw cliError('cli.usage', '--attach and --detach exclude each other')
  const { stdout } = context.terminal
  return {
    isInteractive: flags.interactive,
    hasTty: flags.tty,
    isDetached,
    streams,
    removesItself: flags.rm,
    consoleSize: flags.tty && stdout.isTty ? [stdout.rows, stdout.columns] : undefined,
  }
}
