/** How layers are written. Nothing is compressed before it leaves the machine. */
export interface LayerForm {
  readonly compression: 'none' | 'gzip' | 'zstd'
  /** The codec's own scale; undefined: its default. */
  readonly level: number | undefined
}

/** Where the result of a build goes. */
export type BuildOutput =
  /** Among this machine's images, and to their registries if asked. `byDigest` pushes without a name. */
  | {
      readonly kind: 'image'
      readonly push: 'no' | 'tags' | 'digest'
      readonly form: LayerForm
    }
  /** An OCI layout, or with Docker's manifest.json beside it, as one tar for the client. */
  | { readonly kind: 'oci' | 'docker'; readonly form: LayerForm }
  /** The files of the image as one tar for the client, who may unpack it. */
  | { readonly kind: 'tar' | 'local' }

export const PLAIN: LayerForm = { compression: 'none', level: undefined }
export const GZIP: LayerForm = { compression: 'gzip', level: undefined }
export const STORED: BuildOutput = { kind: 'image', push: 'no', form: GZIP }
