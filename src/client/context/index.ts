/** A directory as the tar that the build call takes. Apart from the client's face because it loads a tar library. */
export { buildContext, type BuildContext } from './build-context.ts'
