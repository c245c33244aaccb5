import type { HeldUserNamespace } from '#host'

/** How the users of containers become others on the host, where the daemon was told to do that. */
export interface UserRemap {
  /** Root's of containers, on the host. */
  readonly rootUid: number
  readonly rootGid: number
  /** How many groups there are inside. */
  readonly groups: number
  /** Who it is on the host; undefined: nobody, for the container has no such user or group. */
  ownerOnHost(inside: { readonly uid: number; readonly gid: number }): { readonly uid: number; readonly gid: number } | undefined
  /** A user namespace for this container, or that of a process; the network namespace that is made for it next belongs to that. */
  hold(containerId: string, joins?: number): Promise<HeldUserNamespace>
}
