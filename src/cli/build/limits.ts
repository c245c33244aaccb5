import { parseBytes } from '#base'
import type { BuildWish, WireAnnotation } from '#api/glovebox'

import { cliError } from '../errors.ts'

type Ulimit = BuildWish['limits']['ulimits'][number]

/** `NAME=SOFT[:HARD]`; one number is both. Error: `cli.usage`. */
export function readUlimit(word: string): Ulimit {
  const [, name = '', soft = '', hard = soft] = /^([a-z]+)=(-1|\d+)(?::(-1|\d+))?$/.exec(word) ?? []
  if (name === '') throw cliError('cli.usage', `--ulimit: ${JSON.stringify(word)} is not NAME=SOFT[:HARD]`)
  return { name, soft: Number(soft), hard: Number(hard) }
}

/** `NAME:ADDRESS` or `NAME=ADDRESS`, the address of IPv6 in brackets or not. Error: `cli.usage`. */
export function readExtraHost(word: string): string {
  const [, name, address] = /^([^:=]+)[:=](.+)$/.exec(word) ?? []
  if (name === undefined || address === undefined)
    throw cliError('cli.usage', `--add-host: ${JSON.stringify(word)} is not NAME:ADDRESS`)
  return `${name}:${address.replace(/^\[(.*)\]$/, '$1')}`
}

/** A size, or -1. Errors: `input.invalid`. */
export function readSwap(word: string): number {
  return word === '-1' ? -1 : parseBytes(word, '--memory-swap')
}

const LEVELS = ['manifest', 'index', 'manifest-descriptor', 'index-descriptor'] as const

/** `[TYPE[PLATFORM][,TYPE]:]NAME=VALUE`, as `index,manifest[linux/amd64]:org.example=x`; one for each type. Error: `cli.usage`. */
export function readAnnotation(word: string): readonly WireAnnotation[] {
  const [, types = 'manifest', name = '', value = ''] = /^(?:((?:[a-z-]+(?:\[[^\]]*\])?,?)+):)?([^=]+)=(.*)$/s.exec(word) ?? []
  if (name === '')
    throw cliError('cli.usage', `--annotation: ${JSON.stringify(word)} is not [TYPE:]NAME=VALUE`, {
      hint: `A type is one of ${LEVELS.join(', ')}.`,
    })
  return types.split(',').map((type) => {
    const [, level, platform] = /^([a-z-]+)(?:\[([^\]]+)\])?$/.exec(type) ?? []
    const known = LEVELS.find((one) => one === level)
    if (known === undefined)
      throw cliError('cli.usage', `--annotation: there is no type ${JSON.stringify(type)}`, {
        hint: `There are ${LEVELS.join(', ')}.`,
      })
    if (platform !== undefined && known !== 'manifest' && known !== 'manifest-descriptor')
      throw cliError('cli.usage', `--annotation: ${JSON.stringify(type)} is one for all platforms`)
    return { level: known, platform: platform ?? null, name, value }
  })
}
