import { cliError } from '../errors.ts'
import { oneOfWords, readOptions } from './options-text.ts'

export interface AttestationFlags {
  readonly attest: readonly string[]
  readonly provenance: string | undefined
  readonly sbom: string | undefined
}

export interface Attestations {
  readonly provenance: 'min' | 'max' | null
  readonly sbom: boolean
}

/** `--attest type=provenance,mode=max`, `--provenance true|false|mode=max`, `--sbom true|false`. Errors: `cli.usage`, `cli.unsupported`. */
export function readAttestations(flags: AttestationFlags): Attestations {
  let wanted: Attestations = { provenance: null, sbom: false }
  for (const word of flags.attest) {
    const options = readOptions('--attest', word, ['type', 'mode', 'disabled'])
    const type = oneOfWords('--attest', 'type', options.get('type') ?? '', ['provenance', 'sbom'])
    const isOff = options.get('disabled') === 'true'
    if (type === 'sbom') wanted = { ...wanted, sbom: !isOff }
    else wanted = { ...wanted, provenance: isOff ? null : modeOf('--attest', options.get('mode') ?? 'min') }
  }
  if (flags.provenance !== undefined) wanted = { ...wanted, provenance: provenanceOf(flags.provenance) }
  if (flags.sbom !== undefined) wanted = { ...wanted, sbom: switchOf('--sbom', flags.sbom) }
  return wanted
}

function provenanceOf(word: string): Attestations['provenance'] {
  if (!word.includes('=')) return switchOf('--provenance', word) ? 'min' : null
  return modeOf('--provenance', readOptions('--provenance', word, ['mode']).get('mode') ?? 'min')
}

function modeOf(flag: string, word: string): 'min' | 'max' {
  return oneOfWords(flag, 'mode', word, ['min', 'max'])
}

function switchOf(flag: string, word: string): boolean {
  if (['true', '1'].includes(word.toLowerCase())) return true
  if (['false', '0'].includes(word.toLowerCase())) return false
  throw cliError('cli.unsupported', `${flag}: ${JSON.stringify(word)} is not supported`, { hint: 'There are true and false.' })
}
