import { expect, test } from 'vitest'
import { ParquetError } from '../../src/parquet-error.ts'
import { WorkMeter } from '../../src/read/work-meter.ts'

/** Work of three sources, of which the footers declare no bytes but one each. */
function meterOf(maxWorkBytes: number, maxChunkBytes = 1000): WorkMeter {
  return new WorkMeter(maxWorkBytes, maxChunkBytes)
}
const refused = (work: () => void) => {
  try {
    work()
  } catch (error) {
    if (!(error instanceof ParquetError)) throw error
    return { code: error.code, source: error.source, detail: error.message }
  }
  return undefined
}

test.each([
  [[30, 20, 10], 'a'],
  [[20, 30, 10], 'b'],
  [[10, 20, 30], 'c'],
])('pages that unpack to %j bytes are too many by the source that lies most: %s', (amounts, worst) => {
  const meter = meterOf(29.5)
  let error: ReturnType<typeof refused>
  for (const [i, bytes] of amounts.entries()) {
    meter.reading('abc'[i]!)
    error ??= refused(() => meter.unpack(bytes))
  }
  expect(error).toMatchObject({ code: 'over_limit', source: worst })
  expect(error!.detail).toContain(`its pages unpack to ${Math.max(...amounts)} bytes`)
  expect(error!.detail).toContain('all sources may take 59')
})

test('twice the work is allowed to the byte, of what is unpacked and of what is written', () => {
  const meter = meterOf(1000)
  meter.reading('a')
  expect(refused(() => meter.unpack(2000))).toBeUndefined()
  expect(refused(() => meter.unpack(1))).toMatchObject({ source: 'a' })
  expect(refused(() => meter.write(2000 - 256, 0))).toBeUndefined()
  const error = refused(() => meter.write(0, 0))
  expect(error).toMatchObject({ code: 'over_limit', source: 'a' })
  // 256 bytes for each of the two pages
  expect(error!.detail).toContain('its values written plain take 2256 bytes')
})

test('a source that is read twice is one source', () => {
  const meter = meterOf(20)
  for (const source of ['a', 'b', 'a', 'b', 'a']) {
    meter.reading(source)
    meter.unpack(8)
  }
  meter.reading('b')
  expect(refused(() => meter.unpack(1))).toMatchObject({ source: 'a' })
})

test('a chunk of the output may take so many bytes, and no more', () => {
  const meter = meterOf(1e9, 999.5)
  expect(refused(() => meter.checkChunk(999))).toBeUndefined()
  const error = refused(() => meter.checkChunk(1000))
  expect(error).toMatchObject({ code: 'over_limit', source: undefined })
  expect(error!.detail).toContain('rewritten values take 1000 bytes of one row group, where 999 may be held')
  expect(refused(() => meter.write(1, 1000))).toMatchObject({ code: 'over_limit' })
})
