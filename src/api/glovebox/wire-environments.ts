import type { StackValues } from './wire-stacks.ts'

export type { Difference, EnvironmentChange, EnvironmentView } from '#cluster/environments'

/** Body of `POST /glovebox/v1/environments`. */
export interface WireNewEnvironment {
  readonly name: string
  /** An application, or another environment. */
  readonly from: string
  /** `api.image=api:1.1`, `web.environment.DEBUG=1`, `web.replicas=1`. */
  readonly settings?: readonly string[]
  /** Of host names, with `{name}`, `{host}` and `{app}`; absent: `{name}.{host}`. */
  readonly hostPattern?: string
  /** `HOST=OTHER`, or `OTHER` where the source has a single host. */
  readonly hosts?: readonly string[]
  /** null: until it is removed. */
  readonly lifeMs: number | null
  /** Of secrets and configs that are to have values of their own, by key. */
  readonly values?: StackValues
  readonly hasWritableBinds?: boolean
}
