import { KEY_DROP_REASONS } from '../key-values/key-drop-reasons.ts'
import { explainMerge } from '../merge/explain-merge.ts'
import type { MergeReport } from '../merge/merge-options.ts'
import { mergeParquet } from '../merge/merge-parquet.ts'
import { printPlan } from '../plan/plan-merge.ts'
import { formatByteSize } from './byte-size.ts'
import { fileSource } from './file-source.ts'
import { findInputs } from './find-inputs.ts'
import { OutputFile } from './output-file.ts'
import type { Command, MergeCommand } from './parse-command.ts'
import type { ProgressLine } from './progress-line.ts'
import { ScratchFile } from './scratch-file.ts'
import { type VerifyOptions, verifyMerge } from './verify-merge.ts'
import { isSelecting, verifySelection } from './verify-selection.ts'

export interface CommandReport extends MergeReport {
  output: string
  seconds: number
  /** null where --verify was not asked for */
  rowsVerified: number | null
}

/**
 * Merge, verify if asked to, and put the output into its place. Whatever fails leaves nothing behind.
 * @throws CommandError, ParquetError; the reason of `signal` if that fires
 */
export async function mergeFiles(
  command: MergeCommand,
  progress: ProgressLine,
  signal: AbortSignal,
): Promise<CommandReport> {
  const started = performance.now()
  const inputs = await findInputs(command.inputs)
  const output = await OutputFile.create(command.output, inputs, command.mayReplace)
  const scratch = new ScratchFile(output.path)
  try {
    const report = await mergeParquet(inputs.map(fileSource), output, {
      ...command.merge,
      scratch,
      signal,
      onProgress: ({ rowsDone, rowsTotal, filesDone, filesTotal, bytesOut }) => {
        const detail = `${filesDone} of ${filesTotal} files, ${formatByteSize(bytesOut)} written`
        progress.show('merging', rowsTotal === 0 ? 1 : rowsDone / rowsTotal, detail)
      },
    })
    let rowsVerified: number | null = null
    if (command.verify) {
      const written = { path: output.temporaryPath, byteLength: report.bytesOut }
      const options: VerifyOptions = {
        isUnion: command.merge.schema === 'union',
        signal,
        onProgress: (rows, files) => {
          const detail = `${files} of ${inputs.length} files, ${rows} rows`
          progress.show('verifying', report.rowsOut === 0 ? 1 : rows / report.rowsOut, detail)
        },
      }
      rowsVerified = isSelecting(command.merge)
        ? await verifySelection(inputs, written, command.merge, options)
        : await verifyMerge(inputs, written, options)
    }
    signal.throwIfAborted()
    await output.commit()
    return { ...report, output: command.output, seconds: (performance.now() - started) / 1000, rowsVerified }
  } finally {
    try {
      await scratch.discard()
    } finally {
      await output.discard()
    }
  }
}

/** @returns the plan as text or JSON */
export async function planFiles(command: Extract<Command, { kind: 'plan' }>, signal: AbortSignal): Promise<string> {
  const inputs = await findInputs(command.inputs)
  const plan = await explainMerge(inputs.map(fileSource), { ...command.merge, signal })
  if (command.isJson) return JSON.stringify(plan)
  const { files, rows, bytes, rowGroups, selection } = plan
  if (selection) {
    return [
      `${files} files, ${rows} rows, ${formatByteSize(bytes)}: ${selection.rows} rows to write`,
      selection.text,
      'how the columns of row groups in order are written is known only when they are: see the report',
    ].join('\n')
  }
  const summary = `${files} files, ${rows} rows, ${formatByteSize(bytes)}: ${rowGroups.length} row groups to join`
  return [summary, printPlan(rowGroups, plan)].filter((text) => text !== '').join('\n')
}

export function reportText(report: CommandReport): string {
  const { copied, spliced, remapped, coalesced, rewritten } = report.columnChunks
  const sizes = `${formatByteSize(report.bytesIn)} to ${formatByteSize(report.bytesOut)}`
  const lines = [
    `${report.output}: ${report.rowsOut} rows of ${report.files} files, ${sizes} in ${report.seconds.toFixed(1)} s`,
    `  row groups: ${report.rowGroupsIn} to ${report.rowGroupsOut}`,
    `  column chunks: ${copied} copied, ${spliced} spliced, ${remapped} remapped, ${coalesced} coalesced, ${rewritten} rewritten`,
  ]
  const { dropped, droppedCount } = report.keyValueMetadata
  for (const { key, reason } of dropped) lines.push(`  metadata ${key} left out: ${KEY_DROP_REASONS[reason]}`)
  if (droppedCount > dropped.length) lines.push(`  and metadata of ${droppedCount - dropped.length} more keys`)
  if (report.rowGroupsKept !== undefined) {
    const { duplicateRows, rowGroupsKept, rowGroupsMerged } = report
    const rows = `${rowGroupsKept} kept as they were, ${rowGroupsMerged} merged by values`
    lines.push(`  row groups of the inputs: ${rows}; ${duplicateRows} duplicate rows left out`)
    if (report.scratchBytes) lines.push(`  sorted by ${formatByteSize(report.scratchBytes)} in a temporary file`)
  }
  for (const { column, change, from, to } of report.schemaChanges) {
    lines.push(`  column ${column}: ${change}${to ? ` from ${from} to ${to}` : ''}`)
  }
  if (report.schemaChangesOmitted) lines.push(`  and ${report.schemaChangesOmitted} more changes of columns`)
  if (report.rowsVerified !== null) {
    const how = report.rowGroupsKept === undefined ? 'equal, in order' : 'as they are to be'
    lines.push(`  verified: ${report.rowsVerified} rows ${how}`)
  }
  return lines.join('\n')
}
