import { readJson, sendEmpty, sendJson } from '#api/http'
import { isKind } from '#base'
import type { SecretKind, SecretView } from '#cluster/secrets'

import type { RouteHandle } from '../call.ts'
import { dockerError } from '../errors.ts'
import { readFilters } from '../filters.ts'
import { idOf } from '../routes/ids.ts'
import { refuseOtherFields, type FieldTable } from '../translate/fields.ts'
import { readerOf, type Reader } from '../translate/read.ts'
import { secretJson } from './secret-json.ts'
import { asManager, versionOf, type SwarmContext } from './surroundings.ts'

const FILTERS = ['id', 'label', 'name', 'names']
const SECRET_BODY: FieldTable = {
  fields: { Name: 'taken', Labels: 'taken', Data: 'taken', Driver: 'unused', Templating: 'unused' },
}

export interface SecretRoutes {
  readonly list: RouteHandle
  readonly create: RouteHandle
  readonly inspect: RouteHandle
  readonly update: RouteHandle
  readonly remove: RouteHandle
}

/** Secrets and configs have the same five operations. */
export function secretRoutes(kind: SecretKind): SecretRoutes {
  const shown = async ({ swarm }: SwarmContext, view: SecretView) =>
    secretJson(view, kind === 'config' ? await swarm.secrets.configValue(view.id) : null)
  const tell = ({ engine }: SwarmContext, action: string, { id, name }: SecretView) =>
    engine.events.publish({ type: kind, action, actorId: id, attributes: { name } })

  return {
    list: asManager(async ({ query, response }, context) => {
      const filters = readFilters(query.text('filters'), FILTERS)
      const found = (await context.swarm.secrets.list(kind)).filter(
        ({ id, name, labels }) =>
          filters.matches('id', (value) => id.startsWith(value)) &&
          filters.matches('name', (value) => name.startsWith(value)) &&
          filters.matches('names', (value) => name === value) &&
          filters.matchesLabels(labels),
      )
      sendJson(response, 200, await Promise.all(found.map(async (view) => await shown(context, view))))
    }),
    create: asManager(async ({ request, response }, context) => {
      const json = await readJson(request)
      refuseOtherFields(json, SECRET_BODY)
      const body = readerOf(json)
      const name = body.text('Name')
      try {
        const view = await context.swarm.secrets.create(kind, { name, labels: body.textMap('Labels'), value: valueOf(body) })
        context.swarm.noteSecret(kind, view.id)
        tell(context, 'create', view)
        sendJson(response, 201, { ID: view.id })
      } catch (error) {
        if (!isKind(error, 'conflict') || error.code !== 'secret.name_in_use') throw error
        throw dockerError('docker.swarm_name_in_use', `rpc error: code = AlreadyExists desc = ${kind} ${name} already exists`, {
          cause: error,
        })
      }
    }),
    inspect: asManager(async (call, context) => {
      sendJson(call.response, 200, await shown(context, await context.swarm.secrets.inspect(kind, idOf(call))))
    }),
    update: asManager(async (call, context) => {
      const version = versionOf(call, kind)
      const json = await readJson(call.request)
      refuseOtherFields(json, SECRET_BODY)
      const body = readerOf(json)
      const before = await context.swarm.secrets.inspect(kind, idOf(call))
      await checkOnlyLabels(kind, before, body, context)
      const view = await context.swarm.secrets.setLabels(kind, before.id, body.textMap('Labels'), version)
      tell(context, 'update', view)
      sendEmpty(call.response, 200)
    }),
    remove: asManager(async (call, context) => {
      const view = await context.swarm.secrets.inspect(kind, idOf(call))
      const users = await context.swarm.secrets.usersOf(kind, view.id)
      if (users.length > 0)
        throw dockerError(
          'docker.field_invalid',
          `rpc error: code = InvalidArgument desc = ${kind} '${view.name}' is in use by the following service${users.length > 1 ? 's' : ''}: ${users.join(', ')}`,
        )
      tell(context, 'remove', await context.swarm.secrets.remove(kind, view.id))
      sendEmpty(call.response, 204)
    }),
  }
}

function valueOf(body: Reader): Buffer {
  const text = body.text('Data')
  if (!/^[\w+/-]*={0,2}$/.test(text)) throw dockerError('docker.field_invalid', 'Data: not base64')
  return Buffer.from(text, 'base64')
}

/** Clients send the whole spec back; a secret's comes without its value, or with the same one when a stack is deployed again. */
async function checkOnlyLabels(kind: SecretKind, before: SecretView, body: Reader, { swarm }: SwarmContext): Promise<void> {
  const isOther = body.text('Name') !== '' && body.text('Name') !== before.name
  const value = valueOf(body)
  const hasOtherValue = value.length > 0 && (await swarm.secrets.foresee(kind, before.name, value)) !== before.version
  if (isOther || hasOtherValue)
    throw dockerError('docker.field_invalid', 'rpc error: code = InvalidArgument desc = only updates to Labels are allowed')
}
