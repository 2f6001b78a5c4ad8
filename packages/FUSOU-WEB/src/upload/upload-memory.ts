import { MAX_FOOTER_BYTES, MemoryBudget } from '@fusou/catalog'

/**
 * Budgets within the 128 MB of an isolate. Beside them each upload holds a window of 128 KiB and two chunks, a part of an
 * upload two chunks, and an upload that is completed a window and a chunk.
 */
const FORMS_BYTES = 40 * 1024 * 1024
const FOOTERS_BYTES = 48 * 1024 * 1024

/** The row groups of a composed footer, encoded, its text when it is put together, and the footers that are read ahead. */
const COMPOSITION_BYTES = 32 * 1024 * 1024

/** A form is held whole by the platform, and once more in part while it is taken apart. */
const HELD_FOR_A_FORM_BYTE = 2
/** The bytes as they come, joined to the end of the file, and the numbers in them, in arrays that double. */
const HELD_FOR_A_FOOTER_BYTE = 4
/** The schema in it as objects: of as many columns as an upload may have, and of few where few bytes tell of them. */
const MAX_HELD_FOR_A_SCHEMA = 16 * 1024 * 1024
const HELD_FOR_A_SCHEMA_BYTE = 20

/** An upload that the runtime has dropped holds its memory no longer than this. */
const MAX_HOLD_MS = 5 * 60_000
/** An upload waits for memory no longer than this, and is then told to come again. */
const MAX_WAIT_MS = 5_000

/** Largest form; larger files are sent as the body itself. */
export const MAX_FORM_BYTES = 16 * 1024 * 1024

// Who holds memory for a form may wait for that of a footer, never the other way round: so none waits for itself.
const forms = new MemoryBudget(FORMS_BYTES, MAX_HOLD_MS)
const footers = new MemoryBudget(FOOTERS_BYTES, MAX_HOLD_MS)

/** @throws FusouError `overloaded` */
export function holdForm(byteLength: number): Promise<Disposable> {
  return forms.acquire(byteLength * HELD_FOR_A_FORM_BYTE, MAX_WAIT_MS)
}

/**
 * For composing the footer of a table file: one at a time, beside uploads with small footers.
 * @throws FusouError `overloaded`
 */
export function holdComposition(): Promise<Disposable> {
  return footers.acquire(COMPOSITION_BYTES, MAX_WAIT_MS)
}

/** The footer as it is stored, the numbers in it and the schema as objects. */
const HELD_FOR_A_COMPOSED_BYTE = 5

/**
 * For reading a composed footer, until the last of its files is told.
 * @throws FusouError `overloaded`
 */
export function holdComposed(byteLength: number): Promise<Disposable> {
  return footers.acquire(Math.min(byteLength * HELD_FOR_A_COMPOSED_BYTE, FOOTERS_BYTES), MAX_WAIT_MS)
}

/**
 * @param byteLength at most `MAX_FOOTER_BYTES`
 * @throws FusouError `overloaded`
 */
export function holdFooter(byteLength: number): Promise<Disposable> {
  const bytes = Math.min(byteLength, MAX_FOOTER_BYTES)
  const schemaBytes = Math.min(bytes * HELD_FOR_A_SCHEMA_BYTE, MAX_HELD_FOR_A_SCHEMA)
  return footers.acquire(bytes * HELD_FOR_A_FOOTER_BYTE + schemaBytes, MAX_WAIT_MS)
}
