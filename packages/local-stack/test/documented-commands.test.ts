import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { FusouClient, signIn } from '../src/client/fusou-client.ts'
import { type Stack, startStack } from '../src/stack/start-stack.ts'
import { REPO_ROOT } from '../src/support/repo-root.ts'
import { type LocalIssuer, startLocalIssuer } from './local-issuer.ts'

const WORKFLOW_REF = 'owner/repo/.github/workflows/trigger_daily_compaction.yml@refs/heads/main'
const CLAIMS = { repository_id: '42', ref: 'refs/heads/main', workflow_ref: WORKFLOW_REF }

const folder = mkdtempSync(join(tmpdir(), 'fusou-commands-'))
let issuer: LocalIssuer
let stack: Stack
let token: string
let client: FusouClient

beforeAll(async () => {
  issuer = await startLocalIssuer(CLAIMS)
  // messages stay queued while the test looks at them
  stack = await startStack({
    stateFolder: join(folder, 'state'),
    queueBatchSeconds: 12,
    vars: {
      GITHUB_OIDC_ISSUER: issuer.url,
      GITHUB_OIDC_REPOSITORY_ID: CLAIMS.repository_id,
      GITHUB_OIDC_WORKFLOW_REF: WORKFLOW_REF,
    },
  })
  const { supabaseUrl, publishableKey, users, webUrl } = stack.info
  token = await signIn(supabaseUrl, publishableKey, users[0]!)
  client = new FusouClient(webUrl, token)
  await writeParquet('some.parquet', 3)
  const some = readFileSync(join(folder, 'some.parquet'))
  writeFileSync(join(folder, 'two-tables.bin'), Buffer.concat([some, some]))
})
afterAll(async () => {
  await stack.stop()
  issuer.stop()
  rmSync(folder, { recursive: true, force: true })
})

async function writeParquet(name: string, rows: number): Promise<Blob> {
  const connection = await (await DuckDBInstance.create()).connect()
  const path = join(folder, name)
  await connection.run(`copy (select i, hash(i) % 7 as h from range(${rows}) t(i)) to '${path}' (format parquet)`)
  return new Blob([readFileSync(path)])
}

/** Run a script as the shell of a user, or of a runner, would. */
async function shell(script: string, env: Record<string, string>) {
  const child = spawn('bash', ['-c', script], { cwd: folder, env: { PATH: process.env.PATH!, ...env } })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (text) => {
      output += text
    })
  const [code] = await once(child, 'close')
  return { code, output }
}

/** The shell blocks of one section of a page. */
function blocksOf(page: string, from: string, to: string): string[] {
  const text = readFileSync(join(REPO_ROOT, page), 'utf8')
  const section = text.slice(text.indexOf(from), text.indexOf(to))
  return [...section.matchAll(/```sh\n(.*?)```/gs)].map(([, block]) => block!)
}

describe('the curl lines of the documents', () => {
  const blocks = [
    ...blocksOf('README.md', '## Use it', '## Documents'),
    ...blocksOf('docs/api.md', '## Examples', '## Rules'),
  ]

  test('work as printed, one after the other', async () => {
    expect(blocks).toHaveLength(5)
    const size = statSync(join(folder, 'some.parquet')).size
    await client.upload({
      datasetId: 'my-data',
      tableId: 'flights',
      fileName: 'some.parquet',
      file: await writeParquet('other.parquet', 5),
      way: 'raw',
    })
    const [file] = (await client.listFiles('my-data')).files
    const jobId = await client.askForMerge('my-data')
    // an answer that is an error ends the script, and is printed
    const strict = `set -euo pipefail\ncurl() { command curl -sS --fail-with-body "$@" && echo; }\n`
    const script = strict + blocks.join('\n').replaceAll('506', String(size))
    const { code, output } = await shell(script, {
      WEB: stack.info.webUrl,
      TOKEN: token,
      OPERATOR: stack.info.operatorToken,
      JOB: jobId,
      FILE: file!.id,
      OWNER: crypto.randomUUID(),
    })
    expect(output).not.toContain('"code":')
    expect(code, output).toBe(0)
    expect(readFileSync(join(folder, 'part.parquet')).subarray(0, 4).toString()).toBe('PAR1')
    const { files } = await client.listFiles('my-data')
    expect(new Set(files.map(({ table }) => table))).toEqual(new Set(['flights', 'a', 'b']))
  })
})

describe('the page about uploads', () => {
  test('runs as printed, and the file is there as it was', async () => {
    const connection = await (await DuckDBInstance.create()).connect()
    const large = join(folder, 'large.parquet')
    await connection.run(
      `copy (select random() as a from range(2_500_000)) to '${large}' (format parquet, compression uncompressed)`,
    )
    const page = readFileSync(join(REPO_ROOT, 'docs/uploads.md'), 'utf8')
    const [byCommand, ...blocks] = [...page.matchAll(/```sh\n(.*?)```/gs)].map(([, block]) => block!)
    expect([byCommand, blocks.length]).toEqual([expect.stringContaining('fusou upload'), 3])
    const script = `set -euo pipefail
      curl() { command curl -sS --fail-with-body "$@" && echo; }
      fusou() { ${process.execPath} ${join(REPO_ROOT, 'packages/cli/src/main.ts')} "$@"; }\n`
    const env = { WEB: stack.info.webUrl, TOKEN: token, FUSOU_URL: stack.info.webUrl, FUSOU_TOKEN: token }
    const { code, output } = await shell(`${script}${blocks.join('\n')}\n${byCommand}`, {
      ...env,
      FUSOU_CONFIG: join(folder, 'uploads', 'config.json'),
    })
    expect(output).not.toContain('"code":')
    expect(code, output).toBe(0)
    expect(output).toMatch(/"storedParts":\[1,2,3\].*"rows":2500000.*1 were there/s)
  }, 120_000)
})

