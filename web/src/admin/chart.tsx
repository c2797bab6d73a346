const WIDTH = 180
const HEIGHT = 40

/** A line of a chart. A value is null where there was nothing to measure. */
export interface ChartLine { name: string, values: ReadonlyArray<number | null> }

/**
 * A small chart of the last values, the newest at its end. It begins at zero, and its highest value is at its top. `room` is how many
 * values it has room for. `sentence` says a line in words, for those who do not see the chart.
 */
export function Chart ({ lines, room, sentence }: {
  lines: readonly ChartLine[], room: number, sentence (line: string, now: number, lowest: number, highest: number): string
}) {
  const highest = Math.max(...lines.flatMap(({ values }) => values.map(value => value ?? 0)), Number.MIN_VALUE)
  const about = lines.flatMap(({ name, values }) => {
    const known = values.filter(value => value !== null)
    return known.length === 0 ? [] : [sentence(name, known.at(-1)!, Math.min(...known), Math.max(...known))]
  })
  return (
    <svg class='chart' viewBox={`0 -2 ${WIDTH} ${HEIGHT + 4}`} preserveAspectRatio='none' role='img' aria-label={about.join(' ') || '–'}>
      <path class='floor' d={`M0 ${HEIGHT}H${WIDTH}`} />
      {lines.map(({ name, values }) => <path key={name} d={pathOf(values, room, highest)} />)}
    </svg>
  )
}

/** Returns the line as a path with a gap for each value that is missing. */
function pathOf (values: ChartLine['values'], room: number, highest: number): string {
  const first = room - values.length
  let isDrawing = false
  return values.map((value, at) => {
    const step = isDrawing ? 'L' : 'M'
    isDrawing = value !== null
    if (value === null) return ''
    const x = (first + at) / (room - 1) * WIDTH
    // A value that stands alone is a dot.
    return `${step}${x.toFixed(1)} ${(HEIGHT - value / highest * HEIGHT).toFixed(1)}${step === 'M' ? 'h.1' : ''}`
  }).join('')
}
