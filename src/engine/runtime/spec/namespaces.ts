import type { RuntimeNamespace, RuntimeNamespaceType } from '#oci/runtime-spec'

import { specError } from './errors.ts'
import type { NamespaceInput, NamespacesInput, RuntimeSpecInput } from './input.ts'

export function planNamespaces(input: NamespacesInput, userNamespace?: string): readonly RuntimeNamespace[] {
  const one = (type: RuntimeNamespaceType, wanted: NamespaceInput): readonly RuntimeNamespace[] => {
    if (wanted.kind === 'host') return []
    return [wanted.kind === 'new' ? { type } : { type, path: wanted.path }]
  }
  return [
    ...(userNamespace === undefined ? [] : [{ type: 'user' as const, path: userNamespace }]),
    { type: 'mount' },
    ...one('pid', input.pid),
    ...one('ipc', input.ipc),
    ...one('uts', input.uts),
    ...one('network', input.network),
    ...one('cgroup', input.cgroup),
  ]
}

const IPC_SYSCTL = /^(kernel\.(msgmax|msgmnb|msgmni|sem|shmall|shmmax|shmmni|shm_rmid_forced)|fs\.mqueue\..+)$/
const NET_SYSCTL = /^net\../
const UTS_SYSCTL = 'kernel.domainname'

/** Servers may listen on any port without a capability, and anybody may ping: both end at the container's own network. */
function networkDefaults(groups = 2_147_483_648): Readonly<Record<string, string>> {
  return { 'net.ipv4.ip_unprivileged_port_start': '0', 'net.ipv4.ping_group_range': `0 ${groups - 1}` }
}

function namespaceOf(sysctl: string): 'network' | 'ipc' | 'uts' | undefined {
  if (NET_SYSCTL.test(sysctl)) return 'network'
  if (IPC_SYSCTL.test(sysctl)) return 'ipc'
  return sysctl === UTS_SYSCTL ? 'uts' : undefined
}

/** Only what belongs to a namespace that is the container's own: everything else would change the host, or a neighbour. */
export function planSysctls(
  input: Pick<RuntimeSpecInput, 'sysctls' | 'namespaces' | 'userNamespace'>,
): Readonly<Record<string, string>> {
  const { namespaces } = input
  const isOwn = (namespace: NamespaceInput) => namespace.kind === 'new' || namespace.kind === 'path'
  for (const name of Object.keys(input.sysctls)) {
    const namespace = namespaceOf(name)
    if (namespace === undefined)
      throw specError('spec.invalid', `sysctl "${name}" is not in a separate kernel namespace`, {
        hint: 'Containers have their own net.*, fs.mqueue.*, kernel.msg*, kernel.sem, kernel.shm* and kernel.domainname ones.',
      })
    if (namespaces[namespace].kind === 'host')
      throw specError('spec.invalid', `sysctl "${name}" not allowed in host ${namespace} namespace`)
  }
  return {
    ...(isOwn(namespaces.network) ? networkDefaults(input.userNamespace?.groups) : {}),
    ...input.sysctls,
  }
}
