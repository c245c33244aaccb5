import type { GloveboxApiPorts } from '#api/glovebox'

/** Runs read-only commands in this process, against its own socket. The command line is loaded when the first one comes. */
export function commandLinePort(socketPath: string): NonNullable<GloveboxApiPorts['commandLine']> {
  return {
    output: async (words) => {
      const { readOnlyOutput } = await import('#cli')
      return await readOnlyOutput(words, socketPath)
    },
    run: async () => null,
  }
}
