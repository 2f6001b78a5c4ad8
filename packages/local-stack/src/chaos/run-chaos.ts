import { join } from 'node:path'
import { checkAll } from '../checks/check-all.ts'
import { StackDatabase } from '../checks/database.ts'
import { Ledger } from '../checks/ledger.ts'
import { LogReader } from '../checks/log-reader.ts'
import { ApiCaller } from '../client/api-caller.ts'
import { signIn } from '../client/fusou-client.ts'
import { DatabaseProxy } from '../faults/database-proxy.ts'
import type { FaultKind } from '../faults/fault-kinds.ts'
import { FaultPlan } from '../faults/fault-plan.ts'
import { signUpUsers } from '../load/load-users.ts'
import { StampedFiles } from '../load/stamped-files.ts'
import { choosePort } from '../stack/choose-port.ts'
import type { StackInfo } from '../stack/stack-info.ts'
import type { ProgressLine } from '../support/progress-line.ts'
import { SeededRandom } from '../support/seeded-random.ts'
import { CatalogCopy } from './catalog-copy.ts'
import { ChaosFiles } from './chaos-files.ts'
import { ChaosStorm } from './chaos-storm.ts'
import { KillableStack } from './killable-stack.ts'
import { OperateActions } from './operate-actions.ts'
import { meetForeignBucket } from './set-back-catalog.ts'
import { SharingActions } from './sharing-actions.ts'
import { UploadActions } from './upload-actions.ts'
import { DATASETS, EAGER, FEW_SLOTS, LONG_RETENTION_SECONDS, SHORT_RETENTION_SECONDS, USERS } from './world.ts'

/** pauses before another try are so many times shorter */
const HURRY = 20
/** a token lives for an hour */
const TOKEN_MS = 30 * 60_000

export interface ChaosOptions {
  seconds: number
  seed: number
  clients: number
  /** folder for state, logs and files read back */
  folder: string
}

export interface ChaosReport {
  /** a sentence for each thing that is not as it has to be */
  faults: string[]
  rounds: number
  injected: ReadonlyMap<FaultKind, number>
  /** actions of the clients, and their answers */
  tally: Ledger['tally']
  /** how many of what were held against what was promised */
  checked: Record<string, number>
}

/** A stack of its own under many clients and many faults; then everything is held against what was promised. */
export async function runChaos(options: ChaosOptions, progress: ProgressLine): Promise<ChaosReport> {
  const { folder, seed } = options
  const plan = new FaultPlan(seed)
  const log = new LogReader(plan)
  const supabasePort = await choosePort(0, 'Supabase', 'FUSOU_SUPABASE_PORT')
  const webPort = await choosePort(0, 'FUSOU-WEB', 'FUSOU_PORT')
  const proxy = new DatabaseProxy({ port: supabasePort }, plan)
  try {
    const stack = await KillableStack.start({
      stack: {
        stateFolder: join(folder, 'state'),
        supabasePort,
        webPort,
        vars: { SUPABASE_URL: await proxy.listen(), FAULTS_URL: await plan.listen(), FAULTS_HURRY: String(HURRY) },
        queueBatchSeconds: 1,
        front: join(import.meta.dirname, '../faults/front.ts'),
        sqlDoor: true,
      },
      logFile: join(folder, 'stack.log'),
      onLine: (line) => log.read(line),
    })
    try {
      return await rageAndCheck(stack, plan, log, options, progress)
    } finally {
      await stack.stop()
    }
  } finally {
    proxy.stop()
    plan.stop()
  }
}

async function rageAndCheck(
  stack: KillableStack,
  plan: FaultPlan,
  log: LogReader,
  { seed, seconds, clients, folder }: ChaosOptions,
  progress: ProgressLine,
): Promise<ChaosReport> {
  const database = new StackDatabase(() => stack.sqlUrl)
  const ledger = new Ledger()
  const noteRefusal = (path: string, code: string | undefined) => {
    if (code === 'internal' || code === 'database_refused' || code === 'database_mismatch')
      ledger.faults.push(`${path} was answered with ${code}`)
  }
  const { webUrl, operatorToken } = stack.info
  const callerNamed = (name: string, token: () => Promise<string>) =>
    new ApiCaller(name, webUrl, token, ({ path }, { code }) => noteRefusal(path.split('?')[0]!, code))
  const operator = callerNamed('the operator', async () => operatorToken)
  const callers = (await signUpUsers(stack.info, USERS + 1)).map(({ email, password }) =>
    callerNamed(email, tokenOf(stack.info, { email, password })),
  )
  const [users, friend] = [callers.slice(0, USERS), callers[USERS]!]
  const uploads = new UploadActions(users, new ChaosFiles(await StampedFiles.make(join(folder, 'templates'))), ledger)
  const operate = new OperateActions(users, operator, ledger, () => stack.info)
  for (const dataset of DATASETS) {
    await uploads.found(dataset, new SeededRandom(seed))
    if (dataset.shortLived) ledger.shortLived.add(dataset.id)
    const settings = {
      ...EAGER,
      retentionSeconds: dataset.shortLived ? SHORT_RETENTION_SECONDS : LONG_RETENTION_SECONDS,
    }
    await database.query('select configure_dataset($1, $2, $3)', dataset.id, { operator: true }, settings)
  }
  const { userId } = (await friend.insist({ path: '/api/me' }, 3)).body as { userId: string }
  const withKey = (key: string) => callerNamed('a key', async () => key)
  const sharing = new SharingActions({ users, friend, friendId: userId, withKey, uploads, ledger })
  await sharing.begin(new SeededRandom(seed))
  await database.query('select configure_admission($1, $2)', { operator: true }, FEW_SLOTS)
  progress.say(`✓ a stack runs, with ${DATASETS.length} datasets of ${USERS} users`)

  const copy = new CatalogCopy(join(folder, 'state'), folder)
  const storm = new ChaosStorm({
    stack,
    database,
    plan,
    uploads,
    operate,
    sharing,
    operator,
    copy,
    ledger,
    seed,
    progress,
  })
  await storm.rage(seconds, clients)
  progress.say(`✓ ${storm.rounds} rounds of faults against ${clients} clients; now all is healed`)
  await sharing.settle()
  plan.count('catalog_new')
  await meetForeignBucket({ stack, database, plan, ledger, operator }, copy)
  progress.say('✓ a new catalog left the old bucket alone')
  const checked = await checkAll({
    stack: stack.info,
    database,
    plan,
    ledger,
    log,
    operator,
    folder,
    progress,
  })
  const adopted = Object.entries(storm.adopted).map(([judgment, objects]) => [`objects adopted: ${judgment}`, objects])
  Object.assign(checked, Object.fromEntries(adopted))
  return { faults: ledger.faults, rounds: storm.rounds, injected: plan.counts, tally: ledger.tally, checked }
}

/** Signs in again before the token runs out. */
function tokenOf({ supabaseUrl, publishableKey }: StackInfo, user: { email: string; password: string }) {
  let token: string | undefined
  let until = 0
  return async () => {
    if (token === undefined || Date.now() > until) {
      token = await signIn(supabaseUrl, publishableKey, user)
      until = Date.now() + TOKEN_MS
    }
    return token
  }
}
