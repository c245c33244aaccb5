/** What of the Compose specification is how here, with an example that the tests read. */
export interface Row {
  /** As `services.*.deploy.mode`; every one of them is in the example. */
  readonly fields: readonly string[]
  /** `none`: accepted, because what it asks for is so in any case, or means nothing on Linux. */
  readonly state: 'yes' | 'differs' | 'none' | 'refused'
  readonly note?: string
  /** Fields of the service `web`, beside its image. */
  readonly web?: Readonly<Record<string, unknown>>
  /** Further top-level fields. */
  readonly file?: Readonly<Record<string, unknown>>
}

/** Short for rows of one service. */
export function web(
  state: Row['state'],
  fields: string,
  example: Readonly<Record<string, unknown>>,
  note?: string,
  file?: Readonly<Record<string, unknown>>,
): Row {
  return {
    fields: fields.split(' ').map((field) => `services.*.${field}`),
    state,
    web: example,
    ...(note === undefined ? {} : { note }),
    ...(file === undefined ? {} : { file }),
  }
}

/** Short for rows of the top level. */
export function top(state: Row['state'], fields: string, example: Readonly<Record<string, unknown>>, note?: string): Row {
  return { fields: fields.split(' '), state, file: example, ...(note === undefined ? {} : { note }) }
}
