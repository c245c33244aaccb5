import { compileGlob } from '#oci/patterns'

import { repositoryError } from '../errors.ts'

export type Action = 'pull' | 'push' | 'delete'
export const ACTIONS: readonly Action[] = ['pull', 'push', 'delete']

/** Rights over the repositories that a pattern names: `*` stays within one part of a name, `**` does not. */
export interface Grant {
  readonly repositories: string
  readonly actions: readonly Action[]
}

/** Everything, for a registry that only this machine can reach. */
export const EVERYTHING: readonly Grant[] = [{ repositories: '**', actions: ACTIONS }]

/** The actions that the grants give over one repository. Grants add up; nothing takes a right away. */
export function allowedActions(grants: readonly Grant[], name: string): ReadonlySet<Action> {
  return new Set(
    grants
      .filter(({ repositories }) => compileGlob(repositories, { hasDoubleStar: true }).matches(name))
      .flatMap(({ actions }) => actions),
  )
}

/** Reads `team/**:pull,push`; without actions all of them. Error: `repository.user_invalid`. */
export function readGrant(text: string): Grant {
  const colon = text.lastIndexOf(':')
  const repositories = colon < 0 ? text : text.slice(0, colon)
  const actions =
    colon < 0
      ? ACTIONS
      : text
          .slice(colon + 1)
          .split(',')
          .map(readAction)
  if (repositories === '') throw invalid(text, 'names no repositories')
  try {
    compileGlob(repositories, { hasDoubleStar: true })
  } catch (error) {
    throw invalid(text, 'has a broken pattern', error)
  }
  return { repositories, actions }
}

function readAction(text: string): Action {
  const found = ACTIONS.find((action) => action === text)
  if (found === undefined) throw invalid(text, 'is no action')
  return found
}

function invalid(text: string, why: string, cause?: unknown) {
  return repositoryError('repository.user_invalid', `${JSON.stringify(text.slice(0, 100))} ${why}`, {
    hint: `Write PATTERN or PATTERN:ACTIONS, such as team/**:pull,push. Actions: ${ACTIONS.join(', ')}.`,
    ...(cause === undefined ? {} : { cause }),
  })
}
