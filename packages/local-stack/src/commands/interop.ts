import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FusouClient, signIn } from '../client/fusou-client.ts'
import { CountingProxy } from '../interop/counting-proxy.ts'
import { makePythonEnvironment, makeSharingEnvironment } from '../interop/python-environment.ts'
import { hyparquetReader, PYTHON_READERS, pythonReader, type Reader, sharingReader } from '../interop/run-readers.ts'
import { type Answers, DATASET, TABLE, TableUnderTest } from '../interop/table-under-test.ts'
import { startStack } from '../stack/start-stack.ts'

/** It asks for the length of a file by a request for all of it, which is sent on to the pinned version. */
const PINNED_ONLY = new Set(['clickhouse'])

/** It reads by links that do not lead through the proxy. */
const SHARING = 'delta-sharing'

/** `npm run interop`: one table, read through its URL and by Delta Sharing, by engines that nobody here wrote. */
async function main(): Promise<number> {
  const environment = makePythonEnvironment()
  if (typeof environment === 'string') console.log(`left out: the readers of Python, since ${environment}`)
  const sharing = makeSharingEnvironment()
  if (typeof sharing === 'string') console.log(`left out: Delta Sharing, since ${sharing}`)
  const folder = mkdtempSync(join(tmpdir(), 'fusou-interop-'))
  const stack = await startStack({ stateFolder: join(folder, 'state'), queueBatchSeconds: 1 })
  const { webUrl, supabaseUrl, publishableKey, users } = stack.info
  const proxy = await CountingProxy.start(webUrl)
  try {
    const token = await signIn(supabaseUrl, publishableKey, users[0]!)
    const table = await TableUnderTest.make(new FusouClient(webUrl, token), folder)
    const expected = await table.answers()
    const before = await newestVersion(webUrl, token)
    const profile = await writeProfile(webUrl, token, folder)
    const readers: [string, (version: number | undefined) => Reader][] = [
      ['hyparquet', () => hyparquetReader],
      ...(typeof environment === 'string'
        ? []
        : PYTHON_READERS.map((engine): (typeof readers)[number] => [engine, () => pythonReader(environment, engine)])),
    ]
    if (typeof sharing !== 'string')
      readers.push([
        SHARING,
        (version) => sharingReader(sharing.python, profile, `${DATASET}.default.${TABLE}`, version),
      ])
    let faults = 0
    console.log('| reader | newest version | merged in the middle | earlier version |\n|---|---|---|---|')
    for (const [name, reader] of readers) {
      const cells: string[] = []
      for (const [version, between] of [
        [undefined, async () => {}],
        [undefined, () => table.change()],
        [before, async () => {}],
      ] as const) {
        const pinned = version ?? (PINNED_ONLY.has(name) ? await newestVersion(webUrl, token) : undefined)
        const url = await linkTo(webUrl, token, pinned)
        proxy.take()
        const fault = await faultOf(reader(version), url.replace(webUrl, proxy.url), between, expected)
        const { requests, bytes } = proxy.take()
        if (fault !== undefined) faults += 1
        const figures = name === SHARING ? 'right' : `${requests} requests, ${(bytes / 1e6).toFixed(2)} MB`
        cells.push(fault ?? figures)
      }
      console.log(`| ${name} | ${cells.join(' | ')} |`)
    }
    console.log(faults === 0 ? 'every reader found every row' : `${faults} readings went wrong`)
    return faults === 0 ? 0 : 1
  } finally {
    proxy.stop()
    await stack.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function faultOf(
  reader: Reader,
  url: string,
  between: () => Promise<void>,
  expected: Answers,
): Promise<string | undefined> {
  try {
    const answers = await reader(url, between)
    const wrong = Object.entries(answers).filter(([name, value]) => expected[name as keyof Answers] !== value)
    if (wrong.length === 0) return undefined
    return `WRONG: ${wrong.map(([name, value]) => `${name} ${value}, not ${expected[name as keyof Answers]}`).join(', ')}`
  } catch (error) {
    return `FAILED: ${error instanceof Error ? error.message.slice(0, 200) : error}`
  }
}

async function linkTo(webUrl: string, token: string, version: number | undefined): Promise<string> {
  const response = await fetch(`${webUrl}/api/datasets/${DATASET}/tables/${TABLE}/links`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ version }),
  })
  return ((await response.json()) as { url: string }).url
}

async function writeProfile(webUrl: string, token: string, folder: string): Promise<string> {
  const response = await fetch(`${webUrl}/api/keys?as=delta-sharing-profile`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ name: 'interop', scopes: ['read'], datasets: [DATASET] }),
  })
  const path = join(folder, 'interop.share')
  writeFileSync(path, await response.text())
  return path
}

async function newestVersion(webUrl: string, token: string): Promise<number> {
  const response = await fetch(`${webUrl}/api/datasets/${DATASET}`, { headers: { Authorization: `Bearer ${token}` } })
  return ((await response.json()) as { version: number }).version
}

process.exit(await main())
