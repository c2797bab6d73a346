import { loadConfig, type ConfigEntry } from '../src/config.ts'
import { ConfigError } from '../src/config-error.ts'

/** `npm run config` prints the values in force and where each comes from, and to the standard error which variables have no effect. */
try {
  const { entries, warnings } = loadConfig()
  const rows = entries.map(entry => [entry.key, shown(entry), entry.source])
  const widths = [0, 1].map(column => Math.max(...rows.map(row => row[column]!.length)))
  for (const [key, value, source] of rows) console.log(`${key!.padEnd(widths[0]!)}  ${value!.padEnd(widths[1]!)}  ${source}`)
  for (const { message } of warnings) console.error(`parley: ${message}`)
} catch (error) {
  if (!(error instanceof ConfigError)) throw error
  console.error(`parley: ${error.message}`)
  process.exitCode = 1
}

function shown ({ value, secret }: ConfigEntry): string {
  if (value === null || value === undefined) return '–'
  const text = String(value)
  if (!secret) return text.includes('-----BEGIN') ? 'PEM text' : text
  if (!URL.canParse(text)) return '****'
  const url = new URL(text)
  if (url.password) url.password = '****'
  return url.href
}
