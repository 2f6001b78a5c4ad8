import { PeriodTag } from '@fusou/catalog'
import { z } from 'zod'

const INTEGER = /^(?:0|-?[1-9]\d{0,15})$/

/** Clients send numbers as strings; what is plainly a whole number is taken as one. */
export const integer = <Schema extends z.ZodType>(schema: Schema) =>
  z.preprocess((value) => (typeof value === 'string' && INTEGER.test(value) ? Number(value) : value), schema)

/** An empty field of a form or query is one that was not filled in. */
export const filled = <Schema extends z.ZodType>(schema: Schema) =>
  z.preprocess((value) => (value === '' ? undefined : value), schema)

/** A period tag; in JSON also a whole number. */
export const PeriodTagInput = z.preprocess((value) => (Number.isSafeInteger(value) ? String(value) : value), PeriodTag)

/** How many items a page of a list has: 1 to `max`. */
export const pageSize = (initial: number, max: number) => filled(integer(z.int().min(1).max(max)).default(initial))
