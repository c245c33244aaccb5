import type { MountEntry } from './port-mounts.ts'

/** Reads proc_pid_mountinfo(5). Lines that do not parse are left out: the kernel may grow fields, not lose them. */
export function parseMountinfo(text: string): readonly MountEntry[] {
  return text.split('\n').flatMap((line) => {
    const entry = parseLine(line)
    return entry === undefined ? [] : [entry]
  })
}

function parseLine(line: string): MountEntry | undefined {
  const fields = line.split(' ')
  const separator = fields.indexOf('-', 6)
  const [id, parentId, device, root, target, options] = fields
  const [type, source, superOptions] = separator < 0 ? [] : fields.slice(separator + 1)
  if (device === undefined || root === undefined || target === undefined || options === undefined) return undefined
  if (type === undefined || source === undefined) return undefined
  return {
    id: Number(id),
    parentId: Number(parentId),
    device,
    root: unescapeMountField(root),
    target: unescapeMountField(target),
    options: options.split(','),
    propagation: fields.slice(6, separator),
    type: unescapeMountField(type),
    source: unescapeMountField(source),
    superOptions: (superOptions ?? '').split(',').map(unescapeMountField),
  }
}

/** The kernel writes space, tab, newline, `\` and (in paths) `#` as three octal digits of a byte. */
function unescapeMountField(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))
}

export function isAtOrBelow(path: string, parent: string): boolean {
  const base = parent === '/' ? '/' : `${parent.replace(/\/+$/, '')}/`
  return path === parent || `${path}/` === base || path.startsWith(base)
}
