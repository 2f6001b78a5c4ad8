/** The Worker that the benchmark runs in workerd. Time is measured outside: a Worker's clock may stand still. */
import { workerCodecs } from '../../FUSOU-WORKFLOW/src/workflow/worker-codecs.ts'
import { type MergeOptions, memorySource, mergeParquet, type Sink, type Source } from '../src/index.ts'

interface Env {
  FILES: { fetch(url: string, init?: { headers?: Record<string, string> }): Promise<Response> }
}

const TAIL_BYTES = 64 * 1024
const READS_AT_A_TIME = 6
const PART_BYTES = 2 ** 20

const held: Uint8Array[] = []
/** touched before the clock starts: a Worker uses the memory of parts again */
let output = new Uint8Array()
let outputBytes = 0

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url)
    if (pathname === '/load') {
      const bytes = new Uint8Array(await request.arrayBuffer())
      const lengths = JSON.parse(searchParams.get('lengths')!) as number[]
      for (let i = 0, at = 0; i < lengths.length; at += lengths[i++]!) held.push(bytes.subarray(at, at + lengths[i]!))
      return new Response('')
    }
    if (pathname === '/read') return new Response(`${await readAlone(env, JSON.parse(await request.text()))}`)
    const options = { codecs: workerCodecs, ...(JSON.parse(searchParams.get('options')!) as MergeOptions) }
    if (pathname === '/held') {
      const files = held.slice(0, Number(searchParams.get('files')))
      outputBytes = 0
      const sink: Sink = {
        async write(part) {
          output.set(part, outputBytes)
          outputBytes += part.byteLength
        },
      }
      await mergeParquet(
        files.map((bytes, i) => memorySource(`${i}`, bytes)),
        sink,
        options,
      )
      return new Response('')
    }
    if (pathname === '/room') {
      output = new Uint8Array(Number(searchParams.get('bytes'))).fill(1)
      return new Response('')
    }
    if (pathname === '/output') return new Response(ReadableStream.from(partsOfOutput()) as ReadableStream<Uint8Array>)
    const lengths = JSON.parse(await request.text()) as number[]
    const sources = lengths.map((byteLength, i) => remoteSource(env, i, byteLength))
    return new Response(outputOf(sources, options))
  },
}

function* partsOfOutput(): Generator<Uint8Array> {
  for (let at = 0; at < outputBytes; at += PART_BYTES) yield output.slice(at, Math.min(at + PART_BYTES, outputBytes))
}

/** What a merge reads of files that it cannot hold: their ends, then all of each. Nothing is done with it. */
async function readAlone(env: Env, lengths: number[]): Promise<number> {
  let bytes = 0
  for (const wanted of [TAIL_BYTES, Number.POSITIVE_INFINITY]) {
    for (let from = 0; from < lengths.length; from += READS_AT_A_TIME) {
      const reads = lengths.slice(from, from + READS_AT_A_TIME).map(async (length, i) => {
        const read = Math.min(length, wanted)
        bytes += (await remoteSource(env, from + i, length).read(length - read, read)).byteLength
      })
      await Promise.all(reads)
    }
  }
  return bytes
}

let reads = 0
/** Under a flag of V8's, as here, a collection can be asked for; without a limit on its memory the isolate hardly has any. */
const collect = (globalThis as { gc?: () => void }).gc
const READS_A_COLLECTION = 16

/** Each read is a request of its own, as to a bucket. */
function remoteSource({ FILES }: Env, number: number, byteLength: number): Source {
  return {
    name: `${number}`,
    byteLength,
    async read(offset, length) {
      if (++reads % READS_A_COLLECTION === 0) collect?.()
      const headers = { range: `bytes=${offset}-${offset + length - 1}` }
      const answer = await FILES.fetch(`http://files/${number}`, { headers })
      return new Uint8Array(await answer.arrayBuffer())
    },
  }
}

function outputOf(sources: Source[], options: MergeOptions): ReadableStream {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
  const writer = writable.getWriter()
  const sink: Sink = { write: (bytes) => writer.write(bytes) }
  mergeParquet(sources, sink, options).then(
    () => writer.close(),
    (error) => writer.abort(error),
  )
  return readable
}
