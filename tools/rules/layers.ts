import type { SourceFile, Violation } from './source.ts'

/**
 * Who may import whom, by top folder of src/. The composition root may import everything and is imported by nobody.
 * `cluster`, `traffic` and `databases` declare the ports that they need of a node and never see the engine or Linux.
 */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  base: [],
  oci: ['base'],
  host: ['base'],
  engine: ['base', 'oci', 'host', 'engine'],
  cluster: ['base', 'oci', 'cluster'],
  traffic: ['base', 'cluster', 'traffic'],
  databases: ['base', 'cluster'],
  observe: ['base'],
  operate: ['base', 'oci', 'host', 'operate'],
  api: ['base', 'oci', 'engine', 'cluster', 'observe', 'operate', 'api'],
  dashboard: ['base', 'api', 'cluster', 'dashboard'],
  client: ['base', 'oci', 'api', 'client'],
  cli: ['base', 'oci', 'client', 'api', 'cluster', 'operate', 'cli', 'host'],
  daemon: ['base', 'oci', 'host', 'engine', 'cluster', 'traffic', 'databases', 'observe', 'operate', 'api', 'dashboard', 'cli'],
}

export function layers(files: readonly SourceFile[]): readonly Violation[] {
  return files
    .filter((file) => file.path.startsWith('src/'))
    .flatMap((file) => file.imports.flatMap((found) => check(file, found)))
}

function check(file: SourceFile, found: SourceFile['imports'][number]): readonly Violation[] {
  const from = topOf(file.path)
  const say = (message: string) => [{ rule: 'layers', path: file.path, line: found.line, message }]
  if (found.target === undefined) return []
  if (!found.target.startsWith('src/'))
    return isTest(file.path) || found.target === 'package.json' ? [] : say(`src/ imports ${found.target}, which is outside it`)
  const to = topOf(found.target)
  const isSameModule = found.specifier.startsWith('.')
  if (isSameModule && to !== from) return say(`${found.specifier} reaches into ${to}: import its face, '#${to}…'`)
  if (to === from) return []
  const allowed = MAY_IMPORT[from]
  if (allowed === undefined) return say(`src/${from} is not a layer that the rule knows`)
  return allowed.includes(to) || isTest(file.path)
    ? []
    : say(`${from} must not import ${to} (it may import: ${allowed.join(', ') || 'nothing'})`)
}

function topOf(path: string): string {
  return path.split('/')[1] ?? ''
}

function isTest(path: string): boolean {
  return path.endsWith('.test.ts')
}
