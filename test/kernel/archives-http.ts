import { request } from 'node:http'

import { scanTar, textOfBytes } from '#oci/tar'

export interface Answer {
  readonly status: number
  readonly body: Buffer
  /** X-Docker-Container-Path-Stat, decoded. */
  readonly stat: any
}

/** One call of the archive routes, without a client in between. */
export function archiveCall(socketPath: string, method: 'HEAD' | 'GET' | 'PUT', path: string, body?: Buffer): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const call = request(
      { socketPath, method, path, headers: body === undefined ? {} : { 'content-type': 'application/x-tar' } },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () => {
          const header = response.headers['x-docker-container-path-stat']
          const stat = typeof header === 'string' ? JSON.parse(Buffer.from(header, 'base64').toString()) : undefined
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks), stat })
        })
      },
    )
    call.on('error', reject)
    call.end(body)
  })
}

export function archivePath(container: string, path: string, more: Readonly<Record<string, string>> = {}): string {
  return `/containers/${container}/archive?${new URLSearchParams({ path, ...more }).toString()}`
}

/** The members of a tar: names, and what files hold. */
export function unpacked(tar: Buffer): ReadonlyMap<string, string> {
  const readAt = (into: Buffer, position: number) => tar.copy(into, 0, position)
  const entries = [...scanTar(readAt, tar.length)]
  return new Map(
    entries.map((entry) => [textOfBytes(entry.path), tar.toString('utf8', entry.dataOffset, entry.dataOffset + entry.size)]),
  )
}
