import { escaped } from '../chart.ts'

export interface Line { label: string, className: 'spread' | 'together', points: Array<[x: number, y: number]> }
export interface Panel { title: string, unit: string, lines: Line[] }

const WIDTH = 760
const HEAD = 44
const PANEL = { width: 380, height: 250 }
/** Distances of the axes from the edges of a panel. */
const EDGE = { left: 58, right: 18, top: 34, bottom: 34 }
/** The colours follow the theme of the reader's system, where the drawing is shown as an image. */
const STYLE = `
  .paper { fill: #fff } .title { fill: #223 } .note { fill: #556 } .grid { stroke: #dde1e6 }
  .spread { stroke: #b4521e; fill: none } .together { stroke: #1f7a5c; fill: none }
  text.spread { stroke: none; fill: #b4521e } text.together { stroke: none; fill: #1f7a5c }
  .spread.line { stroke-dasharray: 6 4 }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #15181c } .title { fill: #e6e9ed } .note { fill: #aab2bd } .grid { stroke: #343a42 }
    .spread { stroke: #f0925a } .together { stroke: #4cc596 }
    text.spread { fill: #f0925a } text.together { fill: #4cc596 }
  }`

/** Draws panels of lines, two beside each other. Both axes are logarithmic, so a line at 45° is a cost that grows with the people. */
export function drawCurves (title: string, foot: string, panels: Panel[]): string {
  const height = HEAD + Math.ceil(panels.length / 2) * PANEL.height + 28
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" font-family="system-ui, sans-serif">`,
    `<title>${escaped(title)}</title>`,
    `<style>${STYLE}\n</style>`,
    `<rect class="paper" width="${WIDTH}" height="${height}"/>`,
    text(20, 28, title, 'title', 'font-size="16" font-weight="600"'),
    ...panels.flatMap((panel, i) => drawPanel(panel, i % 2 * PANEL.width, HEAD + Math.floor(i / 2) * PANEL.height)),
    text(20, height - 12, foot, 'note', 'font-size="11"'),
    '</svg>',
    ''
  ].join('\n')
}

function drawPanel ({ title, unit, lines }: Panel, left: number, top: number): string[] {
  const points = lines.flatMap(line => line.points)
  const columns = decades(points.map(([x]) => x))
  const levels = decades(points.map(([, y]) => y))
  const place = (value: number, marks: number[], from: number, to: number): number =>
    from + (to - from) * (Math.log10(value) - marks[0]!) / (marks.at(-1)! - marks[0]!)
  const xOf = (x: number): number => round(place(x, columns, left + EDGE.left, left + PANEL.width - EDGE.right))
  const yOf = (y: number): number => round(place(y, levels, top + PANEL.height - EDGE.bottom, top + EDGE.top))
  return [
    text(left + 20, top + 18, `${title}, ${unit}`, 'title', 'font-size="13" font-weight="600"'),
    ...levels.flatMap(level => {
      const y = yOf(10 ** level)
      return [
        `<line class="grid" x1="${left + EDGE.left}" y1="${y}" x2="${left + PANEL.width - EDGE.right}" y2="${y}"/>`,
        text(left + EDGE.left - 6, y + 4, short(10 ** level), 'note', 'font-size="11" text-anchor="end"')
      ]
    }),
    ...columns.map(column => text(xOf(10 ** column), top + PANEL.height - EDGE.bottom + 18, short(10 ** column), 'note',
      'font-size="11" text-anchor="middle"')),
    ...lines.flatMap(({ label, className, points }, i) => {
      const path = points.map(([x, y]) => `${xOf(x)},${yOf(y)}`).join(' ')
      return [
        `<polyline class="${className} line" points="${path}" stroke-width="2"/>`,
        text(left + EDGE.left + 8, top + EDGE.top + 14 + i * 16, label, className, 'font-size="12"')
      ]
    })
  ]
}

/** The powers of ten from the one below all values to the one above them. */
function decades (values: number[]): number[] {
  const [from, to] = [Math.floor(Math.log10(Math.min(...values))), Math.ceil(Math.log10(Math.max(...values)))]
  return Array.from({ length: Math.max(to - from, 1) + 1 }, (_, i) => from + i)
}

function short (value: number): string {
  if (value >= 1_000_000) return `${value / 1_000_000} M`
  return value >= 1000 ? `${value / 1000} k` : String(Number(value.toPrecision(1)))
}

const round = (value: number): number => Math.round(value * 10) / 10

function text (x: number, y: number, content: string, className: string, attributes: string): string {
  return `<text class="${className}" x="${x}" y="${y}" ${attributes}>${escaped(content)}</text>`
}
