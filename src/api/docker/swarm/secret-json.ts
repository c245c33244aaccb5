import type { SecretView } from '#cluster/secrets'

import { isoTime } from './iso-time.ts'

/** Secret and Config of the API description; only a config's value is shown. */
export function secretJson(view: SecretView, value: Buffer | null) {
  return {
    ID: view.id,
    Version: { Index: view.revision },
    CreatedAt: isoTime(view.createdAtMs),
    UpdatedAt: isoTime(view.updatedAtMs),
    Spec: { Name: view.name, Labels: view.labels, ...(value === null ? {} : { Data: value.toString('base64') }) },
  }
}
