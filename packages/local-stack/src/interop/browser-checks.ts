import { isDeepStrictEqual } from 'node:util'
import type { Browser, Page } from 'playwright-core'
import { openPage } from './chromium.ts'
import type { CountingProxy, Exchange } from './counting-proxy.ts'

/** Origins of pages: two that READER_ORIGINS names, and one that it does not. */
export interface Origins {
  readonly allowed: string
  readonly alsoAllowed: string
  readonly other: string
}

export interface CheckedTable {
  /** to the newest version */
  readonly newest: string
  readonly pinned: string
  /** merges, so that there is a newer version */
  change(): Promise<void>
}

interface Outcome {
  readonly check: string
  /** undefined: it is as it should be */
  readonly fault: string | undefined
}

/** What a page got: the status, 0 where the browser refused it the answer. */
interface Fetched {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly bytes: readonly number[]
}

/** What Chromium itself makes of the answers, beside the readers: its cache of parts, preflights, and who may read. */
export async function checkBrowser(
  browser: Browser,
  proxy: CountingProxy,
  origins: Origins,
  { newest, pinned, change }: CheckedTable,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  const check = async (
    name: string,
    origin: string,
    run: (page: Page) => Promise<[actual: unknown, expected: unknown]>,
  ) => {
    const page = await openPage(browser, origin)
    proxy.take()
    try {
      const [actual, expected] = await run(page)
      const isFault = !isDeepStrictEqual(actual, expected)
      outcomes.push({
        check: name,
        fault: isFault ? `${JSON.stringify(actual)}, not ${JSON.stringify(expected)}` : undefined,
      })
    } finally {
      await page.context().close()
    }
  }

  await check('a page reads the headers that engines need', origins.allowed, async (page) => {
    const head = await fetchIn(page, pinned, { method: 'HEAD' })
    const part = await fetchIn(page, pinned, { headers: { range: 'bytes=0-3' } })
    const names = ['accept-ranges', 'content-length', 'etag', 'x-fusou-left-out', 'x-fusou-rows', 'x-fusou-version']
    const missing = names.filter((name) => head.headers[name] === undefined)
    return [
      { status: part.status, missing, range: /^bytes 0-3\/\d+$/.test(part.headers['content-range'] ?? '') },
      { status: 206, missing: [], range: true },
    ]
  })

  await check(
    'a range from the start needs no preflight, one from the end needs one for all',
    origins.allowed,
    async (page) => {
      await fetchIn(page, newest, { headers: { range: 'bytes=0-3' } })
      const methods = [proxy.take().map(({ method }) => method)]
      await fetchIn(page, newest, { headers: { range: 'bytes=-8' } })
      await fetchIn(page, newest, { headers: { range: 'bytes=-16' } })
      methods.push(proxy.take().map(({ method }) => method))
      return [methods, [['GET'], ['OPTIONS', 'GET', 'GET']]]
    },
  )

  await check('a longer range of a pinned version is completed by If-Range', origins.allowed, async (page) => {
    const first = await fetchIn(page, pinned, { headers: { range: 'bytes=0-99' } })
    const longer = await fetchIn(page, pinned, { headers: { range: 'bytes=0-199' } })
    const asked = proxy.take().map(askedRange)
    const bytes = await bytesOf(pinned, 'bytes=0-199')
    return [
      { asked, right: isDeepStrictEqual(longer.bytes, bytes) },
      {
        asked: [
          ['bytes=0-99', undefined, 206],
          ['bytes=100-199', first.headers.etag, 206],
        ],
        right: true,
      },
    ]
  })

  await check('a longer range of the newest version is asked for in full', origins.allowed, async (page) => {
    await fetchIn(page, newest, { headers: { range: 'bytes=0-99' } })
    await fetchIn(page, newest, { headers: { range: 'bytes=0-199' } })
    return [
      proxy.take().map(askedRange),
      [
        ['bytes=0-99', undefined, 206],
        ['bytes=0-199', undefined, 206],
      ],
    ]
  })

  await check('a range of a pinned version is asked for once', origins.allowed, async (page) => {
    for (let time = 0; time < 2; time++) await fetchIn(page, pinned, { headers: { range: 'bytes=0-99' } })
    return [proxy.take().length, 1]
  })

  await check('ranges of the newest version are never put together', origins.allowed, async (page) => {
    const tail = { headers: { range: 'bytes=-64' } }
    const before = await fetchIn(page, newest, tail)
    const expectedBefore = await bytesOf(newest, 'bytes=-64')
    await change()
    const after = await fetchIn(page, newest, tail)
    const ranges = proxy.take().filter(({ method, headers }) => method === 'GET' && headers.origin !== undefined)
    const right = isDeepStrictEqual([before.bytes, after.bytes], [expectedBefore, await bytesOf(newest, 'bytes=-64')])
    return [
      {
        asked: ranges.map(askedRange),
        right,
        moved: before.headers['content-range'] !== after.headers['content-range'],
      },
      {
        asked: [
          ['bytes=-64', undefined, 206],
          ['bytes=-64', undefined, 206],
        ],
        right: true,
        moved: true,
      },
    ]
  })

  await check('all of the newest version is followed to the pinned one', origins.allowed, async (page) => {
    const { status, bytes } = await fetchIn(page, newest, {})
    return [
      { status, statuses: proxy.take().map((exchange) => exchange.status), magic: bytes.slice(0, 4) },
      { status: 200, statuses: [307, 200], magic: [...new TextEncoder().encode('PAR1')] },
    ]
  })

  await check('what one origin has in the cache another origin may read too', origins.allowed, async (page) => {
    const statuses = [(await fetchIn(page, pinned, { headers: { range: 'bytes=0-99' } })).status]
    await page.goto(origins.alsoAllowed)
    statuses.push((await fetchIn(page, pinned, { headers: { range: 'bytes=0-99' } })).status)
    return [statuses, [206, 206]]
  })

  await check('a link is of no use to a page of an origin that is not named', origins.other, async (page) => {
    const inits = [{ method: 'HEAD' }, { headers: { range: 'bytes=0-3' } }, { headers: { range: 'bytes=-8' } }, {}]
    const seen: [inPage: number, answered: (number | undefined)[]][] = []
    for (const url of [newest, pinned])
      for (const init of inits) {
        const { status } = await fetchIn(page, url, init)
        seen.push([status, proxy.take().map((exchange) => exchange.status)])
      }
    // The preflight of the third is answered, and permits nothing. A redirect is not followed.
    return [seen, [200, 206, 204, 307, 200, 206, 204, 200].map((status) => [0, [status]])]
  })
  return outcomes
}

const askedRange = ({ headers, status }: Exchange) => [headers.range, headers['if-range'], status]

async function bytesOf(url: string, range: string): Promise<number[]> {
  return [...(await (await fetch(url, { headers: { range } })).bytes())]
}

function fetchIn(
  page: Page,
  url: string,
  init: { method?: string; headers?: Record<string, string> },
): Promise<Fetched> {
  return page.evaluate(
    async ([target, options]) => {
      const response = await fetch(target, options).catch(() => undefined)
      if (response === undefined) return { status: 0, headers: {}, bytes: [] }
      const bytes = [...new Uint8Array(await response.arrayBuffer())]
      return { status: response.status, headers: Object.fromEntries(response.headers), bytes }
    },
    [url, init] as const,
  )
}
