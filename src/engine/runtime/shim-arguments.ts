import { subscriptionMask, type Subscription } from './shim-frames.ts'

export interface LogFile {
  readonly path: string
  /** Rotated before it would grow beyond this. Unbounded if left out. */
  readonly maxBytes?: number
  /** How many are kept, the present one included. 1 if left out: a full file starts anew. */
  readonly maxFiles?: number
  /** Files that are rotated away are gzipped. */
  readonly isCompressed?: boolean
  /** Written with each line. */
  readonly attributes?: Readonly<Record<string, string>>
  /** Lines wait here for a slow disk, and are lost beyond it. Left out: the program waits for the disk. */
  readonly queueBytes?: number
}

export interface ShimOptions {
  /** The shim's own directory, absolute: its socket and its records are in it. One for each start. */
  readonly dir: string
  readonly isTty: boolean
  /** Whether the program has a stdin that can be written to. Otherwise it reads /dev/null, or a silent terminal. */
  readonly hasStdin: boolean
  /** Docker's json-file lines. */
  readonly log?: LogFile
  /** What the first connection gets of the output, from the first byte on. Nothing if left out. */
  readonly subscription?: Subscription
}

export interface OciRuntime {
  /** Absolute path of crun or runc. */
  readonly path: string
  /** Where it keeps its own state. */
  readonly stateRoot: string
}

/** Arguments of a shim that is to run a new container from a bundle, the mode included and the program's name left out. */
export function shimArguments(
  runtime: OciRuntime,
  options: ShimOptions & { readonly id: string; readonly bundle: string },
): readonly string[] {
  const { log, subscription } = options
  return [
    'run',
    ...['--dir', options.dir, '--runtime', runtime.path, '--state-root', runtime.stateRoot, '--id', options.id],
    ...['--bundle', options.bundle],
    ...(options.isTty ? ['--tty'] : []),
    ...(options.hasStdin ? ['--stdin'] : []),
    ...(subscription === undefined ? [] : ['--subscribe', String(subscriptionMask(subscription))]),
    ...(log === undefined ? [] : ['--log', log.path]),
    ...(log?.maxBytes === undefined ? [] : ['--log-max-bytes', String(log.maxBytes)]),
    ...(log?.maxFiles === undefined ? [] : ['--log-max-files', String(log.maxFiles)]),
    ...(log?.isCompressed === true ? ['--log-compress'] : []),
    ...(log?.attributes === undefined ? [] : ['--log-attributes', JSON.stringify(log.attributes)]),
    ...(log?.queueBytes === undefined ? [] : ['--log-queue-bytes', String(log.queueBytes)]),
  ]
}
