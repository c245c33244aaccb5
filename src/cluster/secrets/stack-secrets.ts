import { isKind } from '#base'
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
  const wanted = KINDS.flatMap((kind) => stack[partOf(kind)].map((part) => ({ kind, ...part })))
  const valueOf = ({ kind, key, isExternal }: (typeof wanted)[number]) => (isExternal ? undefined : values?.[partOf(kind)][key])
  // First of all, so that nothing is kept of a stack that cannot be.
  for (const part of wanted) if (valueOf(part) === undefined) await mustBeThere(secrets, stack.name, part)
  for (const part of wanted) {
    const text = valueOf(part)
    const labels = { ...part.labels, [STACK_LABEL]: stack.name }
    if (text !== undefined) await secrets.put(part.kind, { name: part.name, labels, value: Buffer.from(text, 'base64') })
  }
}

/** The versions that the stack's secrets and configs would have, by `secret/NAME` and `config/NAME`; nothing is written. Errors: as `putStackSecrets`. */
export async function foreseeStackSecrets(
  secrets: Pick<Secrets, 'inspect' | 'foresee'>,
  stack: Pick<StackSpec, 'name' | 'secrets' | 'configs'>,
  values: StackSecretValues | undefined,
): Promise<Readonly<Record<string, number>>> {
  const versions: Record<string, number> = {}
  for (const kind of KINDS)
    for (const part of stack[partOf(kind)]) {
      const text = part.isExternal ? undefined : values?.[partOf(kind)][part.key]
      if (text === undefined) await mustBeThere(secrets, stack.name, { kind, ...part })
      else versions[`${kind}/${part.name}`] = await secrets.foresee(kind, part.name, Buffer.from(text, 'base64'))
    }
  return versions
}

/** When the stack is gone. What others use stays. */
export async function removeStackSecrets(secrets: Pick<Secrets, 'list' | 'usersOf' | 'remove'>, stack: string): Promise<void> {
  for (const kind of KINDS)
    for (const { id, labels } of await secrets.list(kind))
      if (labels[STACK_LABEL] === stack && (await secrets.usersOf(kind, id)).length === 0) await secrets.remove(kind, id)
}

async function mustBeThere(
  secrets: Pick<Secrets, 'inspect'>,
  stack: string,
  { kind, name, isExternal }: { readonly kind: SecretKind; readonly name: string; readonly isExternal: boolean },
): Promise<void> {
  try {
    await secrets.inspect(kind, name)
  } catch (error) {
    if (!isKind(error, 'not_found')) throw error
    const why = isExternal ? 'calls external' : 'has no value for'
    throw secretError('secret.not_found', `${kind} ${name}, which the application ${stack} ${why}, not found`, {
      hint: `Make it first: \`glovebox ${kind} create ${name} FILE\`.`,
    })
  }
}
