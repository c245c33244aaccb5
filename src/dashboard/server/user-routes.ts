import type { IncomingMessage, ServerResponse } from 'node:http'

import { readJson, sendEmpty, sendJson } from '#api/http'
import type { UserView } from '#dashboard/wire'

import type { Accounts } from './accounts.ts'
import { dashboardError } from './errors.ts'
import { isRole } from './roles.ts'

/** `/users` and `/users/{name}`, for administrators. Errors: as of `Accounts`, `dashboard.request_invalid`. */
export async function answerUsers(
  request: IncomingMessage,
  response: ServerResponse,
  of: { readonly accounts: Accounts; readonly name: string; readonly by: string },
): Promise<void> {
  const { accounts, name } = of
  switch (`${request.method} ${name === '' ? 'all' : 'one'}`) {
    case 'GET all':
      return sendJson(response, 200, accounts.list() satisfies readonly UserView[])
    case 'PUT one': {
      const { role, password } = await readJson(request)
      if (role !== undefined && !isRole(role))
        throw dashboardError('dashboard.request_invalid', 'role: viewer, operator or admin')
      if (password !== undefined && typeof password !== 'string')
        throw dashboardError('dashboard.request_invalid', 'password: a text is needed')
      await accounts.put(name, { role, password }, of.by)
      return sendEmpty(response, 204)
    }
    case 'DELETE one':
      accounts.remove(name, of.by)
      return sendEmpty(response, 204)
    default:
      throw dashboardError('dashboard.page_unknown', `no such operation: ${request.method} /users`)
  }
}
