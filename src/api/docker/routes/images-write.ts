import type { ImageProgress } from '#engine/images'

import type { Call, RouteContext } from '../call.ts'
import { dockerError } from '../errors.ts'
import { sendJsonLines } from '../json-lines.ts'
import { platformOf } from '../translate/platform.ts'
import { pullImage } from './registries.ts'

type Line = Readonly<Record<string, unknown>>

/** POST /images/load. */
export async function loadImages(call: Call, { engine }: RouteContext): Promise<void> {
  const progress = engine.images.load(call.request, { platform: platformOf(call.query), isBody: true })
  await sendJsonLines(call, loadLines(progress, call.query.bool('quiet')))
}

async function* loadLines(progress: AsyncIterable<ImageProgress>, isQuiet: boolean): AsyncGenerator<Line> {
  for await (const step of progress) {
    if (step.type === 'loaded')
      yield { stream: step.ref === null ? `Loaded image ID: ${step.image.id}\n` : `Loaded image: ${step.ref}\n` }
    else if (!isQuiet) yield progressLine(step)
  }
}

function progressLine(step: ImageProgress): Line {
  if (step.type === 'status') return { status: step.text }
  if (step.type === 'loaded') return { status: `Loaded image: ${step.ref ?? step.image.id}` }
  return { status: step.status, progressDetail: { current: step.currentBytes, total: step.totalBytes }, id: step.id }
}

/** POST /images/create: import with `fromSrc`, pull with `fromImage`. */
export async function createImage(call: Call, context: RouteContext): Promise<void> {
  const { query } = call
  if (query.text('fromImage') !== '') return pullImage(call, context)
  const source = query.text('fromSrc')
  if (source === '') throw dockerError('docker.parameter_missing', 'create an image: give fromImage or fromSrc')
  if (source !== '-')
    throw dockerError('docker.option_unsupported', `import from ${source} is not supported`, {
      hint: 'Send the tar as the body, with fromSrc=-.',
    })
  const repo = query.text('repo')
  const tag = query.text('tag')
  await sendJsonLines(
    call,
    importLines(
      context.engine.images.import({
        tar: call.request,
        ref: repo === '' ? null : tag === '' ? repo : `${repo}:${tag}`,
        message: query.text('message'),
        changes: query.texts('changes'),
        platform: query.text('platform') || null,
      }),
    ),
  )
}

async function* importLines(imported: Promise<{ readonly id: string }>): AsyncGenerator<Line> {
  yield { status: (await imported).id }
}
