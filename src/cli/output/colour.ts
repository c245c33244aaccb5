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

/** Columns that the text takes, colours not counted. */
export function widthOf(text: string): number {
  return [...text.replace(COLOURS, '')].length
}