describe('the walk-through of ten devices', () => {
  test('runs as printed, and DuckDB reads every measurement once, in order', async () => {
    const connection = await (await DuckDBInstance.create()).connect()
    for (let buoy = 0; buoy < 10; buoy++) {
      // the second half of each file is what the next buoy sends too
      await connection.run(
        `copy (
           select ((${buoy} + t.i // 50) % 10)::int as buoy, (t.i % 50)::bigint as measured_at, hash(t.i % 50) % 9 as height
           from range(100) t(i) order by hash(t.i)
         ) to '${join(folder, `buoy-${buoy}.parquet`)}' (format parquet)`,
      )
    }
    const { email, password } = stack.info.users[0]!
    const { supabaseUrl, publishableKey, webUrl } = stack.info
    const env = { WEB: webUrl, FUSOU_CONFIG: join(folder, 'fusou.json'), PASSWORD: password }
    const command = `set -euo pipefail
      curl() { command curl -sS --fail-with-body "$@" && echo; }
      fusou() { ${process.execPath} ${join(REPO_ROOT, 'packages/cli/src/main.ts')} "$@"; }
      fusou login --url "$WEB" --email ${email} --supabase-url ${supabaseUrl} --publishable-key ${publishableKey} <<< "$PASSWORD"\n`
    const page = readFileSync(join(REPO_ROOT, 'docs/devices.md'), 'utf8')
    const blocks = [...page.matchAll(/```sh\n(.*?)```/gs)].map(([, block]) => block!)
    expect(blocks).toHaveLength(3)
    const { code, output } = await shell(command + blocks.join('\n'), env)
    expect(code, output).toBe(0)
    expect(output).toMatch(/succeeded .*rows written/)
    const [, query] = /```sql\n(.*?)\n```/s.exec(page)!
    const where = join(folder, 'waves/*.parquet')
    const rows = await connection.runAndReadAll(query!.replace('waves/*.parquet', where))
    const counts = rows.getRowObjectsJson().map(({ buoy, 'count_star()': count }) => [buoy, Number(count)])
    expect(counts).toEqual(Array.from({ length: 10 }, (_, buoy) => [buoy, 50]))
    const sorted = await connection.runAndReadAll(
      `select bool_and(measured_at >= before) as sorted from (
         select measured_at, lag(measured_at, 1, 0) over (order by file_row_number) as before
         from read_parquet('${where}', file_row_number = true)
       )`,
    )
    expect(sorted.getRowObjectsJson()).toEqual([{ sorted: true }])
  }, 120_000)
})

describe('the step of the daily Action', () => {
  const path = join(REPO_ROOT, '.github/workflows/trigger_daily_compaction.yml')
  const [step] = parse(readFileSync(path, 'utf8')).jobs.trigger.steps
  const run = (env: Record<string, string>) =>
    shell(step.run, {
      ...step.env,
      PAGES_DOMAIN: stack.info.webUrl,
      ACTIONS_ID_TOKEN_REQUEST_URL: issuer.requestUrl,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: issuer.requestToken,
      ...env,
    })

  test('goes on until no dataset waits', async () => {
    const needy = Array.from({ length: 16 }, (_, index) => `needy-${index}`)
    for (const datasetId of needy) {
      for (const rows of [1, 2]) {
        const file = await writeParquet(`${datasetId}-${rows}.parquet`, rows)
        await client.upload({ datasetId, tableId: 't', fileName: 'f', file, way: 'raw' })
      }
    }
    const { code, output } = await run({})
    expect(code, output).toBe(0)
    expect(output).toMatch(/call 1: enqueued 10, remaining \d+\ncall 2: enqueued \d+, remaining 0\n/)
    for (const datasetId of needy) {
      expect(await client.jobs(datasetId)).toMatchObject([{ priority: 'scheduled' }])
    }
  })

  test('fails, with the answer in its log, when the endpoint refuses', async () => {
    const stranger = await startLocalIssuer({ ...CLAIMS, repository_id: '43' })
    const { code, output } = await run({ ACTIONS_ID_TOKEN_REQUEST_URL: stranger.requestUrl })
    stranger.stop()
    expect(code).not.toBe(0)
    expect(output).toContain('invalid_token')
  })

  test('says which secret is missing', async () => {
    const { code, output } = await run({ PAGES_DOMAIN: '' })
    expect(code).not.toBe(0)
    expect(output).toContain('Set the repository secret PAGES_DOMAIN')
  })
})
