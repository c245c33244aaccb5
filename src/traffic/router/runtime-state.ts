import type { ProxyServer } from './port.ts'

/** HAProxy 2.6 management guide, section 9.3: `show info`. */
export function parseInfo(text: string): { readonly fingerprint: string; readonly workerPid: number } {
  const fields = new Map(
    text.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]),
  )
  return { fingerprint: fields.get('description') ?? '', workerPid: Number(fields.get('Pid') ?? 0) }
}

/** Bits of srv_admin_state that mean maintenance and draining (management guide, `show servers state`). */
const MAINTENANCE = 0x01 | 0x02 | 0x04 | 0x20
const DRAINING = 0x08 | 0x10

/** `show servers state` tells address and state, `show stat -1 4 -1` the connections. Columns are found by their names. */
export function parseServers(stateText: string, statText: string): readonly ProxyServer[] {
  const connections = new Map(
    table(statText, ',').map((row) => [`${row.get('pxname') ?? ''}/${row.get('svname') ?? ''}`, Number(row.get('scur') ?? 0)]),
  )
  return table(stateText, ' ').map((row) => {
    const section = row.get('be_name') ?? ''
    const id = row.get('srv_name') ?? ''
    const admin = Number(row.get('srv_admin_state') ?? 0)
    return {
      section,
      id,
      address: row.get('srv_addr') ?? '',
      port: Number(row.get('srv_port') ?? 0),
      state: (admin & MAINTENANCE) !== 0 ? 'maintenance' : (admin & DRAINING) !== 0 ? 'draining' : 'ready',
      isUp: row.get('srv_op_state') !== '0',
      unchangedMs: Number(row.get('srv_time_since_last_change') ?? 0) * 1000,
      connections: connections.get(`${section}/${id}`) ?? 0,
      weight: Number(row.get('srv_uweight') ?? 0),
    }
  })
}

/** Names of the proxies that listen. */
export function parseFrontends(statText: string): readonly string[] {
  return table(statText, ',').flatMap((row) => (row.get('svname') === 'FRONTEND' ? [row.get('pxname') ?? ''] : []))
}

/** Pids of workers that were replaced: `show proc` of the master socket (management guide, section 9.4). */
export function parseOldWorkers(text: string): readonly number[] {
  const lines = text.split('\n')
  const start = lines.indexOf('# old workers')
  if (start === -1) return []
  const after = lines.slice(start + 1)
  const end = after.findIndex((line) => line.startsWith('#'))
  return after
    .slice(0, end === -1 ? undefined : end)
    .map((line) => Number.parseInt(line, 10))
    .filter((pid) => pid > 0)
}

/** `show map`: a reference, the key and the value, which has no space in it. */
export function parseMap(text: string): ReadonlyMap<string, string> {
  const lines = text.split('\n').map((line) => line.split(' '))
  return new Map(lines.filter((words) => words.length === 3).map(([, key = '', value = '']) => [key, value]))
}

/** Lines under a header that starts with `#`. */
export function table(text: string, separator: string): readonly ReadonlyMap<string, string>[] {
  const lines = text.split('\n')
  const start = lines.findIndex((line) => line.startsWith('# '))
  const names = (lines[start] ?? '').slice(2).split(separator)
  return lines
    .slice(start + 1)
    .filter((line) => line.includes(separator))
    .map((line) => new Map(line.split(separator).map((value, index) => [names[index] ?? '', value])))
}
