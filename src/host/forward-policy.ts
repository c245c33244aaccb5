/** What the `filter` table of iptables-nft, as `nft list table` prints it, says about forwarded packets. */
export function parseForwardPolicy(table: string | undefined): { readonly isDrop: boolean; readonly hasDockerUser: boolean } {
  const forward = /^\s*chain FORWARD \{\n([^}]*)/m.exec(table ?? '')?.[1] ?? ''
  return {
    isDrop: /hook forward .*policy drop/.test(forward),
    hasDockerUser: /^\s*chain DOCKER-USER \{/m.test(table ?? ''),
  }
}
