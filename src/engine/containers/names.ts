import type { Random } from '#base'

import { containerError } from './errors.ts'

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/
const MAX_NAME_LENGTH = 255

const QUALITIES =
  'able airy apt bold brisk bright calm candid civil clear cosy deft eager fair fine fleet frank fresh gentle glad grand handy happy hardy humble jolly keen kind lively loyal lucid mellow merry mild modest neat nimble noble patient plucky polite proud quick quiet ready robust serene sharp smart snug sober spry steady stout sturdy sunny swift tidy trusty upbeat vivid warm wise witty'.split(
    ' ',
  )
const PARTS =
  'axle bearing bobbin bolt brake bumper cam chassis clutch cog crank damper dynamo fender flywheel fuse gasket gear gimbal governor grommet hinge horn hub jack lamp latch lever magneto manifold mirror nozzle odometer pedal pinion piston pulley pump radiator ratchet rivet rotor rudder sextant shaft spark spindle spring sprocket starter strut tappet throttle tiller torque track valve vane wheel winch wiper'.split(
    ' ',
  )

/** Without the slash that the Docker API puts before it. Error: `container.name_invalid`. */
export function readName(text: string): string {
  const name = text.replace(/^\//, '')
  if (NAME.test(name) && name.length <= MAX_NAME_LENGTH) return name
  throw containerError('container.name_invalid', `Invalid container name (${text}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`)
}

/** `brisk_flywheel`, with a number behind it once that is taken. */
export function randomName(random: Random, isTaken: (name: string) => boolean): string {
  for (let tries = 0; ; tries += 1) {
    const name = `${pick(QUALITIES, random)}_${pick(PARTS, random)}${tries < 3 ? '' : random.integer(10 ** Math.min(tries, 9))}`
    if (!isTaken(name)) return name
  }
}

function pick(words: readonly string[], random: Random): string {
  return words[random.integer(words.length)] ?? 'plain'
}
