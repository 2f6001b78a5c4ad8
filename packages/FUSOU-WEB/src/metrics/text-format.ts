/** https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format */
export const TEXT_FORMAT = 'text/plain; version=0.0.4; charset=utf-8'

export interface Sample {
  /** after the name of the family: `_bucket`, `_sum` and `_count` of a histogram */
  readonly suffix?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly value: number
}

/** All samples of one name; its unit, where it has one, ends the name. */
export interface MetricFamily {
  readonly name: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  readonly samples: readonly Sample[]
}

/** One family after the other, each as one group, every line ended. */
export function inTextFormat(families: readonly MetricFamily[]): string {
  return families.map(describeFamily).join('')
}

function describeFamily({ name, type, help, samples }: MetricFamily): string {
  const lines = [`# HELP ${name} ${escapeHelp(help)}`, `# TYPE ${name} ${type}`]
  for (const { suffix = '', labels = {}, value } of samples) lines.push(`${name}${suffix}${braced(labels)} ${value}`)
  return lines.map((line) => `${line}\n`).join('')
}

function braced(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeHelp(value).replaceAll('"', '\\"')}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

const escapeHelp = (text: string) => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
