import type { Role } from '#dashboard/wire'

/** From the least to the most. */
export const ROLES: readonly Role[] = ['viewer', 'operator', 'admin']

export function includes(role: Role, needed: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(needed)
}

export function isRole(value: unknown): value is Role {
  return ROLES.some((role) => role === value)
}
