import { cliError } from '../errors.ts'

/** What a row has under each name that a filter may say; several values are several words of it. */
export type FilterFields<T> = Readonly<Record<string, (row: T, value: string) => boolean>>

/** `--filter NAME=VALUE`: of one name any of its values, of several names all. Errors: `cli.usage`. */
export function filtered<T>(rows: readonly T[], filters: readonly string[], fields: FilterFields<T>): readonly T[] {
  const wanted = Map.groupBy(filters.map(readFilter), ({ name }) => name)
  for (const name of wanted.keys())
    if (!Object.hasOwn(fields, name))
      throw cliError('cli.usage', `--filter ${name}: there is no such filter`, {
        hint: `There are ${Object.keys(fields).join(', ')}.`,
      })
  return rows.filter((row) =>
    [...wanted].every(([name, values]) => values.some(({ value }) => fields[name]?.(row, value) === true)),
  )
}

function readFilter(word: string): { readonly name: string; readonly value: string } {
  const mark = word.indexOf('=')
  if (mark < 1) throw cliError('cli.usage', `--filter ${JSON.stringify(word)} is not NAME=VALUE`)
  return { name: word.slice(0, mark), value: word.slice(mark + 1) }
}

/** `NAME`, or `NAME=VALUE`. */
export function hasLabel(labels: Readonly<Record<string, string>>, wanted: string): boolean {
  const mark = wanted.indexOf('=')
  const name = mark === -1 ? wanted : wanted.slice(0, mark)
  return Object.hasOwn(labels, name) && (mark === -1 || labels[name] === wanted.slice(mark + 1))
}
