import { closeSync, openSync, readdirSync, readFileSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { convertV4MiniflareOptions, Miniflare, Response } from 'miniflare'
import type { RunResult } from './run-one.ts'
import { mergeOptionsOf, type WayOrder } from './ways.ts'

/** bytes of one request that loads inputs */
const LOAD_BYTES = 32 * 2 ** 20
/** an output is hardly ever larger than its inputs */
const MOST_GROWTH = 1.25
/** the kernel counts the time of processes in hundredths of a second */
const TICKS_OF_SECOND = 100

type ReadFile = (number: number, from: number, to: number) => Uint8Array

async function startWorkerd(readFile: ReadFile): Promise<Miniflare> {
  // read as the process starts
  process.env.MINIFLARE_WORKERD_V8_FLAGS = '--expose-gc'
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, 'worker.ts')],
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2024',
    conditions: ['workerd', 'worker'],
    external: ['node:*'],
  })
  const runtime = new Miniflare(
    convertV4MiniflareOptions({
      modules: true,
      inspectorPort: 0,
      script: outputFiles[0]!.text,
      compatibilityDate: '2026-01-01',
      compatibilityFlags: ['nodejs_compat'],
      serviceBindings: {
        FILES: async (request) => {
          const [, from, to] = /=(\d+)-(\d+)/.exec(request.headers.get('range')!)!
          return new Response(readFile(Number(new URL(request.url).pathname.slice(1)), Number(from), Number(to) + 1))
        },
      },
    }),
  )
  await runtime.ready
  return runtime
}

/** Merge inputs that the Worker holds, as it then does the output: to hand that out takes longer than to merge. */
export async function mergeInWorkerd(order: WayOrder, inputs: Uint8Array[], warmUpFiles: number): Promise<RunResult> {
  const runtime = await startWorkerd(() => new Uint8Array())
  try {
    for (let from = 0; from < inputs.length; ) {
      let to = from
      for (let bytes = 0; to < inputs.length && bytes < LOAD_BYTES; to++) bytes += inputs[to]!.byteLength
      const part = inputs.slice(from, to)
      const lengths = JSON.stringify(part.map(({ byteLength }) => byteLength))
      const loaded = await runtime.dispatchFetch(`http://bench/load?lengths=${lengths}`, {
        method: 'POST',
        body: Buffer.concat(part),
      })
      if (!loaded.ok) throw new Error(await loaded.text())
      from = to
    }
    const bytesIn = inputs.reduce((sum, { byteLength }) => sum + byteLength, 0)
    await runtime.dispatchFetch(`http://bench/room?bytes=${Math.ceil(bytesIn * MOST_GROWTH)}`)
    const { codecs, ...options } = mergeOptionsOf(order)
    const merge = (files: number) =>
      `http://bench/held?files=${files}&options=${encodeURIComponent(JSON.stringify(options))}`
    const run = async (files: number) => {
      const answer = await runtime.dispatchFetch(merge(files))
      if (!answer.ok) throw new Error(await answer.text())
    }
    await run(warmUpFiles)
    const result = await measureWorkerd(() => run(inputs.length))
    await writeAnswer(runtime, 'http://bench/output', order.output)
    return result
  } finally {
    await runtime.dispose()
  }
}

export interface ManyResult extends RunResult {
  /** of the Worker's heap and buffers, those of WebAssembly included */
  peakHeapBytes: number
  /** resident memory of only reading the files */
  peakOfReadingBytes: number
}

/**
 * Merge files that the Worker reads by ranges, as from a bucket, and throw the output away.
 * @param count how many; the files of the set are read again from the first where there are fewer
 */
