import type { IncomingMessage, ServerResponse } from 'node:http'

import { readVerb, type ServiceVerb } from '#api/glovebox'
import { readJson, sendJson } from '#api/http'
import type { Role } from '#dashboard/wire'

import { demandRole, type Caller } from './caller.ts'
import type { DashboardNeeds } from './ports.ts'

/** What a verb takes. To deploy is to run any image with any settings, which is as much as to remove. */
export const VERB_ROLES: Readonly<Record<ServiceVerb['verb'], Role>> = {
  scale: 'operator',
  pause: 'operator',
  resume: 'operator',
  promote: 'operator',
  abort: 'operator',
  rollback: 'operator',
  deploy: 'admin',
  remove: 'admin',
}

/** `POST /services/{name}`: what the body asks of the service, in the name of the caller. Here and not behind a door, for the role depends on the body. */
export async function answerVerb(
  request: IncomingMessage,
  response: ServerResponse,
  {
    name,
    caller,
    needs,
  }: { readonly name: string; readonly caller: Caller; readonly needs: Pick<DashboardNeeds, 'operations' | 'log'> },
): Promise<void> {
  const verb = readVerb(await readJson(request))
  demandRole(caller, VERB_ROLES[verb.verb])
  const performed = await needs.operations.perform(name, verb, { actor: { by: caller.user, from: 'dashboard' } })
  needs.log.info('done from the dashboard', { user: caller.user, service: name, verb: verb.verb })
  sendJson(response, 200, performed)
}
