import packageFile from '../../package.json' with { type: 'json' }

export const PROGRAM_VERSION: string = packageFile.version
