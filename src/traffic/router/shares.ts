import { routeError } from './errors.ts'
import type { BackendGroup, Route } from './port.ts'

/** Percent of a route's requests by group, by hand. */
export type Shift = Readonly<Record<string, number>>

/**
 * The groups as they count: those that somebody shifted get their percentage, the others share the rest in their own proportions. A group that is not
 * there any more is passed over. Pure.
 */
export function shiftGroups(groups: readonly BackendGroup[], shift: Shift): readonly BackendGroup[] {
  const isNamed = (group: BackendGroup) => Object.hasOwn(shift, group.name)
  const named = groups.filter(isNamed).reduce((sum, group) => sum + (shift[group.name] ?? 0), 0)
  const others = groups.filter((group) => !isNamed(group))
  const otherShares = others.reduce((sum, group) => sum + group.share, 0)
  const rest = Math.max(0, 100 - named)
  return groups.map((group) => {
    if (isNamed(group)) return { name: group.name, share: shift[group.name] ?? 0 }
    return { name: group.name, share: otherShares === 0 ? rest / others.length : (group.share / otherShares) * rest }
  })
}

export function shiftRoute(route: Route, shift: Shift | undefined): Route {
  if (shift === undefined || route.groups === undefined) return route
  return { ...route, groups: shiftGroups(route.groups, shift) }
}

/** Errors: `route.invalid` for a group that the route does not have, and for more than there is. */
export function checkShift(route: Route, shares: Shift): void {
  const names = (route.groups ?? []).map((group) => group.name)
  for (const [name, percent] of Object.entries(shares)) {
    if (!names.includes(name)) {
      throw routeError('route.invalid', `route ${route.id} has no group ${JSON.stringify(name)}`, {
        hint: names.length === 0 ? 'It has no groups: there is nothing to shift.' : `It has ${names.join(', ')}.`,
      })
    }
    if (!Number.isFinite(percent) || percent < 0 || percent > 100)
      throw routeError('route.invalid', `${name}: ${percent} is not a percentage`)
  }
  const sum = Object.values(shares).reduce((total, percent) => total + percent, 0)
  if (sum > 100) throw routeError('route.invalid', `route ${route.id}: ${sum} percent are more than there are`)
}
