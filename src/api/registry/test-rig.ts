import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { memoryRecords, silentLog, systemRandom, virtualClock, type Log } from '#base'
import { createRepositories, createTokens, openAccounts } from '#engine/repositories'
import { digestOf } from '#oci/digest'

import { registryApi } from './serve.ts'

/** A registry that tests talk to over HTTP; its clock stands still. */
export async function rig() {
  const root = mkdtempSync(join(tmpdir(), 'registry-api-'))
  const [records, random, clock] = [memoryRecords(), systemRandom(), virtualClock(1_700_000_000_000)]
  const repositories = createRepositories({ root, records, clock, random })
  const accounts = openAccounts(records, random, { isOpenWithoutUsers: true })
  const errors: string[] = []
  const log: Log = { ...silentLog(), error: (message, fields) => void errors.push(`${message} ${String(fields?.['error'])}`) }
  const api = registryApi({ repositories, accounts, tokens: createTokens(records, random, clock), clock, log })
  const server: Server = createServer((request, response) => api.handleRequest(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const ask = (path: string, init: RequestInit = {}) => fetch(`${base}${path}`, init)
  return {
    base,
    root,
    /** What the registry could not explain by what was asked. */
    errors,
    repositories,
    accounts,
    clock,
    ask,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      rmSync(root, { recursive: true, force: true })
    },
  }
}

export type Rig = Awaited<ReturnType<typeof rig>>

export const location = (response: Response) => response.headers.get('location') ?? ''

export async function push(
  { ask }: Pick<Rig, 'ask'>,
  name: string,
  text: string,
  headers: Record<string, string> = {},
): Promise<string> {
  const put = await ask(`/v2/${name}/blobs/uploads/?digest=${digestOf(text)}`, { method: 'POST', body: text, headers })
  assert.equal(put.status, 201, await put.text())
  return digestOf(text)
}

export async function codeOf(response: Response): Promise<string> {
  const body = (await response.json()) as { errors: readonly { code: string }[] }
  return `${response.status} ${body.errors[0]?.code}`
}

export const basic = (user: string, password: string) => ({
  authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
})
