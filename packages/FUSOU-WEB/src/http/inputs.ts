import { PeriodTag } from '@fusou/catalog'
import { z } from 'zod'

const INTEGER = /^(?:0|-?[1-9]\d{0,15})$/

/** Clients send numbers as strings; what is plainly a whole number is taken as one. */
const toNumber = (value: unknown) => (typeof value === 'string' && INTEGER.test(value) ? Number(value) : value)
/** An empty field of a form or query is one that was not filled in. */
const toMissing = (value: unknown) => (value === '' ? undefined : value)

export const integer = <Schema extends z.ZodType>(schema: Schema) => z.preprocess(toNumber, schema)

export const filled = <Schema extends z.ZodType>(schema: Schema) => z.preprocess(toMissing, schema)

/** A period tag; in JSON also a whole number. */
export const PeriodTagInput = z.preprocess((value) => (Number.isSafeInteger(value) ? String(value) : value), PeriodTag)

/** How many items a page of a list has: 1 to `max`. */
export const pageSize = (initial: number, max: number) =>
  z.preprocess((value) => toMissing(toNumber(value)), z.int().min(1).max(max).default(initial))
