import type { RuntimeSpec } from '#oci/runtime-spec'

import { containerCapabilities } from './capabilities.ts'
import { specError } from './errors.ts'
import type { RuntimeSpecInput, SpecHostFacts } from './input.ts'
import { planMounts, protectedPaths, rootfsPropagation } from './mounts.ts'
import { planNamespaces, planSysctls } from './namespaces.ts'
import { processSpec } from './process.ts'
import { deviceNodes, planResources } from './resources.ts'
import { planSeccomp } from './seccomp.ts'

/** The version whose fields we write and crun 1.8 reads. */
const OCI_VERSION = '1.0.2'
/** crun takes orders by annotations: to run hooks elsewhere, to load another filter. These are ours alone to give. */
const RESERVED_ANNOTATIONS = 'run.oci.'

/** From values to `config.json`. Throws `spec.invalid` for what contradicts itself or is not known. */
export function planRuntimeSpec(input: RuntimeSpecInput, host: SpecHostFacts): RuntimeSpec {
  checkAnnotations(input.annotations)
  const mounts = planMounts(input)
  const sysctl = planSysctls(input)
  const capabilities = containerCapabilities(input.security, host.capabilities)
  const seccomp = planSeccomp(input.security, capabilities, host)
  const hasOwnUts = input.namespaces.uts.kind === 'new'
  const hasOwnHostname = hasOwnUts && input.hostname !== ''
  return {
    ociVersion: OCI_VERSION,
    process: processSpec(input.process, input.security, host),
    root: { path: input.rootfs.path, readonly: input.rootfs.isReadOnly },
    ...(hasOwnHostname ? { hostname: input.hostname } : {}),
    ...(hasOwnUts && input.domainname !== '' ? { domainname: input.domainname } : {}),
    mounts,
    ...(Object.keys(input.annotations).length === 0 ? {} : { annotations: input.annotations }),
    linux: {
      namespaces: planNamespaces(input.namespaces, input.userNamespace?.path),
      cgroupsPath: input.cgroupsPath,
      resources: planResources(input, host),
      ...(input.devices.length === 0 ? {} : { devices: deviceNodes(input.devices) }),
      ...(Object.keys(sysctl).length === 0 ? {} : { sysctl }),
      ...(seccomp === undefined ? {} : { seccomp }),
      ...protectedPaths(input),
      rootfsPropagation: rootfsPropagation(mounts),
    },
  }
}

function checkAnnotations(annotations: Readonly<Record<string, string>>): void {
  const reserved = Object.keys(annotations).find((name) => name.startsWith(RESERVED_ANNOTATIONS))
  if (reserved !== undefined)
    throw specError('spec.unsupported', `annotation ${reserved}: names in ${RESERVED_ANNOTATIONS}* are reserved`)
}
