import type { TarEntryType, TarXattr } from '#oci/tar'

/**
 * The attributes of an entry that become attributes of the file. Left out: `trusted.overlay.*`, which overlayfs would obey (a layer
 * could redirect a name to any file of the layers below it); what Linux would refuse on such a file, as `user.*` on a symlink; and
 * namespaces that Linux does not have.
 */
export function keptXattrs(type: TarEntryType, xattrs: readonly TarXattr[]): readonly TarXattr[] {
  return xattrs.length === 0 ? xattrs : xattrs.filter((xattr) => isKept(type, xattr))
}

function isKept(type: TarEntryType, { name, value }: TarXattr): boolean {
  const hasUserXattrs = type === 'file' || type === 'directory'
  if (name.startsWith('user.')) return hasUserXattrs && name.length > 'user.'.length
  if (name.startsWith('security.')) return name.length > 'security.'.length
  if (name.startsWith('trusted.')) return name.length > 'trusted.'.length && !name.startsWith('trusted.overlay.')
  if (name === 'system.posix_acl_access') return type !== 'symlink' && isAcl(value)
  if (name === 'system.posix_acl_default') return type === 'directory' && isAcl(value)
  return false
}

/** Version 2, then entries of 8 bytes (linux/posix_acl_xattr.h). */
function isAcl(value: Buffer): boolean {
  return value.length >= 4 && value.readUInt32LE(0) === 2 && (value.length - 4) % 8 === 0
}
