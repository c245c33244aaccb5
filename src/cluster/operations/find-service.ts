import { isKind } from '#base'
import type { Services, ServiceSight } from '#cluster/services'

/** By what `Services` knows, or by `STACK/SERVICE`. Errors: `service.not_found`, `service.ambiguous`. */
export async function findService(services: Pick<Services, 'get' | 'list'>, ref: string): Promise<ServiceSight> {
  const slash = ref.indexOf('/')
  if (slash === -1) return await services.get(ref)
  const [stack, own] = [ref.slice(0, slash), ref.slice(slash + 1)]
  const found = (await services.list()).find(({ record, revision }) => record.stack === stack && revision.spec.name === own)
  if (found !== undefined) return found
  // A stack of Docker's is nothing but a part of the name.
  try {
    return await services.get(`${stack}_${own}`)
  } catch (error) {
    if (!isKind(error, 'not_found')) throw error
    return await services.get(ref)
  }
}
