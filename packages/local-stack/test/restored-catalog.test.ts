import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { CatalogCopy } from '../src/chaos/catalog-copy.ts'
import { KillableStack } from '../src/chaos/killable-stack.ts'
import { meetForeignBucket, setBackCatalog } from '../src/chaos/set-back-catalog.ts'
import { adoptAll, findProblem } from '../src/checks/adopt-all.ts'
import { checkCatalog, checkQuiet } from '../src/checks/check-catalog.ts'
import { checkObjects } from '../src/checks/check-objects.ts'
import { checkRows, type Stored } from '../src/checks/check-rows.ts'
import { StackDatabase } from '../src/checks/database.ts'
import { Ledger } from '../src/checks/ledger.ts'
import { vacuumAll } from '../src/checks/vacuum-all.ts'
import { compactAll, waitForQuiet } from '../src/checks/wait-for-quiet.ts'
import { ApiCaller, succeeded } from '../src/client/api-caller.ts'
import { FusouClient, signIn } from '../src/client/fusou-client.ts'
import { downloadResult } from '../src/demo/download-result.ts'
import { FaultPlan } from '../src/faults/fault-plan.ts'
import { StampedFiles } from '../src/load/stamped-files.ts'
import { choosePort } from '../src/stack/choose-port.ts'
import type { ProgressLine } from '../src/support/progress-line.ts'

// The catalog is set back, or lost, while the bucket goes on: nothing is deleted, and every acknowledged row is there
// exactly once after an operator has adopted what the catalog does not know.

/** A bound for a machine under load: the stack is killed and started six times, and days pass for it. */
const LONG_MS = 900_000

const folder = mkdtempSync(join(tmpdir(), 'fusou-restored-'))
const stateFolder = join(folder, 'state')
const plan = new FaultPlan(1)
const ledger = new Ledger()
const progress = { show() {}, say() {} } as unknown as ProgressLine
const stored: Stored[] = []
let stack: KillableStack
let database: StackDatabase
let operator: ApiCaller
let owner: ApiCaller
let files: StampedFiles
let copy: CatalogCopy
let stamp = 0

beforeAll(async () => {
  stack = await KillableStack.start({
    stack: {
      stateFolder,
      webPort: await choosePort(0, 'FUSOU-WEB', 'FUSOU_PORT'),
      supabasePort: await choosePort(0, 'Supabase', 'FUSOU_SUPABASE_PORT'),
      vars: { FAULTS_URL: await plan.listen(), FAULTS_HURRY: '20' },
      queueBatchSeconds: 1,
      front: join(import.meta.dirname, '../src/faults/front.ts'),
      sqlDoor: true,
    },
    logFile: join(folder, 'stack.log'),
    onLine: () => {},
  })
  database = new StackDatabase(() => stack.sqlUrl)
  const { webUrl, operatorToken } = stack.info
  operator = new ApiCaller('the operator', webUrl, async () => operatorToken)
  const { supabaseUrl, publishableKey, users } = stack.info
  const token = await signIn(supabaseUrl, publishableKey, users[0]!)
  owner = new ApiCaller('the owner', webUrl, async () => token)
  files = await StampedFiles.make(join(folder, 'templates'))
  copy = new CatalogCopy(stateFolder, folder)
})
afterAll(async () => {
  await stack.stop()
  plan.stop()
  rmSync(folder, { recursive: true, force: true })
})

/** Uploads until they are answered, also while the stack is started again. */
async function upload(datasetId: string, table: string, count: number): Promise<void> {
  for (let index = 0; index < count; index++) {
    const { rows, bytes } = files.file(stamp)
    const answer = await owner.insist(
      {
        method: 'POST',
        path: `/api/compaction/upload?${new URLSearchParams({ datasetId, tableId: table })}`,
        headers: { 'content-type': 'application/vnd.apache.parquet' },
        body: new Blob([bytes]),
      },
      20,
    )
    expect(answer).toMatchObject({ status: 202 })
    stored.push({ upload: stamp++, rows, datasetId, table, periodTag: '0', there: 'whole' })
  }
}

async function mergeAll(datasetId: string): Promise<void> {
  await operator.insist({ method: 'POST', path: '/api/compaction/sanitize-state', json: { datasetId } }, 10)
  await waitForQuiet(stack.info, database, progress)
}

const parts = () => ({ stack, database, plan, ledger, operator })

async function expectEveryRowOnce(): Promise<void> {
  const datasets = await database.query<{ id: string }>('select id from datasets order by id')
  const reader = new FusouClient(stack.info.webUrl, stack.info.operatorToken)
  const ids = datasets.map(({ id }) => id)
  const result = await downloadResult(
    ids,
    () => reader,
    join(folder, `result-${stamp}`),
    () => {},
  )
  expect(result.faults).toEqual([])
  expect(await checkRows(stored, result.files)).toEqual([])
}

async function expectAllWell(): Promise<void> {
  expect(await compactAll(stack.info, database, operator, progress)).toEqual([])
  expect(await checkQuiet(database)).toEqual([])
  expect(await checkCatalog(database)).toEqual([])
  await vacuumAll(stack.info, database, plan, operator)
  plan.ageObjects(0)
  expect(await checkObjects(database, stateFolder, true)).toEqual([])
  await expectEveryRowOnce()
  expect(ledger.faults).toEqual([])
}

test(
  'a catalog that is set back under load deletes nothing, and has every row again once it is adopted',
  async () => {
    await upload('kept', 'ships', 10)
    await upload('kept', 'ports', 3)
    await mergeAll('kept')
    await upload('kept', 'ships', 5)
    await stack.whileStopped(() => copy.take())

    // what the copy knows as live is merged, and its objects are deleted; new uploads and datasets come
    await upload('kept', 'ships', 4)
    await upload('new', 'lanes', 3)
    await mergeAll('kept')
    await database.query(`select configure_dataset('kept', '{"operator": true}', '{"retentionSeconds": 0}')`)
    await vacuumAll(stack.info, database, plan, operator)
    plan.ageObjects(0)
    await upload('new', 'lanes', 2)
    await mergeAll('new')
    await upload('kept', 'ships', 2)

    let loaded = false
    const load = (async () => {
      while (!loaded) await upload('kept', 'ports', 1)
    })()
    try {
      const totals = await setBackCatalog(parts(), copy)
      expect(totals.adopt).toBeGreaterThan(0)
      expect(totals).not.toHaveProperty('entangled')
      expect(totals).not.toHaveProperty('unclear')
    } finally {
      loaded = true
      await load
    }
    await waitForQuiet(stack.info, database, progress)
    await expectEveryRowOnce()
    await expectAllWell()
  },
  LONG_MS,
)

test(
  'a new catalog leaves the bucket of another alone, and the right one goes on',
  async () => {
    await meetForeignBucket(parts(), copy)
    await upload('kept', 'ships', 2)
    await expectAllWell()
  },
  LONG_MS,
)

test(
  'a catalog that is lost whole is rebuilt from the bucket',
  async () => {
    await stack.whileStopped(() => copy.putAside())
    const problem = await findProblem(() => stack.info, operator)
    expect(problem).toBe('foreign_bucket')
    const totals = await adoptAll(operator, problem!)
    expect(Object.keys(totals).filter((judgment) => !['adopt', 'held'].includes(judgment))).toEqual([])
    const status = await operator.call({ path: '/api/jobs/status' })
    expect(succeeded(status)).toBe(true)
    expect(status.body).toMatchObject({ installation: { problem: null } })
    await expectAllWell()
  },
  LONG_MS,
)
