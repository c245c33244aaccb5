import type { Evaluation } from '../template/evaluate.ts'

/** Objects of the API's answers whose names are the user's: one that is not there is empty, and no mistake. */
const MAPS = new Set(
  'Labels Annotations Networks Ports Volumes ExposedPorts PortBindings Sysctls Tmpfs Options DriverOpts Containers StorageOpt Data Runtimes Attributes AuxiliaryAddresses SystemStatus'.split(
    ' ',
  ),
)

/** Fields that answers leave out where they are empty. */
const OPTIONAL = new Set(
  'Health SizeRw SizeRootFs Healthcheck OnBuild StopTimeout StopSignal Shell MacAddress NetworkDisabled Mounts Tmpfs Annotations StorageOpt Sysctls Init Name Driver Variant Options UsageData Status Descriptor Metadata Manifests Comment Author OsVersion Links IPAMConfig ConsoleSize GraphDriver ImageManifestDescriptor Warnings Error Detail Details'.split(
    ' ',
  ),
)

/** The same with the user's names in order, as docker prints them; the fields of the API keep theirs. */
export function withOrderedMaps(value: unknown): unknown {
  return ordered(value, false)
}

function ordered(value: unknown, isMap: boolean): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((one) => ordered(one, false))
  const entries = Object.entries(value).map(([name, inner]) => [name, ordered(inner, !isMap && isMapField(name, value))] as const)
  return Object.fromEntries(isMap ? entries.toSorted(([a], [b]) => (a < b ? -1 : 1)) : entries)
}

function isMapField(name: string, object: object): boolean {
  return MAPS.has(name) || (name === 'Config' && isLogConfig(object))
}

/** For templates over answers of the API: what an object is where it lacks a field. */
export function absentFields(root: unknown): Evaluation['absent'] {
  const maps = new WeakSet<object>()
  const mark = (value: unknown, isMap: boolean) => {
    if (typeof value !== 'object' || value === null) return
    if (isMap) maps.add(value)
    for (const [name, inner] of Object.entries(value)) mark(inner, !isMap && !Array.isArray(value) && isMapField(name, value))
  }
  mark(root, false)
  return (object, name) => {
    if (maps.has(object)) return { value: undefined }
    return OPTIONAL.has(name) && !Array.isArray(object) ? { value: null } : undefined
  }
}

function isLogConfig(value: object): boolean {
  return Object.keys(value).length === 2 && 'Type' in value
}
