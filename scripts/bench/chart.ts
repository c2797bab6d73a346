import { format, type Case } from './case.ts'
import type { Outcome } from './report.ts'

const WIDTH = 760
const LABEL_WIDTH = 250
const BAR_WIDTH = 330
const BAR_HEIGHT = 18
const ROW_HEIGHT = 26
const PANEL_HEAD = 44
const OWN_COLOUR = '#1f7a5c'
const OTHER_COLOUR = '#9aa5b1'

/** Draws the median of one figure per case as bars. The label of a peer compares it with the nearest Parley row above it. */
export function drawChart (cases: Case[], outcomes: Outcome[]): string {
  let top = 16
  const panels = cases.flatMap(one => {
    const outcome = outcomes.find(({ name }) => name === one.name)
    if (!one.chart || !outcome) return []
    const panel = drawPanel(one.chart, outcome, top)
    top += PANEL_HEAD + one.chart.rows.length * ROW_HEIGHT + 12
    return panel
  })
  const { machine, date } = outcomes[0]!
  const foot = `${machine.cores} cores of ${machine.cpu}, Node ${machine.node}, ${date.slice(0, 10)}; npm run bench`
  const height = top + 24
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" font-family="system-ui, sans-serif">`,
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    ...panels,
    text(20, height - 14, foot, 'font-size="11" fill="#667"'),
    '</svg>',
    ''
  ].join('\n')
}

function drawPanel ({ key, title, unit, rows }: NonNullable<Case['chart']>, { medians }: Outcome, top: number): string[] {
  const values = rows.map(row => medians[row]?.[key] ?? 0)
  const most = Math.max(...values)
  const isOwn = (row: string): boolean => row.startsWith('Parley')
  return [
    text(20, top + 22, title, 'font-size="15" font-weight="600" fill="#223"'),
    text(WIDTH - 20, top + 22, unit, 'font-size="11" fill="#667" text-anchor="end"'),
    ...rows.flatMap((row, i) => {
      const value = values[i]!
      const y = top + PANEL_HEAD - 8 + i * ROW_HEIGHT
      const width = Math.max(1, Math.round(BAR_WIDTH * value / most))
      const colour = isOwn(row) ? OWN_COLOUR : OTHER_COLOUR
      const own = values[rows.findLastIndex((other, place) => place < i && isOwn(other))] ?? NaN
      const times = isOwn(row) ? '' : ` (Parley ${format(own / value, own < value ? 2 : 1)} ×)`
      return [
        text(LABEL_WIDTH, y + 13, row, 'font-size="12" fill="#334" text-anchor="end"'),
        `<rect x="${LABEL_WIDTH + 8}" y="${y}" width="${width}" height="${BAR_HEIGHT}" rx="2" fill="${colour}"/>`,
        text(LABEL_WIDTH + 14 + width, y + 13, `${format(value, value < 100 ? 1 : 0)}${times}`, 'font-size="12" fill="#334"')
      ]
    })
  ]
}

function text (x: number, y: number, content: string, attributes: string): string {
  return `<text x="${x}" y="${y}" ${attributes}>${escaped(content)}</text>`
}

export function escaped (content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}
