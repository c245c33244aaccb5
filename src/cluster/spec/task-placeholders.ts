/** What texts of a task may name in the way of swarm mode: `{{.Node.Hostname}}`, `{{index .Service.Labels "tier"}}`. */
export interface PlaceholderValues {
  readonly serviceId: string
  readonly serviceName: string
  readonly serviceLabels: Readonly<Record<string, string>>
  readonly nodeId: string
  readonly nodeHostname: string
  readonly taskId: string
  readonly taskName: string
  /** Of a global service, which has none: the node's id. */
  readonly taskSlot: string
}

const PLACEHOLDER = /\{\{-?\s*(.*?)\s*-?\}\}/gs
const LABEL = /^index\s+\.Service\.Labels\s+(?:"([^"\\]*)"|`([^`]*)`)$/

const KNOWN: Readonly<Record<string, (values: PlaceholderValues) => string>> = {
  '.Service.ID': ({ serviceId }) => serviceId,
  '.Service.Name': ({ serviceName }) => serviceName,
  '.Node.ID': ({ nodeId }) => nodeId,
  '.Node.Hostname': ({ nodeHostname }) => nodeHostname,
  '.Task.ID': ({ taskId }) => taskId,
  '.Task.Name': ({ taskName }) => taskName,
  '.Task.Slot': ({ taskSlot }) => taskSlot,
}

/** Those of a text that mean nothing here, as they are written; an opening without an end is one, too. */
export function unknownPlaceholders(text: string): readonly string[] {
  const rest = text.replaceAll(PLACEHOLDER, '')
  const unknown = [...text.matchAll(PLACEHOLDER)].filter(([, inner = '']) => valueOf(inner) === undefined).map(([all]) => all)
  return rest.includes('{{') ? [...unknown, rest.slice(rest.indexOf('{{'))] : unknown
}

export function hasPlaceholders(text: string): boolean {
  return text.includes('{{')
}

/** What is not known stays as it is. */
export function fillPlaceholders(text: string, values: PlaceholderValues): string {
  return text.replaceAll(PLACEHOLDER, (all: string, inner: string) => valueOf(inner)?.(values) ?? all)
}

function valueOf(inner: string): ((values: PlaceholderValues) => string) | undefined {
  const label = LABEL.exec(inner)
  if (label === null) return Object.hasOwn(KNOWN, inner) ? KNOWN[inner] : undefined
  const key = label[1] ?? label[2] ?? ''
  return ({ serviceLabels }) => (Object.hasOwn(serviceLabels, key) ? (serviceLabels[key] ?? '') : '')
}
