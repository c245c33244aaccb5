/** A word that a shell may offer, and a few words about it. */
export interface Completion {
  readonly word: string
  readonly about: string
}
