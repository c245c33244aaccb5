import type { MetricFamily, MetricSpec, Sample } from './model.ts'

/** Families of one source while it is read: each with what was said of it, and the samples that come one by one. */
export interface FamilyWriter {
  /** What is not known is not told. */
  set(labels: string, value: number | undefined, suffix?: string): void
}

/** `specs` by short names; each writer is a property of that name. */
export function familyWriters<K extends string>(
  specs: Readonly<Record<K, MetricSpec>>,
): { readonly of: Readonly<Record<K, FamilyWriter>>; readonly families: () => readonly MetricFamily[] } {
  const names = Object.keys(specs) as K[]
  const samples = new Map<K, Sample[]>(names.map((name) => [name, []]))
  const of = Object.fromEntries(
    names.map((name): [K, FamilyWriter] => [
      name,
      {
        set: (labels, value, suffix = '') => {
          if (value !== undefined) samples.get(name)?.push({ suffix, labels, value })
        },
      },
    ]),
  ) as Record<K, FamilyWriter>
  return { of, families: () => names.map((name) => ({ ...specs[name], samples: samples.get(name) ?? [] })) }
}
