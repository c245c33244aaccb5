import type { Actor, EnvironmentRecord } from '#cluster/model'
import type { StackSecretValues } from '#cluster/secrets'
import type { StackChange, StackStatus } from '#cluster/stacks'

import type { Difference } from './diff.ts'

/**
 * Copies of applications beside them, each with an end. What a call returned from is written down. A `ref` is the name of an environment (`pr-42`), with its
 * application where several have one of the name (`shop/pr-42`), or the name of its stack. Errors of all that take one: `environment.not_found`, `environment.ambiguous`.
 */
export interface Environments extends AsyncDisposable {
  /**
   * Errors: `environment.name_taken`, `environment.name_invalid`, `environment.setting_invalid`, `environment.host_invalid`, `environment.host_taken`,
   * `environment.life_invalid`, `environment.too_many`, `stack.not_found` for what is to be copied; and those of `Stacks.apply`.
   */
  create(wanted: NewEnvironment, actor: Actor): Promise<EnvironmentChange>
  /** By application and name. */
  list(): Promise<readonly EnvironmentView[]>
  get(ref: string): Promise<EnvironmentView>
  /** Further settings, on top of what it is. Errors: as `create`, `environment.is_being_removed`, `environment.changed`. */
  set(ref: string, settings: readonly string[], actor: Actor): Promise<EnvironmentChange>
  /** From now on it stays so long; null: until it is removed. Errors: `environment.life_invalid`, `environment.is_being_removed`. */
  extend(ref: string, lifeMs: number | null): Promise<EnvironmentView>
  /** Resolves when all of it is gone, its volumes as well. It goes on when the signal ends the wait. */
  remove(ref: string, signal: AbortSignal, actor: Actor): Promise<EnvironmentView>
  /** Of two environments or applications. */
  diff(left: string, right: string, options: { readonly isWhole: boolean }): Promise<readonly Difference[]>
  /** Errors: `environment.is_environment`, when the stack is one: `what` is how that is done there. */
  refuseStack(stack: string, hint: (environment: string) => string): Promise<void>
}

export interface NewEnvironment {
  readonly name: string
  /** An application, or another environment. */
  readonly from: string
  readonly settings: readonly string[]
  /** Instead of `{name}.{host}`. */
  readonly hostPattern: string | null
  /** `HOST=OTHER`, or `OTHER` where the source has a single host. */
  readonly hosts: readonly string[]
  /** null: until it is removed. */
  readonly lifeMs: number | null
  /** Of secrets and configs that are to have values of their own. */
  readonly values: StackSecretValues
  readonly hasWritableBinds: boolean
}

export interface EnvironmentView extends EnvironmentRecord {
  /** Of its stack; `gone`: somebody removed it. */
  readonly stackState: StackStatus['state'] | 'gone'
  /** Where it is reached. */
  readonly urls: readonly string[]
  /** What holds it up; null: nothing. */
  readonly whyNotYet: string | null
}

export interface EnvironmentChange {
  readonly environment: EnvironmentView
  readonly change: StackChange
}
