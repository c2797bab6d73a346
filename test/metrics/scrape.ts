/** One sample line of Prometheus' text format. */
export interface Sample { name: string, labels: Record<string, string>, value: number }

/** Reads Prometheus' text format. Throws for a line that is not part of it. */
export function parseMetrics (text: string) {
  const samples: Sample[] = []
  const types = new Map<string, string>()
  for (const line of text.split('\n')) {
    const [, typed, type] = /^# TYPE (\w+) (counter|gauge|histogram)$/.exec(line) ?? []
    if (typed) types.set(typed, type!)
    if (line === '' || line.startsWith('#')) continue
    const [, name, labels = '', value] = /^([a-z_]\w*)(?:\{(.*)\})? (\S+)$/.exec(line) ?? []
    // prom-client writes `Nan` for a mean without values.
    if (name === undefined || (Number.isNaN(Number(value)) && value !== 'Nan')) throw new Error(`no metric: ${line}`)
    const pairs = [...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, text]) => [key, text])
    samples.push({ name, labels: Object.fromEntries(pairs), value: Number(value) })
  }

  return {
    samples,
    types,
    /** The value of the one sample with this name and these labels. */
    value (name: string, labels: Record<string, string> = {}): number {
      const fits = (sample: Sample): boolean => Object.entries(labels).every(([key, text]) => sample.labels[key] === text)
      const found = samples.filter(sample => sample.name === name && fits(sample))
      if (found.length !== 1) throw new Error(`${found.length} samples of ${name} ${JSON.stringify(labels)}`)
      return found[0]!.value
    }
  }
}

export type Scrape = ReturnType<typeof parseMetrics>
