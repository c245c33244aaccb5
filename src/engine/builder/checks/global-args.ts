import { isKind } from '#base'
import { expandWord, type ArgInstruction } from '#oci/dockerfile'
import { parseReference } from '#oci/reference'

import { findStage } from '../stages.ts'
import { didYouMean } from './similar.ts'
import { placeAt, type CheckFinding, type CheckInput } from './finding.ts'

/** What FROM uses of the arguments before the first stage: each declared, and with a default that makes an image name. */
export function* globalArgFindings(
  input: CheckInput,
  before: readonly ArgInstruction[],
  predefined: ReadonlyMap<string, string>,
): Generator<CheckFinding> {
  const defaults = defaultsOf(input, before, predefined)
  for (const stage of input.stages) {
    const { from } = stage
    const place = placeAt(input, from.lines.first)
    const used = new Set<string>()
    const undeclared = new Set<string>()
    const lookup = (name: string) => {
      if (defaults.has(name)) used.add(name)
      return defaults.get(name)
    }
    const onUnset = (name: string) => void undeclared.add(name)
    const reference = unlessInvalid(() => expandWord(from.image, { place, escape: input.dockerfile.escape, lookup, onUnset }))
    for (const name of undeclared)
      yield {
        check: 'UndefinedArgInFrom',
        place,
        message: `FROM uses ${name}, which no ARG before it declares${didYouMean(name, defaults.keys())}`,
      }
    if (reference === undefined || used.size === 0 || undeclared.size > 0) continue
    if (reference === 'scratch' || findStage(input.stages, reference, stage.index) !== undefined) continue
    if (unlessInvalid(() => parseReference(reference)) !== undefined) continue
    const [name = ''] = used
    const message = `without --build-arg ${name}=, ${from.image} is ${JSON.stringify(reference)}, which is no image name`
    yield { check: 'InvalidDefaultArgInFrom', place, message }
  }
}

/** Undefined for what cannot be read: a name that is none, or an expansion that demands a value and says so when none is given. */
function unlessInvalid<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (isKind(error, 'invalid')) return undefined
    throw error
  }
}

/** Values as they are when the build gives no argument. */
function defaultsOf(
  input: CheckInput,
  before: readonly ArgInstruction[],
  predefined: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  const values = new Map(predefined)
  for (const instruction of before)
    for (const { name, value } of instruction.args) {
      const place = placeAt(input, instruction.lines.first)
      const lookup = (wanted: string) => values.get(wanted) ?? ''
      values.set(
        name,
        value === undefined ? (values.get(name) ?? '') : expandWord(value, { place, escape: input.dockerfile.escape, lookup }),
      )
    }
  return values
}
