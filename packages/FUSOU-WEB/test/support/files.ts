import carriers from '../fixtures/carriers.parquet'
import flights from '../fixtures/flights.parquet'
import flightsEmpty from '../fixtures/flights-empty.parquet'
import longFooter from '../fixtures/long-footer.parquet'

/** 3 rows */
export const FLIGHTS = new Uint8Array(flights)
/** the schema of FLIGHTS, no rows */
export const FLIGHTS_EMPTY = new Uint8Array(flightsEmpty)
/** 2 rows of another schema */
export const CARRIERS = new Uint8Array(carriers)
/** 5 rows, a footer of 200 KB */
export const LONG_FOOTER = new Uint8Array(longFooter)

export function joinBytes(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0))
  let at = 0
  for (const part of parts) {
    joined.set(part, at)
    at += part.byteLength
  }
  return joined
}

export const sha256 = async (bytes: Uint8Array): Promise<string> =>
  new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)).toHex()
