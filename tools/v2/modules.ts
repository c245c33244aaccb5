import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'

/** A kernel module as a file, and the names of those that must be there before it. */
export interface KernelModule {
  readonly name: string
  readonly path: string
  readonly needs: readonly string[]
}

/** `depends=a,b` of a module's .modinfo section, as modinfo(8) shows it. Names have underscores there, whatever the file is called. */
export function dependenciesOf(module: Buffer): readonly string[] {
  const start = module.indexOf('\0depends=')
  if (start < 0) return []
  const from = start + '\0depends='.length
  return module
    .subarray(from, module.indexOf(0, from))
    .toString('latin1')
    .split(',')
    .filter((name) => name !== '')
    .map(moduleName)
}

export function moduleName(file: string): string {
  return basename(file, '.ko').replaceAll('-', '_')
}

/** The wanted modules and all that they need, each behind what it needs. A wanted one that is not there is an error that names it. */
export function loadOrder(find: (name: string) => KernelModule | undefined, wanted: readonly string[]): readonly KernelModule[] {
  const order = new Map<string, KernelModule>()
  const visit = (name: string, on: readonly string[]): void => {
    if (order.has(name)) return
    if (on.includes(name)) throw new Error(`kernel modules need each other in a circle: ${[...on, name].join(' -> ')}`)
    const module = find(name)
    if (module === undefined) throw new Error(`kernel module ${[...on, name].join(' -> ')} is not in the kernel's package`)
    for (const need of module.needs) visit(need, [...on, name])
    order.set(name, module)
  }
  for (const name of wanted) visit(moduleName(name), [])
  return [...order.values()]
}

/** Finds modules below /lib/modules/RELEASE/kernel, reading each one's needs when it is asked for. */
export function modulesBelow(directory: string): (name: string) => KernelModule | undefined {
  const files = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ko'))
  const byName = new Map(files.map((file) => [moduleName(file), join(directory, file)]))
  return (name) => {
    const path = byName.get(name)
    return path === undefined ? undefined : { name, path, needs: dependenciesOf(readFileSync(path)) }
  }
}
