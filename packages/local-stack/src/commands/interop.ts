import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { FusouClient, signIn } from '../client/fusou-client.ts'
import { checkBrowser } from '../interop/browser-checks.ts'
import { launchChromium, PAGE_READERS, pageReader } from '../interop/chromium.ts'
import { CountingProxy } from '../interop/counting-proxy.ts'
import { checkDeltaSharing, writeProfile } from '../interop/delta-sharing.ts'
import { openByHyparquet } from '../interop/hyparquet-reader.ts'
import type { Reader } from '../interop/open-table.ts'
import { PageServer } from '../interop/page-server.ts'
import { PlainFileServer } from '../interop/plain-file-server.ts'
import { type Compared, printFigures, replaceBetweenMarkers } from '../interop/print-figures.ts'
import { addSpark, makePythonEnvironment, makeSharingEnvironment } from '../interop/python-environment.ts'
import { PYTHON_READERS, type PythonReader, pythonReader } from '../interop/python-reader.ts'
import { TableLinks } from '../interop/table-links.ts'
import { TableUnderTest } from '../interop/table-under-test.ts'
import { takeReading, totalOf } from '../interop/take-reading.ts'
import { startStack } from '../stack/start-stack.ts'

/** ClickHouse asks for the length by a request for all of it, which is sent on to the pinned version. Spark is given all. */
const PINNED_ONLY = new Set(['clickhouse', 'spark'])

/** What is printed question by question. The others depend on what was merged, and cached, just before. */
const COMPARED_KINDS = new Set(['newest version, 20 uploads unmerged', 'newest version, merged', 'one plain file'])

/**
 * `npm run interop [-- --write FILE] [--all]`: one table, read through its URL and by Delta Sharing, by engines that nobody
 * here wrote.
 * `--write` puts the requests and bytes of each question into a document, between its marker comments. `--all` reads by
 * Spark too, which is a download of 400 MB.
 */
async function main(): Promise<number> {
  const { write, all } = parseArgs({ options: { write: { type: 'string' }, all: { type: 'boolean' } } }).values
  // a document without markers is found out before the work, not after
  if (write !== undefined) replaceBetweenMarkers(readFileSync(write, 'utf8'), '')
  const environment = makePythonEnvironment()
  if (typeof environment === 'string') console.log(`left out: the readers of Python, since ${environment}`)
  const engines: PythonReader[] = typeof environment === 'string' ? [] : [...PYTHON_READERS]
  if (all === true && typeof environment !== 'string') {
    const lack = addSpark(environment)
    if (lack === undefined) engines.push('spark')
    else console.log(`left out: Spark, since ${lack}`)
  } else console.log('left out: Spark, which --all reads by')
  const sharing = makeSharingEnvironment()
  if (typeof sharing === 'string') console.log(`left out: Delta Sharing, since ${sharing}`)
  const browser = await launchChromium()
  if (typeof browser === 'string') console.log(`left out: the readers in a page, since ${browser}`)
  const folder = mkdtempSync(join(tmpdir(), 'fusou-interop-'))
  const [pages, morePages, otherPages] = await Promise.all([PageServer.start(), PageServer.start(), PageServer.start()])
  const stack = await startStack({
    stateFolder: join(folder, 'state'),
    queueBatchSeconds: 1,
    vars: { READER_ORIGINS: `${pages.origin},${morePages.origin}` },
  })
  const { webUrl, supabaseUrl, publishableKey, users } = stack.info
  const servers: { stop(): void }[] = [pages, morePages, otherPages]
  const serve = <T extends { stop(): void }>(server: T): T => {
    servers.push(server)
    return server
  }
  try {
    const proxy = serve(await CountingProxy.start(webUrl))
    const token = await signIn(supabaseUrl, publishableKey, users[0]!)
    const table = await TableUnderTest.make(new FusouClient(webUrl, token), folder)
    const plainProxy = serve(
      await CountingProxy.start(serve(await PlainFileServer.start(await table.writePlainFile())).url),
    )
    const expected = await table.answers()
    const links = new TableLinks(webUrl, token, proxy.url)
    const before = await links.newestVersion()
    const readers: [string, Reader][] = [
      ['hyparquet in Node', openByHyparquet],
      ...(typeof browser === 'string'
        ? []
        : PAGE_READERS.map((name): [string, Reader] => [
            `${name} in Chromium`,
            pageReader(browser, pages.origin, name),
          ])),
      ...(typeof environment === 'string'
        ? []
        : engines.map((engine): [string, Reader] => [engine, pythonReader(environment, engine)])),
    ]
    const newestLink = async (name: string) =>
      links.linkTo(PINNED_ONLY.has(name) ? await links.newestVersion() : undefined)
    // Every reader meets the same state of the table: all of a kind come before the next kind.
    const kinds = [
      ['newest version, 20 uploads unmerged', newestLink, async () => {}],
      ['merged in the middle', newestLink, () => table.change()],
      ['newest version, merged', newestLink, async () => {}],
      ['earlier version', () => links.linkTo(before), async () => {}],
      ['one plain file', async () => `${plainProxy.url}/plain.parquet`, async () => {}],
    ] as const
    const compared = readers.map(([name]) => ({ name, readings: [] as Compared['readings'][number][] }))
    let faults = 0
    for (const [kind, link, between] of kinds)
      for (const [index, [name, reader]] of readers.entries()) {
        const counted = kind === 'one plain file' ? plainProxy : proxy
        const reading = await takeReading(reader, await link(name), counted, expected, between)
        if (COMPARED_KINDS.has(kind)) compared[index]!.readings.push([kind, reading])
        const { requests, bytes } = totalOf(reading)
        if (reading.fault !== undefined) faults += 1
        console.log(`${name}, ${kind}: ${reading.fault ?? `${requests} requests, ${(bytes / 1e6).toFixed(2)} MB`}`)
      }
    if (typeof sharing !== 'string') {
      const profile = await writeProfile(webUrl, token, folder)
      for (const [kind, version, between] of [
        ['newest version', undefined, async () => {}],
        ['merged in the middle', undefined, () => table.change()],
        ['earlier version', before, async () => {}],
      ] as const) {
        const fault = await checkDeltaSharing({ ...sharing, profile, version }, between, expected)
        if (fault !== undefined) faults += 1
        console.log(`Delta Sharing in pandas, ${kind}: ${fault ?? 'right'}`)
      }
    }
    const figures = printFigures(compared)
    console.log(`\n${figures}`)
    if (write !== undefined) writeFileSync(write, replaceBetweenMarkers(readFileSync(write, 'utf8'), figures))
    if (typeof browser !== 'string') {
      console.log('\n| in Chromium | |\n|---|---|')
      const origins = { allowed: pages.origin, alsoAllowed: morePages.origin, other: otherPages.origin }
      const checked = {
        newest: await links.linkTo(),
        pinned: await links.linkTo(await links.newestVersion()),
        change: () => table.change(),
      }
      for (const { check, fault } of await checkBrowser(browser, proxy, origins, checked)) {
        if (fault !== undefined) faults += 1
        console.log(`| ${check} | ${fault ?? 'yes'} |`)
      }
    }
    console.log(faults === 0 ? 'every reader found every row' : `${faults} readings or checks went wrong`)
    return faults === 0 ? 0 : 1
  } finally {
    if (typeof browser !== 'string') await browser.close()
    for (const server of servers) server.stop()
    await stack.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

process.exit(await main())
