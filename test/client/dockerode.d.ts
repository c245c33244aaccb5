/** What the tests use of dockerode, which brings no types of its own. */
declare module 'dockerode' {
  import type { Duplex, Readable, Writable } from 'node:stream'

  interface Exec {
    start(options: { readonly hijack: boolean; readonly stdin: boolean }): Promise<Duplex>
    inspect(): Promise<{ readonly ExitCode: number | null }>
  }

  interface Container {
    readonly id: string
    start(): Promise<unknown>
    kill(): Promise<unknown>
    wait(): Promise<{ readonly StatusCode: number }>
    remove(options?: { readonly force: boolean }): Promise<unknown>
    resize(size: { readonly h: number; readonly w: number }): Promise<unknown>
    attach(options: Readonly<Record<string, boolean>>): Promise<Duplex>
    exec(options: Readonly<Record<string, unknown>>): Promise<Exec>
    logs(options: Readonly<Record<string, boolean>>): Promise<Buffer>
    top(): Promise<{ readonly Processes: readonly unknown[] }>
    stats(options: { readonly stream: false }): Promise<{ readonly memory_stats: { readonly limit: number } }>
    inspect(): Promise<{ readonly State: { readonly Running: boolean }; readonly HostConfig: { readonly Memory: number } }>
  }

  interface Image {
    get(): Promise<Readable>
    remove(): Promise<unknown>
    inspect(): Promise<{ readonly Config: { readonly Cmd: readonly string[] } }>
  }

  class Docker {
    constructor(options: { readonly socketPath: string })
    readonly modem: {
      demuxStream(stream: Readable, stdout: Writable, stderr: Writable): void
      followProgress(stream: Readable, done: (error: Error | null) => void): void
    }
    run(
      image: string,
      command: readonly string[],
      streams: readonly Writable[],
      options: Readonly<Record<string, unknown>>,
    ): Promise<[{ readonly StatusCode: number }, Container]>
    createContainer(options: Readonly<Record<string, unknown>>): Promise<Container>
    importImage(path: string, options: Readonly<Record<string, string>>): Promise<Readable>
    buildImage(context: Readable, options: { readonly t: string }): Promise<Readable>
    loadImage(path: string): Promise<Readable>
    listImages(): Promise<readonly { readonly RepoTags: readonly string[] }[]>
    getImage(name: string): Image
    getEvents(options: { readonly filters: Readonly<Record<string, readonly string[]>> }): Promise<Readable>
    createNetwork(options: {
      readonly Name: string
    }): Promise<{ inspect(): Promise<{ readonly Driver: string }>; remove(): Promise<unknown> }>
    createVolume(options: { readonly Name: string }): Promise<unknown>
    listVolumes(): Promise<{ readonly Volumes: readonly { readonly Name: string }[] }>
    getVolume(name: string): { remove(): Promise<unknown> }
  }
  export { Docker as default }
}
