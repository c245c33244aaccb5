import type { TableEntry } from '../command.ts'
import { entry } from './entry.ts'

const load = async () => await import('../secrets/secret-commands.ts')

/** What services are given and images do not hold. */
export const secretEntries: readonly TableEntry[] = [
  ...(['secret', 'config'] as const).flatMap((kind) => [
    entry('Secrets', `${kind} create`, `Keep a ${kind} for services`, async () => (await load()).secretCommands[kind].create),
    entry('Secrets', `${kind} ls`, `List ${kind}s`, async () => (await load()).secretCommands[kind].ls, [`${kind} list`]),
    entry('Secrets', `${kind} inspect`, `What is known of ${kind}s`, async () => (await load()).secretCommands[kind].inspect),
    entry('Secrets', `${kind} rotate`, `Give a ${kind} another value`, async () => (await load()).secretCommands[kind].rotate, [
      `${kind} update`,
    ]),
    entry('Secrets', `${kind} rm`, `Remove ${kind}s`, async () => (await load()).secretCommands[kind].rm, [`${kind} remove`]),
  ]),
  entry('Secrets', 'secret rotate-key', 'Encrypt all secrets with a new key', async () => (await load()).rotateKey),
]
