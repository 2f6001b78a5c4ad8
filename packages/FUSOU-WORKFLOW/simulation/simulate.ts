/**
 * What uploads cost, without any: the planner and the policy of the system on made-up uploads, at the prices of Cloudflare.
 * node simulate.ts [--uploads 1000,10000,100000,1000000] [--rate 10] [--seed 1]
 */
import { parseArgs } from 'node:util'
import { describeOutcomes } from './describe-outcome.ts'
import { DEFAULT_SCENARIO, type Outcome, simulateUploads } from './simulate-uploads.ts'

const { values: options } = parseArgs({
  options: {
    uploads: { type: 'string', default: '1000,10000,100000,1000000,10000000' },
    rate: { type: 'string', default: String(DEFAULT_SCENARIO.uploadsPerSecond) },
    seed: { type: 'string', default: String(DEFAULT_SCENARIO.seed) },
  },
})
const { datasets, tablesPerDataset, minUploadBytes, maxUploadBytes } = DEFAULT_SCENARIO
console.log(
  `${options.rate} uploads a second of ${minUploadBytes / 1000} KB to ${maxUploadBytes / 1e6} MB, ` +
    `to ${tablesPerDataset} tables of each of ${datasets} datasets, few of them busy; seed ${options.seed}\n`,
)
const outcomes: Outcome[] = []
for (const uploads of options.uploads.split(',').map(Number)) {
  const start = performance.now()
  outcomes.push(
    simulateUploads({
      ...DEFAULT_SCENARIO,
      uploads,
      uploadsPerSecond: Number(options.rate),
      seed: Number(options.seed),
    }),
  )
  console.error(`${uploads.toLocaleString('en-US')} uploads in ${((performance.now() - start) / 1000).toFixed(1)} s`)
}
console.log(describeOutcomes(outcomes))
