import { printable } from '../output/colour.ts'

// oxlint-disable-next-line no-control-regex -- escape sequences are what it looks for
const SEQUENCES = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[@-Z\\^_])/g
const TAB = '        '

/** A line that a program wrote, for one line of ours: without its colours and movements; of what it drew over, the last. */
export function cleanLine(raw: string): string {
  const drawn = raw.replace(/\r+$/, '')
  return printable(
    drawn
      .slice(drawn.lastIndexOf('\r') + 1)
      .replace(SEQUENCES, '')
      .replaceAll('\t', TAB),
  )
}
