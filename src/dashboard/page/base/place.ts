import { createValue, type Value } from './value.ts'

/** Where in the page one is: `#/containers/ID/logs?find=x`. */
export interface Place {
  readonly parts: readonly string[]
  readonly query: URLSearchParams
}

export function readPlace(hash: string): Place {
  const text = hash.replace(/^#\/?/, '')
  const at = text.indexOf('?')
  const path = at < 0 ? text : text.slice(0, at)
  return {
    parts: path
      .split('/')
      .filter((part) => part !== '')
      .map(decode),
    query: new URLSearchParams(at < 0 ? '' : text.slice(at + 1)),
  }
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

/** The address of a place, for links. */
export function to(...parts: readonly string[]): string {
  return `#/${parts.map(encodeURIComponent).join('/')}`
}

export function followPlace(window: Window): Value<Place> {
  const place = createValue(readPlace(window.location.hash))
  window.addEventListener('hashchange', () => place.set(readPlace(window.location.hash)))
  return place
}
