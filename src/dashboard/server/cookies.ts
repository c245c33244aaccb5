import type { IncomingMessage } from 'node:http'

/** Cookies do not know ports: each instance on a host has a name of its own. `__Host-` binds it to this host and to TLS (RFC 6265bis, section 4.1.3). */
export interface SessionCookie {
  read(request: IncomingMessage): string | undefined
  /** For Set-Cookie. */
  set(token: string, maxAgeS: number): string
  clear(): string
}

export function sessionCookie(instance: string, isTls: boolean): SessionCookie {
  const name = `${isTls ? '__Host-' : ''}glovebox-${instance}`
  const rest = `Path=/; HttpOnly; SameSite=Strict${isTls ? '; Secure' : ''}`
  return {
    read: ({ headers }) => {
      for (const part of (headers.cookie ?? '').split(';')) {
        const [key = '', value = ''] = part.trim().split('=')
        if (key === name && /^[0-9a-f]{64}$/.test(value)) return value
      }
      return undefined
    },
    set: (token, maxAgeS) => `${name}=${token}; ${rest}; Max-Age=${maxAgeS}`,
    clear: () => `${name}=; ${rest}; Max-Age=0`,
  }
}
