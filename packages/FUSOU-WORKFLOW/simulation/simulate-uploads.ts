import { DEFAULT_MERGE_POLICY, type MergePolicy } from '@fusou/catalog'
import { addCronMinute, addJob, addMerge, addSweep, addUpload, noOperations, type Operations } from './operations.ts'
import { type File, Partition } from './partition.ts'

export interface Scenario {
  readonly uploads: number
  readonly uploadsPerSecond: number
  readonly datasets: number
  readonly tablesPerDataset: number
  /** Sizes of uploads are spread evenly over the orders of magnitude between these. */
  readonly minUploadBytes: number
  readonly maxUploadBytes: number
  readonly targetFileBytes: number
  readonly policy: MergePolicy
  readonly seed: number
}

export const DEFAULT_SCENARIO: Scenario = {
  uploads: 1_000_000,
  uploadsPerSecond: 10,
  datasets: 20,
  tablesPerDataset: 5,
  minUploadBytes: 5_000,
  maxUploadBytes: 5_000_000,
  targetFileBytes: 128 * 2 ** 20,
  policy: DEFAULT_MERGE_POLICY,
  seed: 1,
}

export interface Outcome {
  readonly uploads: number
  readonly uploadedBytes: number
  /** Bytes that merges wrote, for each byte uploaded. */
  readonly writeAmplification: number
  /** How often the row was written that was written most often, its upload not counted. */
  readonly maxRewrites: number
  readonly jobs: number
  readonly merges: number
  readonly liveFiles: number
  /** The most small files that a partition had at once, looked at each minute. */
  readonly maxSmallFiles: number
  readonly operations: Operations
}

/** A message waits for its batch to fill, 30 s at the most: one job here and there never fills one. */
const START_SECONDS = 30
const STEP_SECONDS = 0.5
const MERGED_BYTES_PER_SECOND = 20e6
const MINUTE_SECONDS = 60
const SWEEP_SECONDS = 6 * 3600
const RETENTION_SECONDS = 7 * 24 * 3600

interface Dataset {
  readonly partitions: readonly Partition[]
  /** The queued or running job, and when it starts or ends. */
  job: { at: number; merges: { partition: Partition; inputs: File[] }[] | null } | null
  /** A running job's successor. */
  queued: boolean
}

/**
 * Uploads that come evenly over time to datasets of which few are busy, merged as the system merges them: the policy
 * decides at each upload and each minute, jobs of a dataset follow each other, the planner groups. Outputs are as
 * large as their inputs. Nothing fails, and there is a slot for every job.
 */
export function simulateUploads(scenario: Scenario): Outcome {
  const simulation = new Simulation(scenario)
  const random = seeded(scenario.seed)
  const orders = Math.log(scenario.maxUploadBytes / scenario.minUploadBytes)
  for (let upload = 0; upload < scenario.uploads; upload++) {
    const bytes = Math.round(scenario.minUploadBytes * Math.exp(random() * orders))
    simulation.upload(upload / scenario.uploadsPerSecond, bytes, random() * random(), random())
  }
  return simulation.end(scenario.uploads / scenario.uploadsPerSecond)
}

class Simulation {
  readonly #scenario: Scenario
  readonly #smallBytes: number
  readonly #datasets: Dataset[]
  readonly #done = noOperations()
  /** How often a row of a merged file was written. */
  readonly #rewrites = new WeakMap<File, number>()
  /** Objects that merges replaced, by the hour, until vacuum takes them. */
  readonly #superseded: { at: number; objects: number }[] = []
  #minute = 0
  #uploads = 0
  #uploadedBytes = 0
  #mergedBytes = 0
  #maxRewrites = 0
  #jobs = 0
  #merges = 0
  #maxSmallFiles = 0

