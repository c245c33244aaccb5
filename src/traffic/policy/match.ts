import type { AllowRule, PolicedStack } from './port.ts'

export interface Party {
  readonly stack: string
  readonly service: string
}

/** For people: `shop/web`, or `web` of one that belongs to no application. */
export function nameOf({ stack, service }: Party): string {
  return stack === '' ? service : `${stack}/${service}`
}

/** A name in `from`: null stands for everybody. A service without a stack is one of the rule's own. */
export function readFrom(from: string, ownStack: string): { readonly stack: string; readonly service: string | null } | null {
  if (from === '*') return null
  const slash = from.indexOf('/')
  if (slash < 0) return { stack: ownStack, service: from }
  const service = from.slice(slash + 1)
  return { stack: from.slice(0, slash), service: service === '*' ? null : service }
}

export function isFrom(rule: AllowRule, ownStack: string, party: Party): boolean {
  return rule.from.some((from) => {
    const read = readFrom(from, ownStack)
    return read === null || (read.stack === party.stack && (read.service === null || read.service === party.service))
  })
}

export function isTo(rule: AllowRule, service: string): boolean {
  return rule.to.length === 0 || rule.to.includes(service)
}

/** Addresses of a service in all of its networks. */
export function addressesOf(stack: PolicedStack, service: string): readonly string[] {
  const tasks = stack.services.filter(({ name }) => name === service).flatMap((one) => one.tasks)
  return tasks.flatMap(({ addresses }) => Object.values(addresses).flat())
}
