/** Without what was not said: undefined values and empty lists and maps. An emptied `Entrypoint` is said. */
export function compact(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const isSaid = (value: unknown) =>
    value !== undefined && !(Array.isArray(value) && value.length === 0) && !(isPlain(value) && Object.keys(value).length === 0)
  return Object.fromEntries(
    Object.entries(fields).filter(([name, value]) => isSaid(value) || (name === 'Entrypoint' && value !== undefined)),
  )
}

function isPlain(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
