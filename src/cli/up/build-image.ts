import { resolve } from 'node:path'

import type { Client } from '#client'
import { buildContext } from '#client/context'

import { cliError } from '../errors.ts'

export interface ImageBuild {
  readonly context: string
  /** Absolute, or relative to the context. */
  readonly dockerfile: string | undefined
  readonly args: Readonly<Record<string, string>>
  readonly target: string | null
  readonly tags: readonly string[]
  readonly labels?: Readonly<Record<string, string>>
  readonly usesCache?: boolean
  readonly network?: string | undefined
}

/** Enough of the end to see what went wrong. */
const KEPT_LINES = 40

/** Builds one image; `onLine` sees the builder's output line by line. Resolves to the image's id. Errors carry the end of the output. */
export async function buildImage(
  build: ImageBuild,
  client: Client,
  onLine: (line: string) => void,
  signal?: AbortSignal,
): Promise<string> {
  const dockerfile = build.dockerfile === undefined ? undefined : resolve(build.context, build.dockerfile)
  const context = await buildContext(build.context, dockerfile)
  const query = {
    dockerfile: context.dockerfile,
    t: build.tags,
    buildargs: JSON.stringify(build.args),
    labels: build.labels === undefined ? undefined : JSON.stringify(build.labels),
    target: build.target ?? undefined,
    nocache: build.usesCache === false || undefined,
    networkmode: build.network,
    rm: true,
  }
  const kept: string[] = []
  let id: string | undefined
  let rest = ''
  for await (const step of client.images.build(context.tar, query, signal)) {
    if (step.error !== undefined) throw failure(build, step.errorDetail?.message ?? step.error, kept)
    id = step.aux?.ID ?? id
    const lines = (rest + (step.stream ?? (step.status === undefined ? '' : `${step.status}\n`))).split('\n')
    rest = lines.pop() ?? ''
    for (const raw of lines) {
      // What a program draws over and over ends in carriage returns: the last drawing counts.
      const line = raw.replace(/\r+$/, '').replace(/^.*\r/, '')
      kept.push(line)
      if (kept.length > KEPT_LINES) kept.shift()
      onLine(line)
    }
  }
  if (signal?.aborted === true) throw cliError('cli.cancelled', `build ${build.context}: cancelled`)
  if (id === undefined) throw failure(build, 'the daemon ended without an image', kept)
  return id
}

function failure(build: ImageBuild, message: string, kept: readonly string[]): Error {
  const output = kept.map((line) => `  | ${line}`).join('\n')
  return cliError('cli.failed', `${output === '' ? '' : `\n${output}\n`}build ${build.context}: ${message.trim()}`)
}
