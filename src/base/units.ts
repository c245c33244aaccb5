import { fail } from './errors.ts'

const BYTE_UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 1024,
  kb: 1024,
  kib: 1024,
  m: 1024 ** 2,
  mb: 1024 ** 2,
  mib: 1024 ** 2,
  g: 1024 ** 3,
  gb: 1024 ** 3,
  gib: 1024 ** 3,
  t: 1024 ** 4,
  tb: 1024 ** 4,
  tib: 1024 ** 4,
}

/** Reads `64m`, `1.5g`, `1024`: binary units, as Docker reads memory sizes. */
export function parseBytes(text: string, what: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text.trim())
  const unit = match?.[2] === undefined ? undefined : BYTE_UNITS[match[2].toLowerCase()]
  if (match?.[1] === undefined || unit === undefined)
    throw fail('input.invalid', `${what}: ${JSON.stringify(text)} is not a size`, {
      hint: 'Write a number with a unit, such as 64m or 1.5g.',
    })
  return Math.floor(Number(match[1]) * unit)
}

const DURATION_UNITS_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
}

/** Reads Go's duration syntax (`1h30m`, `500ms`), the form of Dockerfiles and Compose files. Milliseconds. */
export function parseDurationMs(text: string, what: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g)]
  if (parts.length === 0 || parts.map((part) => part[0]).join('') !== text) {
    if (text === '0') return 0
    throw fail('input.invalid', `${what}: ${JSON.stringify(text)} is not a duration`, {
      hint: 'Write a number with a unit, such as 10s or 1m30s.',
    })
  }
  return parts.reduce((sum, part) => sum + Number(part[1]) * (DURATION_UNITS_MS[part[2] ?? ''] ?? 0), 0)
}

/** `1.5 GB` style with decimal units, as the docker CLI prints image sizes. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB']
  let value = bytes
  let unit = 0
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000
    unit += 1
  }
  return `${unit === 0 ? String(value) : Number(value.toPrecision(3)).toString()}${units[unit] ?? ''}`
}
