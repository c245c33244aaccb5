import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { join } from 'node:path'

import { systemCodeOf, type Digest } from '#base'

import { snapshotError } from './errors.ts'
import { RECORD_FILE } from './paths.ts'
import type { LayerSnapshot } from './port.ts'

/** What is written beside a layer. */
export interface LayerRecord extends LayerSnapshot {
  readonly version: 1
  /** Number of its mount point, given once. */
  readonly slot: number
  readonly isRootOpaque: boolean
  readonly isRootExplicit: boolean
}

export function writeLayerRecord(directory: string, record: LayerRecord): void {
  writeDurably(join(directory, RECORD_FILE), JSON.stringify(record))
}

/** Undefined when there is none or it is damaged: the layer can be made again from its tar. */
export function readLayerRecord(directory: string): LayerRecord | undefined {
  const value = readJson(join(directory, RECORD_FILE))
  return isLayerRecord(value) ? value : undefined
}

export function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    if (error instanceof SyntaxError || systemCodeOf(error) === 'ENOENT' || systemCodeOf(error) === 'ENOTDIR') return undefined
    throw snapshotError('snapshot.layer_broken', `read ${path}: ${String(error)}`, { cause: error })
  }
}

/** Whole or absent, also after a power cut. */
function writeDurably(path: string, text: string): void {
  const temporary = `${path}.new`
  const fd = openSync(temporary, 'w', 0o600)
  try {
    writeSync(fd, text)
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
  renameSync(temporary, path)
}

function isLayerRecord(value: unknown): value is LayerRecord {
  if (typeof value !== 'object' || value === null) return false
  const record = value as Record<string, unknown>
  const numbers = ['slot', 'indexBytes', 'entries', 'contentBytes', 'fileBytes']
  return (
    record['version'] === 1 &&
    typeof record['diffId'] === 'string' &&
    (record['kind'] === 'erofs' || record['kind'] === 'directory') &&
    typeof record['isRootOpaque'] === 'boolean' &&
    typeof record['isRootExplicit'] === 'boolean' &&
    numbers.every((name) => Number.isSafeInteger(record[name]))
  )
}

export function snapshotOf(record: LayerRecord): LayerSnapshot {
  const { diffId, kind, indexBytes, entries, contentBytes, fileBytes } = record
  return { diffId, kind, indexBytes, entries, contentBytes, fileBytes }
}

export function isDigestList(value: unknown): value is readonly Digest[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string' && /^sha256:[0-9a-f]{64}$/.test(item))
}
