import type { StackSpec } from '#cluster/spec'

import { secretError } from './errors.ts'
import type { SecretKind, Secrets } from './port.ts'
import { partOf } from './references.ts'

/** By which everybody knows what a stack brought; as docker's `stack deploy` has it. */
export const STACK_LABEL = 'com.docker.stack.namespace'

const KINDS: readonly SecretKind[] = ['secret', 'config']

/** Values by key, in base64. */
export type StackSecretValues = Readonly<Record<'secrets' | 'configs', Readonly<Record<string, string>>>>

/**
 * Keeps what a stack brings along, before its services are to use it. Those that it calls external have to be there. Errors: `secret.not_found`,
 * and those of `put`.
 */
export async function putStackSecrets(
  secrets: Pick<Secrets, 'inspect' | 'put'>,
  stack: Pick<StackSpec, 'name' | 'secrets' | 'configs'>,
  values: StackSecretValues | undefined,
): Promise<void> {
  for (const kind of KINDS)
    for (const { key, name, isExternal, labels } of stack[partOf(kind)]) {
      const text = isExternal ? undefined : values?.[partOf(kind)][key]
      if (text !== undefined)
        await secrets.put(kind, { name, labels: { ...labels, [STACK_LABEL]: stack.name }, value: Buffer.from(text, 'base64') })
      else if (!(await isThere(secrets, kind, name)))
        throw secretError(
          'secret.not_found',
          `${kind} ${name}, which the application ${stack.name} ${isExternal ? 'calls external' : 'has no value for'}, not found`,
          { hint: `Make it first: \`glovebox ${kind} create ${name} FILE\`.` },
        )
    }
}

/** When the stack is gone. What others use stays. */
export async function removeStackSecrets(secrets: Pick<Secrets, 'list' | 'usersOf' | 'remove'>, stack: string): Promise<void> {
  for (const kind of KINDS)
    for (const { id, labels } of await secrets.list(kind))
      if (labels[STACK_LABEL] === stack && (await secrets.usersOf(kind, id)).length === 0) await secrets.remove(kind, id)
}

async function isThere(secrets: Pick<Secrets, 'inspect'>, kind: SecretKind, name: string): Promise<boolean> {
  try {
    await secrets.inspect(kind, name)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'secret.not_found') return false
    throw error
  }
}
