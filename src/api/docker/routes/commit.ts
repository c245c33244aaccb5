import { readJson, sendJson } from '#api/http'

import type { Call, RouteContext } from '../call.ts'
import { dockerError } from '../errors.ts'
import { refuseOtherFields } from '../translate/fields.ts'
import { archivesOf } from './archive.ts'

/** POST /commit. The body is a configuration laid over the container's; clients send an empty one, and `changes` say the same. */
export async function commitContainer(call: Call, context: RouteContext): Promise<void> {
  const { query } = call
  const container = query.text('container')
  if (container === '') throw dockerError('docker.parameter_missing', 'commit: query container is missing')
  refuseOtherFields(await readJson(call.request), { fields: {} }, 'commit')
  const [repo, tag] = [query.text('repo'), query.text('tag')]
  const { imageId } = await archivesOf(context).commit(container, {
    ref: repo === '' ? null : tag === '' ? repo : `${repo}:${tag}`,
    author: query.text('author'),
    comment: query.text('comment'),
    changes: query
      .texts('changes')
      .flatMap((change) => change.split('\n'))
      .filter((change) => change.trim() !== ''),
    shouldPause: query.bool('pause', true),
  })
  sendJson(call.response, 201, { Id: imageId })
}
