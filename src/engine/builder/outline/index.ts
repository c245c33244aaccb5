/**
 * What a Dockerfile offers without building it: its targets, and what a target takes (arguments, secrets, SSH agents), each with the comment
 * above it. Pure, from the text alone.
 */
export { listTargets, outlineTarget, type BuildOutline, type BuildTarget } from './outline.ts'
