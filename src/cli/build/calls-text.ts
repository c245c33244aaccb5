import type { WireOutline, WireTarget } from '#api/glovebox'

import { printable } from '../output/colour.ts'
import { renderTable } from '../output/table.ts'

/** Pure: what a target takes. */
export function outlineText({ stage, description, args, secrets, sshAgents }: WireOutline): string {
  const head = [
    `TARGET:      ${printable(stage)}\n`,
    ...(description === null ? [] : [`DESCRIPTION: ${printable(description)}\n`]),
  ]
  const argRows = args.map(({ name, value, description: about }) => [name, value ?? '', about ?? ''].map(printable))
  const needs = (list: WireOutline['secrets']) => list.map(({ id, isRequired }) => [printable(id), isRequired ? 'true' : ''])
  return [
    ...head,
    ...(args.length === 0 ? [] : ['\n', renderTable(titles('BUILD ARG', 'VALUE', 'DESCRIPTION'), argRows)]),
    ...(secrets.length === 0 ? [] : ['\n', renderTable(titles('SECRET', 'REQUIRED'), needs(secrets))]),
    ...(sshAgents.length === 0 ? [] : ['\n', renderTable(titles('SSH', 'REQUIRED'), needs(sshAgents))]),
  ].join('')
}

/** Pure: which targets there are. */
export function targetsText(targets: readonly WireTarget[]): string {
  const rows = targets.map(({ name, isDefault, base, description }) =>
    [isDefault ? `${name} (default)` : name, base, description ?? ''].map(printable),
  )
  return renderTable(titles('TARGET', 'BASE', 'DESCRIPTION'), rows)
}

const titles = (...words: readonly string[]) => words.map((title) => ({ title }))
