import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { readEnvironments } from '../../../deploy/wrangler-config.ts'
import { REPO_ROOT } from '../src/support/repo-root.ts'

interface Step {
  uses?: string
  run?: string
  name?: string
  with?: Record<string, unknown>
  env?: Record<string, string>
}
interface Job {
  permissions?: Record<string, string>
  environment?: string
  'timeout-minutes'?: number
  steps: Step[]
}
interface Workflow {
  on: { workflow_dispatch?: { inputs?: Record<string, { options?: string[] }> } }
  permissions?: Record<string, string>
  jobs: Record<string, Job>
}

const folder = join(REPO_ROOT, '.github/workflows')
const read = (name: string) => readFileSync(join(folder, name), 'utf8')
const names = readdirSync(folder)
/** Rights beyond reading the repository, by workflow and job. */
const RIGHTS: Record<string, Record<string, Record<string, string>>> = {
  'release.yml': { publish: { contents: 'read', 'id-token': 'write' } },
  'trigger_daily_compaction.yml': { trigger: { 'id-token': 'write' } },
}

describe.each(names)('the workflow %s', (name) => {
  const workflow = parse(read(name)) as Workflow
  const jobs = Object.entries(workflow.jobs)

  test('takes actions by commit, with the version beside it', () => {
    const uses = [...read(name).matchAll(/uses: *(.*)/g)].map(([, action]) => action!)
    const loose = uses.filter((action) => !/^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(action))
    expect(loose).toEqual([])
  })

  test('has no more rights than it needs, and ends', () => {
    for (const [job, { permissions = workflow.permissions, 'timeout-minutes': minutes }] of jobs) {
      expect(permissions, job).toEqual(RIGHTS[name]?.[job] ?? { contents: 'read' })
      expect(minutes, job).toBeLessThanOrEqual(90)
    }
  })

  test('gives secrets to single steps of its own, and leaves no credentials in the checkout', () => {
    const mentions = read(name).match(/secrets\./g)?.length ?? 0
    const steps = jobs.flatMap(([, job]) => job.steps)
    const ofSteps = steps.flatMap(({ env = {} }) => Object.values(env)).filter((value) => value.includes('secrets.'))
    expect(ofSteps).toHaveLength(mentions)
    const keeping = steps.filter(
      ({ uses, with: given }) => uses?.startsWith('actions/checkout@') && given?.['persist-credentials'] !== false,
    )
    expect(keeping).toEqual([])
  })
})

test('one deploys to an environment of deploy/environments.json, with the secrets of that environment', () => {
  const { on, jobs } = parse(read('deploy.yml')) as Workflow
  const options = on.workflow_dispatch?.inputs?.environment?.options
  expect([...options!].sort()).toEqual(Object.keys(readEnvironments()).sort())
  expect(jobs.deploy!.environment).toBe(`\${{ inputs.environment }}`)
})

describe('a release', () => {
  const [step] = (parse(read('release.yml')) as Workflow).jobs.test!.steps.filter(({ env }) => env?.TAG !== undefined)
  const { version } = JSON.parse(readFileSync(join(REPO_ROOT, 'packages/parquet-compactor/package.json'), 'utf8'))

  test.each([
    ['of the version', version, 0],
    ['of another version', `${version}1`, 1],
  ])('goes on for a tag %s only where it is the version of the package', (_what, tagged, code) => {
    const env = { PATH: process.env.PATH!, HOME: process.env.HOME ?? '', TAG: `parquet-compactor-v${tagged}` }
    const { status, stdout } = spawnSync('bash', ['-e', '-c', step!.run!], { cwd: REPO_ROOT, env, encoding: 'utf8' })
    expect(status, stdout).toBe(code)
  })
})
