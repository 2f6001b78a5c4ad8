import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FusouClient, signIn } from '../client/fusou-client.ts'
import { checkBrowser } from '../interop/browser-checks.ts'
import { launchChromium, PAGE_READERS, pageReader } from '../interop/chromium.ts'
import { CountingProxy } from '../interop/counting-proxy.ts'
import { openByHyparquet } from '../interop/hyparquet-reader.ts'
import type { Reader } from '../interop/open-table.ts'
import { PageServer } from '../interop/page-server.ts'
import { makePythonEnvironment } from '../interop/python-environment.ts'
import { PYTHON_READERS, pythonReader } from '../interop/python-reader.ts'
import { TableLinks } from '../interop/table-links.ts'
import { TableUnderTest } from '../interop/table-under-test.ts'
import { takeReading, totalOf } from '../interop/take-reading.ts'
import { startStack } from '../stack/start-stack.ts'

/** It asks for the length of a file by a request for all of it, which is sent on to the pinned version. */
const PINNED_ONLY = new Set(['clickhouse'])

/** `npm run interop`: one table, read through its URL by engines that nobody here wrote. */
async function main(): Promise<number> {
  const environment = makePythonEnvironment()
  if (typeof environment === 'string') console.log(`left out: the readers of Python, since ${environment}`)
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
  const proxy = await CountingProxy.start(webUrl)
  try {
    const token = await signIn(supabaseUrl, publishableKey, users[0]!)
    const table = await TableUnderTest.make(new FusouClient(webUrl, token), folder)
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
        : PYTHON_READERS.map((engine): [string, Reader] => [engine, pythonReader(environment, engine)])),
    ]
    let faults = 0
    console.log('| reader | newest version | merged in the middle | earlier version |\n|---|---|---|---|')
    for (const [name, reader] of readers) {
      const cells: string[] = []
      for (const [version, between] of [
        [undefined, async () => {}],
        [undefined, () => table.change()],
        [before, async () => {}],
      ] as const) {
        const pinned = version ?? (PINNED_ONLY.has(name) ? await links.newestVersion() : undefined)
        const reading = await takeReading(reader, await links.linkTo(pinned), proxy, expected, between)
        const { requests, bytes } = totalOf(reading)
        if (reading.fault !== undefined) faults += 1
        cells.push(reading.fault ?? `${requests} requests, ${(bytes / 1e6).toFixed(2)} MB`)
      }
      console.log(`| ${name} | ${cells.join(' | ')} |`)
    }
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
    for (const server of [pages, morePages, otherPages]) server.stop()
    proxy.stop()
    await stack.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

process.exit(await main())