export async function mergeManyInWorkerd(paths: string[], count: number): Promise<ManyResult> {
  const files = paths.map((path) => readFileSync(path))
  const lengths = (of: number) => Array.from({ length: of }, (_, i) => files[i % files.length]!.byteLength)
  const measure = async (path: string) => {
    const runtime = await startWorkerd(
      (number, from, to) => new Uint8Array(files[number % files.length]!.subarray(from, to)),
    )
    const work = async (of: number) => {
      const body = JSON.stringify(lengths(of))
      const answer = await runtime.dispatchFetch(`http://bench/${path}?options={}`, { method: 'POST', body })
      let bytes = 0
      for await (const chunk of answer.body as AsyncIterable<Uint8Array>) bytes += chunk.byteLength
      if (bytes === 0) throw new Error('nothing came back')
    }
    try {
      await work(2)
      const heap = await watchHeap(runtime)
      const result = await measureWorkerd(() => work(count))
      return { ...result, peakHeapBytes: heap.stop() }
    } finally {
      await runtime.dispose()
    }
  }
  const reading = await measure('read')
  return { ...(await measure('remote')), peakOfReadingBytes: reading.peakAboveIdleBytes }
}

/** milliseconds between two looks at the heap */
const LOOK_MS = 25

/** Ask the Worker's inspector again and again. `stop` returns the peak. */
async function watchHeap(runtime: Miniflare): Promise<{ stop(): number }> {
  const inspector = await runtime.getInspectorURL()
  const socket = new WebSocket(new URL('/core:user:', inspector))
  await new Promise((opened, failed) => {
    socket.onopen = opened
    socket.onerror = failed
  })
  let peak = 0
  const ask = () => socket.send('{"id":1,"method":"Runtime.getHeapUsage"}')
  socket.onmessage = ({ data }) => {
    const { usedSize, embedderHeapUsedSize, backingStorageSize } = JSON.parse(data).result
    peak = Math.max(peak, usedSize + embedderHeapUsedSize + backingStorageSize)
  }
  const timer = setInterval(ask, LOOK_MS)
  return {
    stop() {
      clearInterval(timer)
      socket.close()
      return peak
    },
  }
}

async function writeAnswer(runtime: Miniflare, url: string, output: string): Promise<void> {
  const answer = await runtime.dispatchFetch(url)
  if (!answer.ok) throw new Error(await answer.text())
  const file = openSync(output, 'w')
  for await (const chunk of answer.body as AsyncIterable<Uint8Array>) writeSync(file, chunk)
  closeSync(file)
}

/** Time outside; CPU and memory of the process of workerd as Linux counts them, 0 elsewhere. */
async function measureWorkerd(work: () => Promise<unknown>): Promise<RunResult> {
  const pid = findWorkerd()
  const cpu = () => (pid ? cpuSecondsOf(pid) : 0)
  // from here on the peak counts again
  if (pid) writeFileSync(`/proc/${pid}/clear_refs`, '5')
  const idle = pid ? statusBytes(pid, 'VmRSS') : 0
  const cpuBefore = cpu()
  const started = performance.now()
  await work()
  const seconds = (performance.now() - started) / 1000
  return {
    seconds,
    cpuSeconds: cpu() - cpuBefore,
    peakAboveIdleBytes: pid ? Math.max(0, statusBytes(pid, 'VmHWM') - idle) : 0,
  }
}

function findWorkerd(): string | undefined {
  if (process.platform !== 'linux') return undefined
  return readdirSync('/proc').find((pid) => {
    if (!/^\d+$/.test(pid)) return false
    const fields = statOf(pid)
    return fields?.name === 'workerd' && fields.parent === process.pid
  })
}

/** @returns undefined for a process that has ended meanwhile */
function statOf(pid: string): { name: string; parent: number; ticks: number } | undefined {
  let stat: string
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch {
    return undefined
  }
  const name = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'))
  const fields = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number)
  // proc(5): the parent is the 4th, user and system time the 14th and 15th
  return { name, parent: fields[1]!, ticks: fields[11]! + fields[12]! }
}

function cpuSecondsOf(pid: string): number {
  return (statOf(pid)?.ticks ?? 0) / TICKS_OF_SECOND
}

function statusBytes(pid: string, name: string): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)![1]) * 1024
}
