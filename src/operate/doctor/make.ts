import type { Finding } from './finding.ts'

export const ok = (id: string, what: string): Finding => ({ id, level: 'ok', what, why: '', advice: '' })

export const note = (id: string, what: string, why: string, advice = ''): Finding => ({ id, level: 'note', what, why, advice })

export const warning = (id: string, what: string, why: string, advice: string): Finding => ({
  id,
  level: 'warning',
  what,
  why,
  advice,
})

export const problem = (id: string, what: string, why: string, advice: string): Finding => ({
  id,
  level: 'problem',
  what,
  why,
  advice,
})

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const

export function inBytes(bytes: number): string {
  const unit = bytes < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log2(bytes) / 10))
  return `${Number((bytes / 1024 ** unit).toFixed(1))} ${UNITS[unit] ?? 'B'}`
}
