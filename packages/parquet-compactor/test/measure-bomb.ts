import { CODEC_NUMBERS } from '../src/codecs/compression.ts'
import { NODE_CODECS } from '../src/command/node-codecs.ts'
import { type CodecName, memorySink, memorySource, mergeParquet, ParquetError } from '../src/index.ts'
import { handmade } from './handmade.ts'
import { peakMemoryBytes } from './support/peak-memory.ts'

const MIB = 2 ** 20

/** What this process prints: how far its peak rose while it merged a page that unpacks to much. */
export interface BombReport {
  readonly grownBytes: number
  readonly outcomes: { pages: string; code?: string; isUntouched?: boolean }[]
}

async function tryBomb(codec: CodecName, uncompressedBytes: number, body: Buffer<ArrayBuffer>): Promise<BombReport> {
  const file = handmade({ rows: 1000, pages: [{ values: 1000, body, uncompressedBytes }], codec: CODEC_NUMBERS[codec] })
  const outcomes: BombReport['outcomes'] = []
  const before = peakMemoryBytes()
  for (const pages of ['splice', 'rewrite'] as const) {
    for (const codecs of [{}, NODE_CODECS]) {
      // pages that must be unpacked may be where the caller allows 8 GB, and those of a codec that cannot be written must
      const allows8GB = pages === 'splice' && codecs === NODE_CODECS
      for (const memoryBudgetBytes of allows8GB ? [16 * MIB, 2 ** 33] : [16 * MIB]) {
        const sink = memorySink()
        const sources = ['a', 'b'].map((name) => memorySource(name, file))
        try {
          await mergeParquet(sources, sink, { minPageBytes: 0, pages, codecs, memoryBudgetBytes })
          outcomes.push({ pages, isUntouched: Buffer.from(sink.bytes()).includes(body) })
        } catch (error) {
          if (!(error instanceof ParquetError)) throw error
          outcomes.push({ pages, code: error.code })
        }
      }
    }
  }
  return { grownBytes: peakMemoryBytes() - before, outcomes }
}

/** Takes memory as a decoder would that believes a page, so that a test can see that it is seen. */
function take(bytes: number): BombReport {
  const before = peakMemoryBytes()
  new Uint8Array(bytes).fill(1)
  return { grownBytes: peakMemoryBytes() - before, outcomes: [] }
}

/** `none` and how much to take, or the codec of a page, the length that it declares, and its bytes in base 64 */
const [codec, bytes, body] = process.argv.slice(2) as [CodecName, string, string]
const report = codec === 'none' ? take(Number(bytes)) : tryBomb(codec, Number(bytes), Buffer.from(body, 'base64'))
console.log(JSON.stringify(await report))