  constructor(scenario: Scenario) {
    this.#scenario = scenario
    this.#smallBytes = scenario.targetFileBytes * 0.75
    this.#datasets = Array.from({ length: scenario.datasets }, () => ({
      partitions: Array.from({ length: scenario.tablesPerDataset }, (_, table) => new Partition(String(table))),
      job: null,
      queued: false,
    }))
  }

  /** @param whichDataset,whichTable in [0, 1) */
  upload(now: number, bytes: number, whichDataset: number, whichTable: number): void {
    this.#passTo(now)
    const dataset = this.#datasets[Math.floor(whichDataset * this.#datasets.length)]!
    const partition = dataset.partitions[Math.floor(whichTable * dataset.partitions.length)]!
    this.#goOn(dataset, now)
    partition.add(partition.newFile(bytes, 1, now), this.#smallBytes)
    addUpload(this.#done)
    this.#uploads++
    this.#uploadedBytes += bytes
    if (partition.isDue(this.#scenario.policy, now)) this.#request(dataset, now)
  }

  /** Lets what is under way come to its end, and the policy see to what has waited. */
  end(now: number): Outcome {
    this.#passTo(now + 2 * this.#scenario.policy.mergeMaxAgeSeconds + 600)
    return {
      uploads: this.#uploads,
      uploadedBytes: this.#uploadedBytes,
      writeAmplification: this.#mergedBytes / this.#uploadedBytes,
      maxRewrites: this.#maxRewrites,
      jobs: this.#jobs,
      merges: this.#merges,
      liveFiles: this.#liveFiles(),
      maxSmallFiles: this.#maxSmallFiles,
      operations: this.#done,
    }
  }

  /** The cron, each minute until now. */
  #passTo(now: number): void {
    for (; (this.#minute + 1) * MINUTE_SECONDS <= now; this.#minute++) {
      const at = (this.#minute + 1) * MINUTE_SECONDS
      addCronMinute(this.#done)
      for (const dataset of this.#datasets) {
        this.#goOn(dataset, at)
        if (dataset.job === null && this.#isDue(dataset, at)) this.#request(dataset, at)
        for (const { smallFiles } of dataset.partitions) this.#maxSmallFiles = Math.max(this.#maxSmallFiles, smallFiles)
      }
      if (at % SWEEP_SECONDS === 0) addSweep(this.#done, this.#objects(at))
    }
  }

  #isDue(dataset: Dataset, now: number): boolean {
    return dataset.partitions.some((one) => one.hasFullTier() || one.isDue(this.#scenario.policy, now))
  }

  /** A job is made, or joined. One that has not started yet will plan with what is there then. */
  #request(dataset: Dataset, now: number): void {
    if (dataset.job === null) dataset.job = { at: now + START_SECONDS, merges: null }
    else if (dataset.job.merges !== null) dataset.queued = true
  }

  #goOn(dataset: Dataset, now: number): void {
    while (dataset.job !== null && dataset.job.at <= now) {
      const { at, merges } = dataset.job
      if (merges === null) this.#start(dataset, at)
      else this.#finish(dataset, at, merges)
    }
  }

  #start(dataset: Dataset, now: number): void {
    addJob(this.#done)
    this.#jobs++
    const merges = dataset.partitions.flatMap((partition) =>
      partition.hasFullTier() || partition.isDue(this.#scenario.policy, now)
        ? partition.plan(this.#scenario.targetFileBytes).map((inputs) => ({ partition, inputs }))
        : [],
    )
    const bytes = merges.reduce((total, { inputs }) => total + sum(inputs, 'bytes'), 0)
    const seconds = (4 + merges.length) * STEP_SECONDS + bytes / MERGED_BYTES_PER_SECOND
    dataset.job = { at: now + seconds, merges }
  }

  #finish(dataset: Dataset, now: number, merges: readonly { partition: Partition; inputs: File[] }[]): void {
    for (const { partition, inputs } of merges) this.#swap(partition, inputs, now)
    const follows = dataset.queued || (merges.length > 0 && this.#isDue(dataset, now))
    dataset.queued = false
    dataset.job = null
    if (follows) this.#request(dataset, now)
  }

  #swap(partition: Partition, inputs: readonly File[], now: number): void {
    const output = partition.newFile(sum(inputs, 'bytes'), sum(inputs, 'fragments'), now)
    const rewrites = 1 + Math.max(...inputs.map((file) => this.#rewrites.get(file) ?? 0))
    this.#rewrites.set(output, rewrites)
    this.#maxRewrites = Math.max(this.#maxRewrites, rewrites)
    this.#mergedBytes += output.bytes
    this.#merges++
    addMerge(
      this.#done,
      inputs.map((file) => file.bytes),
      output.bytes,
    )
    partition.add(output, this.#smallBytes)
    const last = this.#superseded.at(-1)
    if (last !== undefined && now - last.at < 3600) last.objects += inputs.length
    else this.#superseded.push({ at: now, objects: inputs.length })
  }

  #objects(now: number): number {
    while (this.#superseded[0] !== undefined && this.#superseded[0].at < now - RETENTION_SECONDS)
      this.#superseded.shift()
    return this.#liveFiles() + this.#superseded.reduce((total, { objects }) => total + objects, 0)
  }

  #liveFiles(): number {
    return this.#datasets
      .flatMap(({ partitions }) => partitions)
      .reduce((total, { smallFiles, largeFiles }) => total + smallFiles + largeFiles, 0)
  }
}

const sum = (files: readonly File[], what: 'bytes' | 'fragments') =>
  files.reduce((total, file) => total + file[what], 0)

/** Mulberry32: numbers in [0, 1) that depend on the seed alone. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}
