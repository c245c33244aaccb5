import type { PolicedStack } from './port.ts'

/** What stands for an application or a service in the kernel's sets, by `shop` or `shop/web`. */
export type Numbers = ReadonlyMap<string, number>

/** Who has a number keeps it: a change of one application changes no element of another. */
export function numbersOf(stacks: readonly PolicedStack[], before: Numbers): Numbers {
  const names = stacks.flatMap((stack) => [stack.name, ...stack.services.map(({ name }) => `${stack.name}/${name}`)])
  const kept = new Map(names.flatMap((name) => (before.has(name) ? [[name, before.get(name) ?? 0] as const] : [])))
  const taken = new Set(kept.values())
  let next = 1
  for (const name of names) {
    if (kept.has(name)) continue
    while (taken.has(next)) next += 1
    taken.add(next)
    kept.set(name, next)
  }
  return kept
}
