/** How a copy is to differ from its source. */
export interface EnvironmentWish {
  /** `pr-42`. */
  readonly name: string
  /** `api.image=api:1.1`, `web.environment.DEBUG=1`, `web.replicas=1`. */
  readonly settings: readonly string[]
  /** Of host names, with `{name}`, `{host}` and `{app}`. */
  readonly hostPattern: string
  /** Hosts here by those of the source, instead of the pattern. */
  readonly hosts: Readonly<Record<string, string>>
  /** For routes that no host tells apart: a port of their own, by the route's name. */
  readonly routePorts: Readonly<Record<string, number>>
  /** Keys of secrets and configs that get values of their own; all others are those of the source. */
  readonly own: Readonly<Record<'secrets' | 'configs', readonly string[]>>
  /** Directories of the host may be written to, as the source does. */
  readonly hasWritableBinds: boolean
}

/** Of the two stacks. */
export interface Names {
  readonly from: string
  readonly to: string
}
