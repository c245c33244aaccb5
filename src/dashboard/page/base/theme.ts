import { createValue, type Value } from './value.ts'

export type ThemeName = 'system' | 'light' | 'dark'

const KEY = 'glovebox-theme'
const NAMES: readonly ThemeName[] = ['system', 'light', 'dark']

export interface Theme {
  readonly name: Value<ThemeName>
  next(): void
  isDark(): boolean
}

export function createTheme(storage: Storage, root: HTMLElement): Theme {
  const kept = storage.getItem(KEY)
  const name = createValue<ThemeName>(NAMES.find((one) => one === kept) ?? 'system')
  const show = () => {
    root.dataset['theme'] = name.get()
    storage.setItem(KEY, name.get())
  }
  name.listen(show)
  root.dataset['theme'] = name.get()
  return {
    name,
    next: () => name.set(NAMES[(NAMES.indexOf(name.get()) + 1) % NAMES.length] ?? 'system'),
    isDark: () => name.get() === 'dark' || (name.get() === 'system' && matchMedia('(prefers-color-scheme: dark)').matches),
  }
}
