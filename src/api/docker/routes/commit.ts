import { readJson, sendJson } from '#api/http'

import type { Call, RouteContext } from '../call.ts'
import { dockerError } from '../errors.ts'
import { commitChanges } from '../translate/commit-changes.ts'
import { archivesOf } from './archive.ts'

/** POST /commit. The body is a configuration laid over the container's; `changes` go on top of that. */
export async function commitContainer(call: Call, context: RouteContext): Promise<void> {
  const { query } = call
  const container = query.text('container')
  if (container === '') throw dockerError('docker.parameter_missing', 'commit: query container is missing')
  const fromBody = commitChanges(await readJson(call.request))
  const [repo, tag] = [query.text('repo'), query.text('tag')]
  const { imageId } = await archivesOf(context).commit(container, {
    ref: repo === '' ? null : tag === '' ? repo : `${repo}:${tag}`,
    author: query.text('author'),
    comment: query.text('comment'),
    changes: [...fromBody, ...query.texts('changes').flatMap((change) => change.split('\n'))].filter(
      (line) => line.trim() !== '',
    ),
    shouldPause: query.bool('pause', true),
  })
  sendJson(call.response, 201, { Id: imageId })
}
