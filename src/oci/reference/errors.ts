import { declareErrors } from '#base'

export const referenceError = declareErrors({ 'reference.invalid': 'invalid' })
