const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, blue: 34, cyan: 36 } as const
export type Colour = keyof typeof CODES

/** Wraps text in the terminal's colour, or leaves it as it is where there is none. */
export type Paint = (colour: Colour, text: string) => string

export function painter(hasColour: boolean): Paint {
  return (colour, text) => (hasColour && text !== '' ? `\u001b[${CODES[colour]}m${text}\u001b[0m` : text)
}

// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g

/** Foreign text for one line of a terminal: a name or command from a container must not move the cursor. */
export function printable(text: string): string {
  return text.replace(CONTROLS, (char) =>
    char === '\n' ? '\\n' : char === '\t' ? '\\t' : `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`,
  )
}

// oxlint-disable-next-line no-control-regex -- escape sequences are what it looks for
const COLOURS = /\u001b\[\d+m/g

/** Columns that the text takes on a terminal, colours not counted. */
export function widthOf(text: string): number {
  let width = 0
  for (const char of text.replace(COLOURS, '')) width += charWidth(char)
  return width
}

/** Two for the wide characters of East Asia (Unicode Standard Annex 11) and for pictures, none for marks that stand on another. */
export function charWidth(char: string): number {
  const point = char.codePointAt(0) ?? 0
  if (point < 0x300) return 1
  if (WIDE.some(([from, to]) => point >= from && point <= to)) return 2
  return /^[\p{Mn}\p{Me}\p{Cf}]$/u.test(char) ? 0 : 1
}

const WIDE: readonly (readonly [from: number, to: number])[] = [
  [0x1100, 0x115f],
  [0x231a, 0x231b],
  [0x23e9, 0x23ec],
  [0x2e80, 0x303e],
  [0x3041, 0x33ff],
  [0x3400, 0x4dbf],
  [0x4e00, 0xa4cf],
  [0xa960, 0xa97f],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe30, 0xfe6f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
  [0x1f300, 0x1f64f],
  [0x1f680, 0x1f6ff],
  [0x1f900, 0x1faff],
  [0x20000, 0x3fffd],
]
